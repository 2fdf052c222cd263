// Visits: what an Appointment says of when, with whom and where, and what may be done with it.
// https://hl7.org/fhir/R4/appointment.html
import { extension, isTo, target, words } from "./fhir.js";

const actors = (visit, kind) => (visit.participant || []).filter((each) => isTo(each.actor, kind));

/** The doctor's name, or the speciality where there is none yet. */
export function doctor(visit) {
  const found = [...actors(visit, "Practitioner"), ...actors(visit, "PractitionerRole")];
  const named = found.find((each) => each.actor.display);
  return named ? named.actor.display : "";
}

export const speciality = (visit) => (visit.specialty || []).map(words).filter(Boolean).join(", ");

export function where(visit) {
  const found = [...actors(visit, "Location"), ...actors(visit, "HealthcareService")];
  const named = found.find((each) => each.actor.display);
  return named ? named.actor.display : "";
}

export const slots = (visit) => (visit.slot || []).map((each) => target(each));

/** Until when a hold lasts; empty where it is none. */
export const heldUntil = (visit) => (extension(visit, "hold-expires") || {}).valueInstant
  || (extension(visit, "hold-expires") || {}).valueDateTime || "";

const ofQueue = (visit) => extension(visit, "waitlist");

/** A place that the clinic offers to who waits: it wants an answer. */
export const isOffer = (visit) => visit.status === "proposed" && Boolean(ofQueue(visit)) && Boolean(visit.start);

const part = (visit, name) => ((ofQueue(visit) || {}).extension || []).find((each) => each.url === name) || {};

export function offerUntil(visit) {
  const found = part(visit, "offerExpires");
  return found.valueInstant || found.valueDateTime || "";
}

/** Whether who refuses this offer leaves the queue: as many as the clinic makes were made. */
export function isLastOffer(visit) {
  const limit = part(visit, "offersLimit").valueUnsignedInt || 0;
  return limit > 0 && (part(visit, "offersMade").valueUnsignedInt || 0) + 1 >= limit;
}

/** The visit that this one took the place of, as `Appointment/1`.
 * https://hl7.org/fhir/R5/appointment-definitions.html#Appointment.replaces */
export const replaced = (visit) => target((extension(visit, "extension-Appointment.replaces") || {}).valueReference);

export const isOfQueue = (visit) => Boolean(ofQueue(visit)) && !visit.start;

const OVER = ["fulfilled", "cancelled", "noshow", "entered-in-error"];

/** Visits by what the person has to know of them, each in the order of time. */
export function sorted(visits, now = Date.now()) {
  const found = { offers: [], held: [], coming: [], waiting: [], past: [] };
  for (const visit of visits) {
    if (visit.status === "entered-in-error") continue;
    const until = heldUntil(visit);
    if (isOffer(visit)) found.offers.push(visit);
    else if (visit.status === "waitlist" || visit.status === "proposed") found.waiting.push(visit);
    else if (visit.status === "pending" && until) {
      if (Date.parse(until) > now) found.held.push(visit);
    } else if (OVER.includes(visit.status) || Date.parse(visit.end) < now) found.past.push(visit);
    else found.coming.push(visit);
  }
  const byStart = (a, b) => (a.start || "").localeCompare(b.start || "") || 0;
  found.coming.sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  found.past.sort((a, b) => byStart(b, a));
  return found;
}

export const isPatientOf = (patient) => (each) => target(each.actor) === `Patient/${patient}`;
