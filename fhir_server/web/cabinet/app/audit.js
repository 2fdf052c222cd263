// The access log in plain terms: who, by which app, did what, when. Pure.
// https://hl7.org/fhir/R4/auditevent.html
import { isTo, matches, target } from "./fhir.js";

const ACTIONS = { C: "DID_CREATE", R: "DID_READ", U: "DID_CHANGE", D: "DID_DELETE", E: "DID_READ" };
/** Events that are no reading or writing, by their subtype. */
const BESIDE = {
  110122: "DID_SIGN_IN", 110123: "DID_SIGN_OUT", "ITI-71": "DID_OPEN", refresh: "DID_OPEN", refused: "DID_TRY",
  "AuthZ-Consent": "DID_GRANT", revoke: "DID_REVOKE", register: "DID_GRANT", 110137: "DID_ACCOUNT",
  110127: "EMERGENCY", 110138: "EMERGENCY_OVER",
};

/** A Consent that decided is named as this; one that was looked at is a system object. */
const DECIDED = "http://hl7.org/fhir/resource-types";

/** What the event was about: types of resources, without the patient's own who it is of. */
function kinds(event) {
  const entities = (event.entity || []).filter((each) => (each.type || {}).system !== DECIDED);
  const searched = entities.map((each) => /^([A-Z]\w+)(\/|\?|$)/.exec(each.description || "")).filter(Boolean).map((each) => each[1]);
  const named = entities.map((each) => target(each.what).split("/")[0]).filter(Boolean);
  const found = [...new Set([...searched, ...named])];
  const others = found.filter((each) => each !== "Patient" && each !== "AuditEvent");
  return others.length ? others : found.slice(0, 1);
}

/** By what an actor is told from others. */
const nameless = ({ who = {}, name }) => target(who) || (who.identifier || {}).value || name || who.display || "";

/**
 * What an app does in the person's name is not what they do here: it has an actor of its own.
 * @param {any} event an AuditEvent
 * @param {string[]} own who is signed in, as `Person/1`, and as the patient
 * @param {string} page this page as an app, as `Device/page`
 */
export function told(event, own, page) {
  const agents = event.agent || [];
  const person = agents.find((each) => each.requestor) || agents[0] || {};
  const app = agents.find((each) => isTo(each.who, "Device") && each !== person);
  const isMe = own.includes(target(person.who));
  const by = app && target(app.who);
  const isHere = isMe && (!by || by === page);
  const beside = (event.subtype || []).map((each) => BESIDE[each.code]).find(Boolean);
  return {
    id: event.id,
    at: event.recorded,
    actor: isMe ? ["me", !isHere && by].filter(Boolean).join() : nameless(person),
    who: person.name || (person.who && person.who.display) || "",
    isMe,
    isHere,
    app: (app && app.who && app.who.display) || "",
    action: event.outcome && event.outcome !== "0" ? "DID_TRY" : beside || ACTIONS[event.action] || "DID_READ",
    kinds: beside ? [] : kinds(event),
    emergency: agents.some((each) => (each.purposeOfUse || []).some((purpose) => (purpose.coding || []).some((coding) => coding.code === "BTG"))),
  };
}

/**
 * Rows of one actor on one day, as one group, in the order of the rows; what was done in an emergency
 * is apart. Every row is in one group.
 * @param {ReturnType<typeof told>[]} rows newest first
 * @param {(at: string) => string} dayOf
 */
export function grouped(rows, dayOf) {
  const found = new Map();
  for (const row of rows) {
    const day = dayOf(row.at);
    const key = [day, row.actor, row.emergency].join("|");
    if (!found.has(key)) found.set(key, { day, first: row, rows: [] });
    found.get(key).rows.push(row);
  }
  return [...found.values()];
}

/** What the rows of a group are, by what was done: action, kinds of data, how often. */
export function summed(rows) {
  const found = new Map();
  for (const { action, kinds: about } of rows) {
    const one = found.get(action) || { action, kinds: [], count: 0 };
    found.set(action, { action, kinds: [...new Set([...one.kinds, ...about])], count: one.count + 1 });
  }
  return [...found.values()];
}

/** How far back the log was read with this page of it, newest first: an older emergency that is
 * shown besides does not count. */
export const reached = (bundle, before) => (matches(bundle).at(-1) || {}).recorded || before;
