// Consents that a person gives here, and what any Consent says, as rules to be told. Pure.
// https://hl7.org/fhir/R4/consent.html
import { hasCode, target } from "./fhir.js";

const OWN = "https://fhir-server.example/CodeSystem/";
const HL7 = "http://terminology.hl7.org/CodeSystem/";
const TYPES = "http://hl7.org/fhir/resource-types";

export const isGrant = (consent) => hasCode(consent.category, `${OWN}consent-category`, "smart-grant");
export const isProxy = (consent) => hasCode(consent.category, `${OWN}consent-category`, "proxy");

/** Subjects that the clinic labels by itself, and kinds of data; what may be hidden or shared. */
export const SUBJECTS = ["PSY", "ETH", "HIV", "STD", "SDV"];
export const KINDS = ["Observation", "DiagnosticReport", "Condition", "AllergyIntolerance", "MedicationRequest", "Immunization", "Encounter", "DocumentReference"];

const concept = (system, code) => ({ coding: [{ system, code }] });
const coded = (system, codes) => codes.map((code) => ({ system, code }));
const actors = (people) => people.map((reference) => ({ role: concept(`${HL7}v3-ParticipationType`, "IRCP"), reference }));
const classes = (kinds) => ({ class: coded(TYPES, kinds) });
const labels = (subjects) => ({ securityLabel: coded(`${HL7}v3-ActCode`, subjects) });
const NORMAL = { securityLabel: coded(`${HL7}v3-Confidentiality`, ["N"]) };
const action = (codes) => ({ action: codes.map((code) => concept(`${HL7}consentaction`, code)) });
/** Reading, changing and removing; what nobody may see can still be recorded, or care would stop. */
const HIDDEN = action(["access", "correct"]);
const URGENT = { type: "permit", purpose: coded(`${HL7}v3-ActReason`, ["BTG"]) };

/** @param {{what: "all" | "normal" | "kinds", kinds: string[], who: any[]}} said */
const shared = ({ what, kinds, who }) => ({ type: "permit", actor: actors(who), ...(what === "normal" ? NORMAL : {}), ...(what === "kinds" ? classes(kinds) : {}) });

