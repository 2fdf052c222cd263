// The person's sign-in, by fhirclient; and every request of the page.
// fhirclient keeps the tokens in sessionStorage: they are this tab's, and go with it.
// https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
import { answer, within } from "./addresses.js";
import { inWords } from "./dates.js";
import * as kept from "./kept.js";
import { language, t } from "./language.js";

const place = document.documentElement.dataset;
const HOME = new URL("/cabinet/", location.href).href;
/** Where the view is kept that a sign-in comes back to. */
const VIEW = "cabinet.view";
const FHIR_JSON = "application/fhir+json";

/** @type {any} of fhirclient, while somebody is signed in */
let client = null;
/** `in`; `kept`: no network, but something to read; `out`. */
let state = "out";
let patient = "";
const listeners = { over: (_why, _level) => {}, stale: (_at) => {} };

/** A refusal, with a sentence for the person and the code of the server. */
export class Refusal extends Error {
  constructor(status, text, code = "") {
    super(text);
    this.status = status;
    this.code = code;
  }
}

/** There is no network, and nothing of this was kept. */
export class Offline extends Error {}

export const isIn = () => state === "in";
export const isOffline = () => state === "kept";
export const patientId = () => patient;
export const clinicZone = () => place.zone;
export const idleSeconds = () => Number(place.idle);
export const title = () => place[`title${language()[0].toUpperCase()}${language().slice(1)}`];
/** @returns {string} who is signed in, as `Patient/1` or `Person/1` */
export const user = () => (client && client.user.fhirUser ? client.user.fhirUser.split("/").slice(-2).join("/") : "");

/** `over` is called when the sign-in has ended, with why and the level of the one that is needed; `stale` with the time of what is shown of old. */
export function listen(given) { Object.assign(listeners, given); }

const comesBack = () => /[?&](code|error)=/.test(location.search);

const address = (search, view = location.hash) => history.replaceState(null, "", HOME + search + view);

/** Take up the sign-in of this tab, or what the authorization server just answered.
 * @returns {Promise<string>} why there is none, in words; empty where there is nothing to say */
export async function begin() {
  const answered = comesBack();
  address(answer(location.search), answered ? sessionStorage.getItem(VIEW) || "" : location.hash);
  sessionStorage.removeItem(VIEW);
  if (answered || sessionStorage.getItem("SMART_KEY")) {
    try {
      client = await FHIR.oauth2.ready();
      patient = client.patient.id;
      state = "in";
      await kept.belongTo(patient, user());
      address("");
      return "";
    } catch (error) {
      sessionStorage.clear();
      address("");
      if (answered) return t(/access_denied/.test(String(error)) ? "SIGN_IN_REFUSED" : "SIGN_IN_FAILED");
    }
  }
  if (!navigator.onLine) {
    patient = await kept.lastOwner();
    if (patient) state = "kept";
  }
  return "";
}

/** To the sign-in page, and back to where the person was, or to `view`; `level`: of the sign-in
 * that is needed, as its `acr`. */
export async function signIn(level = "", view = location.hash) {
  sessionStorage.clear();
  sessionStorage.setItem(VIEW, view);
  const asked = await FHIR.oauth2.authorize({
    iss: place.base, clientId: place.client, scope: place.scopes, redirectUri: HOME, noRedirect: true,
  });
  const address = new URL(asked);
  if (level) address.searchParams.set("acr_values", level);
  location.assign(address);
}

/** Forget the person here; what is on the device on purpose stays, unless `all` goes. */
export async function leave({ all = false } = {}) {
  client = null;
  state = "out";
  patient = "";
  sessionStorage.clear();
  if (all || !kept.isKept()) await kept.forget();
  else kept.lapse();
}

/** End the sign-in, here and at the server. */
export async function signOut() {
  const hint = client && client.getState("tokenResponse.id_token");
  await leave({ all: true });
  const asked = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: HOME });
  location.assign(hint ? `/auth/end-session?${asked}` : HOME);
}

/** Tell the server that somebody is here, so that the sign-in goes on. */
export async function stayAlive() {
  if (state !== "in") return;
  const answer = await fetch("/auth/session", { cache: "no-store" }).catch(() => null);
  if (answer && answer.status === 401) await over();
}

async function over(why = t("SIGNED_OUT"), level = "") {
  await leave();
  listeners.over(why, level);
}

