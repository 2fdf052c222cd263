// The access log in plain terms: who, by which app, did what, when. Pure.
// https://hl7.org/fhir/R4/auditevent.html
import { isTo, target } from "./fhir.js";

const ACTIONS = { C: "DID_CREATE", R: "DID_READ", U: "DID_CHANGE", D: "DID_DELETE", E: "DID_READ" };
/** Events that are no reading or writing, by their subtype. */
const BESIDE = {
  110122: "DID_SIGN_IN", 110123: "DID_SIGN_OUT", "ITI-71": "DID_OPEN", refresh: "DID_OPEN", refused: "DID_TRY",
  "AuthZ-Consent": "DID_GRANT", revoke: "DID_REVOKE", register: "DID_GRANT", 110137: "DID_ACCOUNT",
  110127: "EMERGENCY", 110138: "EMERGENCY_OVER",
};
const MOMENTS = 30 * 60_000;

/** What the event was about: types of resources, without the patient's own who it is of. */
function kinds(event) {
  const searched = (event.entity || []).map((each) => /^([A-Z]\w+)(\/|\?|$)/.exec(each.description || "")).filter(Boolean).map((each) => each[1]);
  const named = (event.entity || []).map((each) => target(each.what).split("/")[0]).filter(Boolean);
  const found = [...new Set([...searched, ...named])];
  const others = found.filter((each) => each !== "Patient" && each !== "AuditEvent");
  return others.length ? others : found.slice(0, 1);
}

/**
 * @param {any} event an AuditEvent
 * @param {string} own who is signed in, as `Person/1`
 */
export function told(event, own) {
  const agents = event.agent || [];
  const person = agents.find((each) => each.requestor) || agents[0] || {};
  const app = agents.find((each) => isTo(each.who, "Device") && each !== person);
  const beside = (event.subtype || []).map((each) => BESIDE[each.code]).find(Boolean);
  return {
    id: event.id,
    at: event.recorded,
    who: person.name || (person.who && person.who.display) || "",
    isMe: Boolean(own) && target(person.who) === own,
    app: (app && app.who && app.who.display) || "",
    action: event.outcome && event.outcome !== "0" ? "DID_TRY" : beside || ACTIONS[event.action] || "DID_READ",
    kinds: beside ? [] : kinds(event),
    emergency: agents.some((each) => (each.purposeOfUse || []).some((purpose) => (purpose.coding || []).some((coding) => coding.code === "BTG"))),
  };
}

/** Events of one person in one app that follow each other closely, as one. Newest first. */
export function grouped(events) {
  const found = [];
  for (const each of events) {
    const last = found[found.length - 1];
    const same = last && last.who === each.who && last.app === each.app && last.action === each.action
      && last.emergency === each.emergency && Date.parse(last.from) - Date.parse(each.at) < MOMENTS;
    if (same) {
      last.from = each.at;
      last.count += 1;
      last.kinds = [...new Set([...last.kinds, ...each.kinds])];
    } else found.push({ ...each, from: each.at, count: 1 });
  }
  return found;
}
