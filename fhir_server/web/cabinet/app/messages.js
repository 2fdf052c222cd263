// Messages: whose they are, whether they were read, and what is sent to write one or to say
// that one was read. Pure.
// https://hl7.org/fhir/R4/communication.html
import { isTo, target } from "./fhir.js";

const OWN = ["Patient", "Person", "RelatedPerson"];
const TO = ["Practitioner", "PractitionerRole", "Organization"];

export const isMine = (message) => OWN.some((kind) => isTo(message.sender, kind));

/** What is on its way is not read either. */
export const SENT = ["completed", "in-progress"];

export const isUnread = (message) => !isMine(message) && !message.received && SENT.includes(message.status);

/** Whether one can write to who this is. */
export const isReached = (reference) => TO.some((kind) => isTo(reference, kind));

/**
 * @param {{patient: string, to: any, text: string, topic?: any, answered?: string}} said
 *   `to` is a reference, `topic` a CodeableConcept, `answered` the id of a message
 * @param {string} now an instant
 */
export function letter({ patient, to, text, topic, answered }, now) {
  return {
    resourceType: "Communication",
    status: "completed",
    subject: { reference: `Patient/${patient}` },
    sender: { reference: `Patient/${patient}` },
    recipient: [to],
    sent: now,
    ...(topic ? { topic } : {}),
    ...(answered ? { inResponseTo: [{ reference: `Communication/${answered}` }] } : {}),
    payload: [{ contentString: text }],
  };
}

/** One batch that says of every message that it was received. */
export function receipts(messages, now) {
  const patch = [{ op: "add", path: "/received", value: now }];
  const resource = { resourceType: "Binary", contentType: "application/json-patch+json", data: btoa(JSON.stringify(patch)) };
  return {
    resourceType: "Bundle",
    type: "batch",
    entry: messages.map((each) => ({ resource, request: { method: "PATCH", url: `Communication/${each.id}` } })),
  };
}

const actors = (visit) => (visit.participant || []).map((each) => each.actor);

/**
 * Whom a patient can write to: who looks after them, wrote to them or saw them; each once.
 * @param {{patient: any, teams: any[], visits: any[], messages: any[]}} record
 * @returns {{reference: string, display: string}[]} without a display where none is known
 */
export function correspondents({ patient, teams, visits, messages }) {
  const named = [
    ...(patient.generalPractitioner || []),
    ...teams.flatMap((each) => each.participant || []).map((each) => each.member),
    ...messages.map((each) => each.sender),
    ...visits.flatMap(actors),
  ].filter((each) => each && isReached(each));
  const found = new Map();
  for (const each of named) {
    const reference = target(each);
    if (!(found.get(reference) || {}).display) found.set(reference, { reference, display: each.display || "" });
  }
  return [...found.values()];
}
