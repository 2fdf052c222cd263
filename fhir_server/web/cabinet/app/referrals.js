// Which referral of the record a booking can be based on. Pure.
// https://hl7.org/fhir/R4/servicerequest.html
import { extension } from "./fhir.js";

const ORDERED = ["order", "original-order", "reflex-order", "filler-order", "instance-order"];

/** Whether it is to this speciality, where both say one. */
function isFor(request, speciality) {
  const asked = (request.performerType && request.performerType.coding) || [];
  return !asked.length || !speciality || asked.some((each) => each.system === speciality.system && each.code === speciality.code);
}

/** Whether the visit begins within the time that it is good for. */
function isGood({ start, end }, at) {
  return (!start || Date.parse(start) <= Date.parse(at)) && (!end || end.slice(0, 10) >= at.slice(0, 10));
}

/** The ones that can do, the newest first: what the patient wrote is no referral to the clinic.
 * @param {any[]} requests ServiceRequests
 * @param {any} speciality a Coding, of the doctor
 * @param {string} at when the visit begins */
export function fitting(requests, speciality, at) {
  return requests
    .filter((each) => each.status === "active" && ORDERED.includes(each.intent) && !extension(each, "person-entered"))
    .filter((each) => isFor(each, speciality) && isGood(each.occurrencePeriod || {}, at))
    .sort((a, b) => (b.authoredOn || "").localeCompare(a.authoredOn || ""));
}
