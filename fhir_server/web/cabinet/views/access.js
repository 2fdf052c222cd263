// Who has access: apps that were let in, and an end to each; the consents on file.
import * as dates from "../app/dates.js";
import { asked, button, h, problem, say } from "../app/dom.js";
import { extension, hasCode, matches, words } from "../app/fhir.js";
import { t } from "../app/language.js";
import { granted } from "../app/scopes.js";
import { Offline, Refusal, patch, patientId, read, title } from "../app/session.js";

const GRANT = ["https://fhir-server.example/CodeSystem/consent-category", "smart-grant"];
const MOST = 3; // sign-ins that are shown at once
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

/** The button that ends a grant; what goes wrong is said on the card. */
function ending(consent, card, name, text, label) {
  return button(text, { class: "danger", "aria-label": label }, async () => {
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
  });
}

const since = (consent) => t("SINCE", { when: dates.moment(consent.dateTime) });

function app(consent) {
  const { name } = appOf(consent);
  const card = h("li", { class: "card" }, h("h3", {}, name), h("ul", { class: "plain" }, may(consent)), h("p", { class: "hint" }, since(consent)));
  card.append(ending(consent, card, name, t("END_ACCESS"), t("END_ACCESS_OF", { name })));
  return card;
}

/** This page, by each of its sign-ins: here and on other devices. */
function entrances(consents) {
  const card = h("section", { class: "card" }, h("p", { class: "hint" }, t("THIS_PAGE")));
  const row = (consent) => h("li", { class: "row" }, h("span", {}, since(consent)),
    ending(consent, card, `${title()}, ${since(consent)}`, t("SIGN_OUT"), `${t("SIGN_OUT")}: ${since(consent)}`));
  card.append(h("ul", { class: "rows" }, consents.slice(0, MOST).map(row)));
  if (consents.length > MOST) card.append(h("details", {}, h("summary", {}, t("MORE_ROWS")), h("ul", { class: "rows" }, consents.slice(MOST).map(row))));
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
  const live = found.filter((each) => isGrant(each) && each.status === "active" && isLive(each));
  const [own, apps] = [true, false].map((wanted) => live.filter((each) => (appOf(each).id === OWN) === wanted));
  const others = found.filter((each) => !isGrant(each));
  return {
    title: t("ACCESS"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/more" }, `← ${t("MORE")}`)),
      h("h1", { tabindex: "-1" }, t("ACCESS")),
      h("p", {}, h("a", { class: "button second", href: "#/journal" }, t("JOURNAL"))),
      h("section", {}, h("h2", {}, t("APPS")), apps.length ? h("ul", { class: "choices" }, apps.map(app)) : h("p", { class: "card" }, t("NO_APPS"))),
      own.length > 0 && h("section", {}, h("h2", {}, t("OWN_ENTRANCES")), entrances(own)),
      h("section", {}, h("h2", {}, t("CONSENTS")), others.length ? h("ul", { class: "choices" }, others.map(consent)) : h("p", { class: "card" }, t("NOTHING_HERE"))),
    ].filter(Boolean),
  };
}