/** A rule hides what meets all of its elements, so subjects and kinds have one each. */
function hidden({ subjects, kinds, from, but, urgent }) {
  const exceptions = [...(but.length ? [{ type: "permit", actor: actors(but) }] : []), ...(urgent ? [URGENT] : [])];
  const what = [...(subjects.length ? [labels(subjects)] : []), ...(kinds.length ? [classes(kinds)] : [])];
  return what.map((each) => ({
    type: "deny", ...(from.length ? { actor: actors(from) } : {}), ...HIDDEN, ...each, ...(exceptions.length ? { provision: exceptions } : {}),
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

const two = (number) => String(Math.trunc(number)).padStart(2, "0");

/** The last second of a day where the person is: the server would take a day for one of UTC. */
function lastOf(day) {
  const [year, month, date] = day.split("-").map(Number);
  const east = -new Date(year, month - 1, date, 23, 59, 59).getTimezoneOffset();
  return `${day}T23:59:59${east < 0 ? "-" : "+"}${two(Math.abs(east) / 60)}:${two(Math.abs(east) % 60)}`;
}

const period = (until) => (until ? { period: { end: lastOf(until) } } : {});

/** What hides HIV tells of it: from whom it hides that, it is hidden itself, withdrawn too. */
const secret = (subjects) => ({ meta: { security: [...labels(subjects).securityLabel, ...coded(`${HL7}v3-Confidentiality`, ["R"])] } });

/**
 * A Consent that shares or hides a part of the record, and leaves the rest as it is.
 * @param {any} said `hides`, what `hidden` or `shared` want, `patient` (its id), `giver`, and `until`, a day or empty
 * @param {string} now an instant
 */
export function directive(said, now) {
  return {
    ...consent(said, concept("http://loinc.org", "59284-0"), now),
    ...(said.hides && said.subjects.length ? secret(said.subjects) : {}),
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
    provision: { type: "permit", ...period(until), actor: actors([who]), ...action(actions) },
  };
}

const RULES = { OPTIN: "permit", OPTINR: "permit", OPTOUT: "deny", OPTOUTE: "deny" };
const URIS = { "http://hl7.org/fhir/ConsentPolicy/opt-in": "permit", "http://hl7.org/fhir/ConsentPolicy/opt-out": "deny" };

const isUsable = (coding) => Boolean(coding && coding.system && coding.code);
const usable = (codeable) => ((codeable || {}).coding || []).filter(isUsable);
const ruled = (each) => usable(each.policyRule).filter(({ system }) => system === `${HL7}v3-ActCode`).map(({ code }) => RULES[code]).filter(Boolean);
const isBeside = (each) => hasCode(each.policyRule, `${OWN}consent-policy`, "as-usual") && !ruled(each).length;
const policies = (each) => (each.policy || []).map(({ uri }) => uri).filter(Boolean);

/** What the policy decides; deny before permit. */
function policy(each) {
  const found = ruled(each).length || isBeside(each) ? ruled(each) : policies(each).map((uri) => URIS[uri]).filter(Boolean);
  return found.includes("deny") ? "deny" : found[0];
}

const SAID = ["type", "id", "extension", "period", "actor", "action", "securityLabel", "purpose", "class", "code", "dataPeriod", "data", "provision"];
const ACTIONS = ["collect", "access", "use", "disclose", "correct"];
const MEANINGS = ["instance", "related", "dependents", "authoredby"];
const RECIPIENTS = ["IRCP", "NOT", "PRCP", "REFB", "REFT", "TRC"];

const isStrange = (provision) => Object.keys(provision).some((name) => !SAID.includes(name));
const isReferred = (each) => Boolean(each.reference && each.reference.reference);

function isRecipient(actor) {
  const roles = usable(actor.role);
  return isReferred(actor) && (!roles.length || roles.some(({ system, code }) => system === `${HL7}v3-ParticipationType` && RECIPIENTS.includes(code)));
}

const isAction = (each) => usable(each).some(({ system, code }) => system === `${HL7}consentaction` && ACTIONS.includes(code));

/** Whether something in a rule is not understood by the server: it then permits nothing, and denies all that it might. */
function isUnread(provision) {
  const every = (name, holds) => (provision[name] || []).every(holds);
  return isStrange(provision) || !(every("actor", isRecipient) && every("action", isAction) && every("code", (each) => usable(each).length > 0)
    && ["securityLabel", "purpose", "class"].every((name) => every(name, isUsable))
    && every("data", (each) => isReferred(each) && MEANINGS.includes(each.meaning)));
}

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
    unclear: isUnread(provision),
    exceptions: list("provision").map((each) => rule(each)),
  };
}

/** Whether it says who sees what, to a server: of another scope it is an agreement among people. */
const isDirective = (each) => hasCode(each.scope, `${HL7}consentscope`, "patient-privacy");

/**
 * The rules of a Consent, outermost first, as the server reads them; none where it says nothing of
 * who sees what. https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
 */
export function rules(each) {
  if (!isDirective(each)) return [];
  const base = policy(each);
  const { provision } = each;
  if (!provision) return base ? [rule({}, base)] : [];
  const inner = (provision.provision || []).map((one) => rule(one));
  if (provision.type && base && base !== provision.type) return [{ ...rule({}, base), exceptions: [rule(provision)] }];
  if (provision.type) return [rule(provision)];
  const isListed = base === "permit" && inner.some((one) => one.type === "permit");
  return base && !isListed ? [rule(provision, base)] : inner;
}

/** Whether there is something around its rules that the server does not understand. */
export const isUnclear = ({ modifierExtension, provision = {} }) => Boolean(modifierExtension) || (!provision.type && isStrange(provision));

/** Whether what no Consent opens is closed by it. */
export const isClosing = (each) => !isProxy(each) && !isBeside(each) && rules(each).length > 0 && !(each.provision || {}).purpose;

/** `proxy`, `share`, `hide`, or `other`: of these what they mean depends on the rest. */
export function sort(each) {
  if (isProxy(each)) return "proxy";
  const types = new Set(rules(each).map((one) => one.type));
  if (!isBeside(each) || types.size !== 1) return "other";
  return types.has("deny") ? "hide" : "share";
}

/** Whom rules name, at any depth: references. */
export const referred = (found) => found.flatMap((each) => [...each.who, ...referred(each.exceptions)]);

/** `Practitioner/1` of a reference to somebody at this server; empty of others, who are nobody here.
 * @param {{reference?: string}} reference
 * @param {string} base URL of this server */
export function here({ reference = "" }, base) {
  const path = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  return /^[A-Z][A-Za-z]+\/[\w.-]+($|\/_history\/)/.test(path) ? target({ reference: path }) : "";
}

const partial = (text) => /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$/.exec(text)?.slice(1) || [];

/** The first moment of a date of any precision, or an instant; days are of UTC, as the server has them. */
function start(text) {
  const [year, month, day] = partial(text);
  return year ? Date.UTC(Number(year), month ? Number(month) - 1 : 0, day ? Number(day) : 1) : Date.parse(text);
}

/** The first moment after it. */
function after(text) {
  const [year, month, day] = partial(text);
  if (!year) return Date.parse(text) + (/:\d\d\.\d/.test(text) ? 1 : 1000);
  return Date.UTC(Number(year) + (month ? 0 : 1), month ? Number(month) - (day ? 1 : 0) : 0, day ? Number(day) + 1 : 1);
}

/** Whether its time is over; its status does not say so. */
export const isOver = (each, now) => {
  const { end } = (each.provision || {}).period || {};
  return Boolean(end) && after(end) <= now;
};

/** Whether its time has not come; its status does not say so. */
export const isToCome = (each, now) => {
  const { start: begin } = (each.provision || {}).period || {};
  return Boolean(begin) && start(begin) > now;
};

const written = (each) => each.dateTime || (each.meta || {}).lastUpdated || "";

/** Whether later ones among `all` take its place: for each policy that it names. */
export function isReplaced(each, all, now) {
  const isLater = (other) => other.status === "active" && isDirective(other) && !isGrant(other) && !isProxy(other)
    && !isOver(other, now) && !isToCome(other, now) && start(written(other)) >= after(written(each));
  const newer = all.filter((other) => other !== each && isLater(other)).flatMap(policies);
  return !isProxy(each) && policies(each).length > 0 && policies(each).every((uri) => newer.includes(uri));
}