/** The level of the sign-in that was asked for, where the one of now is not enough: fhirclient has
 * forgotten that one by then. https://www.rfc-editor.org/rfc/rfc9470 */
function stronger(error) {
  const challenge = error.response?.headers?.get("WWW-Authenticate") || "";
  if (!challenge.includes("insufficient_user_authentication")) return "";
  return (/acr_values="?(\w+)/.exec(challenge) || ["", ""])[1];
}

function refusal(error) {
  const start = error.message.indexOf("\n\n");
  let issue = {};
  try {
    issue = JSON.parse(error.message.slice(start + 2)).issue[0];
  } catch {
    // Not an OperationOutcome: the status says it.
  }
  const details = issue.details || {};
  const code = ((details.coding || [])[0] || {}).code || issue.code || "";
  // A scope that is missing: the person took it away, and its name says nothing to people.
  if (error.status === 403 && !details.coding) return new Refusal(403, t("NOT_LET"), code);
  const fallback = error.status === 404 || error.status === 410 ? "GONE" : "FAILED";
  return new Refusal(error.status, inWords(details.text || issue.diagnostics || t(fallback)), code);
}

async function requested(url, options = {}) {
  if (state !== "in") throw new Offline();
  const absolute = within(place.base, url);
  if (!absolute) throw new Refusal(400, t("GONE"));
  const headers = { Accept: FHIR_JSON, "Accept-Language": language(), ...options.headers };
  try {
    return await client.request({ ...options, url: absolute, headers });
  } catch (error) {
    if (error.status === 401 || /re-?launch|invalid_grant|Session expired/i.test(error.message)) {
      const level = stronger(error);
      const why = t(level ? "STRONGER" : "SIGNED_OUT");
      await over(why, level);
      throw new Refusal(401, why);
    }
    if (error.status) throw refusal(error);
    if (error instanceof TypeError) throw new Offline();
    throw error;
  }
}

/** Read; without a network what was last seen of it. */
export async function read(path) {
  try {
    const data = await requested(path);
    await kept.put(path, data);
    return data;
  } catch (error) {
    if (!(error instanceof Offline)) throw error;
    const seen = await kept.get(path);
    if (!seen) throw error;
    listeners.stale(seen.at);
    return seen.data;
  }
}

/** Read what is never kept: free places, files. */
export const look = (path) => requested(path);

/** The bytes of a Binary or another file of the record; fhirclient reads texts and JSON itself.
 * @returns {Promise<Blob>} */
export async function file(path) {
  const { body, response } = await requested(path, { headers: { Accept: "*/*" }, includeResponse: true });
  if (body === undefined) return response.blob();
  return new Blob([typeof body === "string" ? body : JSON.stringify(body)]);
}

const sending = (method, url, resource, type, headers = {}) => requested(url, {
  method, body: JSON.stringify(resource), headers: { "Content-Type": type, ...headers },
});

export const create = (resource) => sending("POST", resource.resourceType, resource, FHIR_JSON);

/** Several requests at once; each has an answer of its own. */
export const batch = (bundle) => sending("POST", "", bundle, FHIR_JSON);

/** With a `version` only that one is changed, and none that came meanwhile. */
export const patch = (target, changes, version = "") => sending("PATCH", target, changes, "application/json-patch+json",
  version ? { "If-Match": `W/"${version}"` } : {});

/** An operation; `given` is name to `[type, value]`. With a `key` it is carried out once, however
 * often it is sent because an answer was lost. */
export function operate(path, given = {}, key = "") {
  const parameter = Object.entries(given).filter(([, value]) => value)
    .map(([name, [type, value]]) => ({ name, [type === "Resource" ? "resource" : `value${type}`]: value }));
  // FHIR has no empty lists.
  return sending("POST", path, { resourceType: "Parameters", ...(parameter.length ? { parameter } : {}) }, FHIR_JSON, key ? { "Idempotency-Key": key } : {});
}

let operations = null;

/** Whether the server offers an operation of a type: it says so in `/metadata`. */
export async function offers(type, operation) {
  if (!operations) {
    operations = look("metadata?_summary=true").then((statement) => new Set(statement.rest[0].resource.flatMap(
      (each) => (each.operation || []).map((one) => `${each.type}/$${one.name}`),
    )));
    operations.catch(() => { operations = null; });
  }
  return (await operations).has(`${type}/$${operation}`);
}
