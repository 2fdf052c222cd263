// Places that can be booked now, as `$find` proposes them: by the same rules by which the server
// books. https://profiles.ihe.net/ITI/Scheduling/ITI-115.html
import { slots } from "./appointments.js";
import { matches, nextPage } from "./fhir.js";
import { batch, look } from "./session.js";

const PAGE = 120; // a week or two of a doctor

/** @returns {{id: string, start: string, end: string, requires: string[]}} of a proposal; `id` is the Slot's */
function place(proposal) {
  const codes = (proposal.extension || []).filter((each) => each.url.endsWith("/booking-requires")).map((each) => each.valueCode);
  return { id: (slots(proposal)[0] || "").split("/")[1], start: proposal.start, end: proposal.end, requires: codes };
}

const query = (schedule, count) => `Appointment/$find?schedule=Schedule/${schedule}&_count=${count}`;

async function page(url) {
  const bundle = await look(url);
  return { places: matches(bundle).map(place), next: nextPage(bundle) };
}

/** Of a schedule, the soonest first: a page, and the address of the next one, or null. */
export const free = (schedule) => page(query(schedule, PAGE));
export const more = page;

/** When the soonest place of each schedule is; those without one are left out.
 * @returns {Promise<Map<string, string>>} */
export async function soonest(schedules) {
  const entry = schedules.map((each) => ({ request: { method: "GET", url: query(each, 1) } }));
  const answer = entry.length ? await batch({ resourceType: "Bundle", type: "batch", entry }) : {};
  const found = (answer.entry || []).map((each) => (each.resource ? matches(each.resource)[0] : null));
  return new Map(schedules.map((each, index) => [each, (found[index] || {}).start]).filter(([, start]) => start));
}
