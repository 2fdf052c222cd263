// Consents that a person gives here, and what any Consent says, as rules to be told. Pure.
// https://hl7.org/fhir/R4/consent.html
import { hasCode } from "./fhir.js";

const OWN = "https://fhir-server.example/CodeSystem/";
const HL7 = "http://terminology.hl7.org/CodeSystem/";
const TYPES = "http://hl7.org/fhir/resource-types";

export const isGrant = (consent) => hasCode(consent.category, `${OWN}consent-category`, "smart-grant");
export const isProxy = (consent) => hasCode(consent.category, `${OWN}consent-category`, "proxy");
const isBeside = (consent) => hasCode(consent.policyRule, `${OWN}consent-policy`, "as-usual");

/** Subjects that the clinic labels by itself, and kinds of data; what may be hidden or shared. */
export const SUBJECTS = ["PSY", "ETH", "HIV", "STD", "SDV"];
export const KINDS = ["Observation", "DiagnosticReport", "Condition", "AllergyIntolerance", "MedicationRequest", "Immunization", "Encounter", "DocumentReference"];

const concept = (system, code) => ({ coding: [{ system, code }] });
const coded = (system, codes) => codes.map((code) => ({ system, code }));
const actors = (people) => people.map((reference) => ({ role: concept(`${HL7}v3-ParticipationType`, "IRCP"), reference }));
const classes = (kinds) => ({ class: coded(TYPES, kinds) });
const labels = (subjects) => ({ securityLabel: coded(`${HL7}v3-ActCode`, subjects) });
const NORMAL = { securityLabel: coded(`${HL7}v3-Confidentiality`, ["N"]) };
const URGENT = { type: "permit", purpose: coded(`${HL7}v3-ActReason`, ["BTG"]) };

/** @param {{what: "all" | "normal" | "kinds", kinds: string[], who: any[]}} said */
const shared = ({ what, kinds, who }) => ({ type: "permit", actor: actors(who), ...(what === "normal" ? NORMAL : {}), ...(what === "kinds" ? classes(kinds) : {}) });

/** A rule hides what meets all of its elements, so subjects and kinds have one each. */
function hidden({ subjects, kinds, from, but, urgent }) {
  const exceptions = [...(but.length ? [{ type: "permit", actor: actors(but) }] : []), ...(urgent ? [URGENT] : [])];
  const what = [...(subjects.length ? [labels(subjects)] : []), ...(kinds.length ? [classes(kinds)] : [])];
  return what.map((each) => ({
    type: "deny", ...(from.length ? { actor: actors(from) } : {}), ...each, ...(exceptions.length ? { provision: exceptions } : {}),
  }));
}

/** What every Consent of this page has; `giver` is a reference, where one is known. */
function consent({ patient, giver }, category, now) {
  return {
    resourceType: "Consent",
    status: "active",
    scope: concept(`${HL7}consentscope`, "patient-privacy"),
    category: [category],
    patient: { reference: `Patient/${patient}` },
    ...(giver ? { performer: [giver] } : {}),
    dateTime: now,
  };
}

const period = (until) => (until ? { period: { end: until } } : {});

/**
 * A Consent that shares or hides a part of the record, and leaves the rest as it is.
 * @param {any} said `hides`, what `hidden` or `shared` want, `patient` (its id), `giver`, and `until`, a day or empty
 * @param {string} now an instant
 */
export function directive(said, now) {
  return {
    ...consent(said, concept("http://loinc.org", "59284-0"), now),
    policyRule: concept(`${OWN}consent-policy`, "as-usual"),
    provision: { ...period(said.until), provision: said.hides ? hidden(said) : [shared(said)] },
  };
}

/** A Consent by which a relative acts for the patient; only the patient may give it. */
export function proxy({ patient, who, writes, until }, now) {
  const actions = ["access", ...(writes ? ["collect", "correct"] : [])];
  return {
    ...consent({ patient, giver: { reference: `Patient/${patient}` } }, concept(`${OWN}consent-category`, "proxy"), now),
    policyRule: { text: "proxy" },
    provision: { type: "permit", ...period(until), actor: actors([who]), action: actions.map((code) => concept(`${HL7}consentaction`, code)) },
  };
}

const RULES = { OPTIN: "permit", OPTINR: "permit", OPTOUT: "deny", OPTOUTE: "deny" };
const policy = (each) => ((each.policyRule || {}).coding || []).map((coding) => RULES[coding.code]).find(Boolean);

const SAID = ["type", "id", "extension", "period", "actor", "action", "securityLabel", "purpose", "class", "code", "dataPeriod", "data", "provision"];

/** One rule as it stands: what is absent is not asked. */
function rule(provision, type = provision.type || "deny") {
  const list = (name) => provision[name] || [];
  return {
    type,
    who: list("actor").map((each) => each.reference || {}),
    labels: list("securityLabel"),
    kinds: list("class"),
    codes: list("code"),
    data: list("data").map((each) => ({ meaning: each.meaning, reference: each.reference || {} })),
    dates: provision.dataPeriod,
    purposes: list("purpose"),
    actions: list("action").flatMap((each) => (each.coding || []).map((coding) => coding.code)),
    period: provision.period,
    unclear: Object.keys(provision).some((name) => !SAID.includes(name)),
    exceptions: list("provision").map((each) => rule(each)),
  };
}

/**
 * The rules of a Consent, outermost first, as the server reads them; none where it says nothing of
 * who sees what. https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
 */
export function rules(each) {
  const base = policy(each);
  const { provision } = each;
  if (!provision) return base ? [rule({}, base)] : [];
  const inner = (provision.provision || []).map((one) => rule(one));
  if (provision.type && base && base !== provision.type) return [{ ...rule({}, base), exceptions: [rule(provision)] }];
  if (provision.type) return [rule(provision)];
  return base && !inner.some((one) => one.type === "permit") ? [rule(provision, base)] : inner;
}

/** `proxy`, `share`, `hide`, or `other`: of these what they mean depends on the rest. */
export function sort(each) {
  if (isProxy(each)) return "proxy";
  const types = new Set(rules(each).map((one) => one.type));
  if (!isBeside(each) || types.size !== 1) return "other";
  return types.has("deny") ? "hide" : "share";
}

/** References without a name, to be looked up. */
export function unnamed(found) {
  return found.flatMap((each) => [
    ...each.who.filter((one) => one.reference && !one.display).map((one) => one.reference), ...unnamed(each.exceptions),
  ]);
}

/** The first moment after a date of any precision, or after an instant; days are of UTC, as the server has them. */
function after(text) {
  const [year, month, day] = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$/.exec(text)?.slice(1) || [];
  if (!year) return Date.parse(text);
  return Date.UTC(Number(year) + (month ? 0 : 1), month ? Number(month) - (day ? 1 : 0) : 0, day ? Number(day) + 1 : 1);
}

/** Whether its time is over; its status does not say so. */
export const isOver = (each, now) => {
  const { end } = (each.provision || {}).period || {};
  return Boolean(end) && after(end) <= now;
};
