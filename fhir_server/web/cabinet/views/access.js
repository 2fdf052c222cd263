// Who has access: apps that were let in, and an end to each; the consents on file.
import * as dates from "../app/dates.js";
import { asked, button, h, problem, say } from "../app/dom.js";
import { extension, hasCode, matches, words } from "../app/fhir.js";
import { t } from "../app/language.js";
import { granted } from "../app/scopes.js";
import { Offline, Refusal, patch, patientId, read, title } from "../app/session.js";

const GRANT = ["https://fhir-server.example/CodeSystem/consent-category", "smart-grant"];
const OWN = document.documentElement.dataset.client;

/** A grant may have an end of its own, as that of this page has. */
const isLive = (consent) => !(Date.parse(((consent.provision || {}).period || {}).end) < Date.now());
const isGrant = (consent) => hasCode(consent.category, GRANT[0], GRANT[1]);

/** The actor of an app's grant: its id as a client, and its name. */
function appOf(consent) {
  const actors = (consent.provision.provision || [consent.provision]).flatMap((each) => each.actor || []);
  const { reference } = actors[0] || { reference: {} };
  const id = (reference.identifier && reference.identifier.value) || (reference.reference || "").split("/").pop();
  return { id, name: reference.display || id };
}

function may(consent) {
  const scopes = extension(consent, "granted-scopes");
  return granted((scopes && scopes.valueString) || "").map((each) => {
    const said = [each.reads && t("SEE"), each.writes && t("CHANGE")].filter(Boolean).join(", ");
    return h("li", {}, `${each.text ? t(each.text) : each.kind}${each.part ? ` (${t("PARTLY")})` : ""}: ${said}`);
  });
}

function app(consent) {
  const { id, name } = appOf(consent);
  const card = h("li", { class: "card" },
    h("h3", {}, id === OWN ? title() : name),
    h("ul", { class: "plain" }, may(consent)),
    h("p", { class: "hint" }, t("SINCE", { when: dates.moment(consent.dateTime) })));
  if (id === OWN) card.append(h("p", { class: "hint" }, t("THIS_PAGE")));
  card.append(button(t("END_ACCESS"), { class: "danger", "aria-label": t("END_ACCESS_OF", { name }) }, async () => {
    card.querySelector(".problem")?.remove();
    if (!(await asked(t("SURE_END", { name }), t("END_ACCESS"), t("KEEP_IT")))) return;
    try {
      await patch(`Consent/${consent.id}`, [{ op: "replace", path: "/status", value: "inactive" }]);
      say(t("ENDED", { name }));
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Offline)) throw error;
      const shown = problem(error instanceof Offline ? t("OFFLINE_ACT") : error.message);
      card.append(shown);
      shown.focus();
    }
  }));
  return card;
}

const STATES = { active: "CONSENT_ACTIVE", inactive: "CONSENT_INACTIVE", rejected: "CONSENT_INACTIVE", proposed: "CONSENT_DRAFT", draft: "CONSENT_DRAFT" };

function consent(each) {
  const period = (each.provision || {}).period || {};
  return h("li", { class: "card" },
    h("div", { class: "row" }, h("h3", { class: "name" }, (each.category || []).map(words)[0] || words(each.scope)), h("span", { class: "badge" }, t(STATES[each.status] || "CONSENT_DRAFT"))),
    each.organization && h("p", {}, each.organization.map((one) => one.display).filter(Boolean).join(", ")),
    h("p", { class: "hint" }, [each.dateTime && t("GIVEN", { when: dates.day(each.dateTime) }), period.end && t("UNTIL", { when: dates.day(period.end) })].filter(Boolean).join(" · ")));
}

export async function show() {
  const bundle = await read(`Consent?patient=${patientId()}&_sort=-date&_count=200`);
  const found = matches(bundle).filter((each) => each.status !== "entered-in-error");
  const apps = found.filter((each) => isGrant(each) && each.status === "active" && isLive(each));
  const others = found.filter((each) => !isGrant(each));
  return {
    title: t("ACCESS"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/more" }, `← ${t("MORE")}`)),
      h("h1", { tabindex: "-1" }, t("ACCESS")),
      h("p", {}, h("a", { class: "button second", href: "#/journal" }, t("JOURNAL"))),
      h("section", {}, h("h2", {}, t("APPS")), apps.length ? h("ul", { class: "choices" }, apps.map(app)) : h("p", { class: "card" }, t("NO_APPS"))),
      h("section", {}, h("h2", {}, t("CONSENTS")), others.length ? h("ul", { class: "choices" }, others.map(consent)) : h("p", { class: "card" }, t("NOTHING_HERE"))),
    ],
  };
}
