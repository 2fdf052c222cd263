// Who gives a Consent here: the patient, or somebody who acts for them in their own name.
import { target } from "./fhir.js";
import { patientId, read, user } from "./session.js";

/** Whether the person who is signed in is the patient whose record is open, and by which reference
 * they give a Consent: that of the patient, of their relation to the patient, or none that is known.
 * @returns {Promise<{isOwn: boolean, giver: {reference: string} | null}>} */
export async function giver() {
  const own = `Patient/${patientId()}`;
  if (user() === own) return { isOwn: true, giver: { reference: own } };
  if (!user().startsWith("Person/")) return { isOwn: false, giver: user() ? { reference: user() } : null };
  const person = await read(user());
  const links = (person.link || []).map((each) => target(each.target));
  if (links.includes(own)) return { isOwn: true, giver: { reference: own } };
  const related = await read(`RelatedPerson?patient=${patientId()}&active=true`);
  const mine = (related.entry || []).map((each) => `RelatedPerson/${each.resource.id}`).find((each) => links.includes(each));
  return { isOwn: false, giver: mine ? { reference: mine } : null };
}
