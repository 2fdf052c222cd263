// Apps that were let in, this page among them, and an end to each.
import * as dates from "../app/dates.js";
import { asked, button, h, problem, say } from "../app/dom.js";
import { extension } from "../app/fhir.js";
import { isGrant, isOver } from "../app/directives.js";
import { t } from "../app/language.js";
import { granted } from "../app/scopes.js";
import { Offline, Refusal, patch, title } from "../app/session.js";

const MOST = 3; // sign-ins that are shown at once
const OWN = document.documentElement.dataset.client;

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

/** A button that takes a Consent back: `question` is asked first, with what follows from it; what
 * goes wrong is said on the card. */
export function ending(consent, card, { text, label, question, follows = [], done, yes }) {
  return button(text, { class: "danger", "aria-label": label }, async () => {
    card.querySelector(".problem")?.remove();
    if (!(await asked(question, yes, t("KEEP_IT"), ...follows))) return;
    try {
      await patch(`Consent/${consent.id}`, [{ op: "replace", path: "/status", value: "inactive" }]);
      say(done);
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Offline)) throw error;
      const shown = problem(error instanceof Offline ? t("OFFLINE_ACT") : error.message);
      card.append(shown);
      shown.focus();
    }
  });
}

const endingApp = (consent, card, name, text, label) => ending(consent, card, {
  text, label, question: t("SURE_END", { name }), done: t("ENDED", { name }), yes: t("END_ACCESS"),
});

const since = (consent) => t("SINCE", { when: dates.moment(consent.dateTime) });

function app(consent) {
  const { name } = appOf(consent);
  const card = h("li", { class: "card" }, h("h3", {}, name), h("ul", { class: "plain" }, may(consent)), h("p", { class: "hint" }, since(consent)));
  card.append(endingApp(consent, card, name, t("END_ACCESS"), t("END_ACCESS_OF", { name })));
  return card;
}

/** This page, by each of its sign-ins: here and on other devices. */
function entrances(consents) {
  const card = h("section", { class: "card" }, h("p", { class: "hint" }, t("THIS_PAGE")));
  const row = (consent) => h("li", { class: "row" }, h("span", {}, since(consent)),
    endingApp(consent, card, `${title()}, ${since(consent)}`, t("SIGN_OUT"), `${t("SIGN_OUT")}: ${since(consent)}`));
  card.append(h("ul", { class: "rows" }, consents.slice(0, MOST).map(row)));
  if (consents.length > MOST) card.append(h("details", {}, h("summary", {}, t("MORE_ROWS")), h("ul", { class: "rows" }, consents.slice(MOST).map(row))));
  return card;
}

/** The sections of apps and of this page's own sign-ins, of all Consents on file. */
export function sections(consents) {
  const live = consents.filter((each) => isGrant(each) && each.status === "active" && !isOver(each, Date.now()));
  const [own, apps] = [true, false].map((wanted) => live.filter((each) => (appOf(each).id === OWN) === wanted));
  return [
    h("section", {}, h("h2", {}, t("APPS")), apps.length ? h("ul", { class: "choices" }, apps.map(app)) : h("p", { class: "card" }, t("NO_APPS"))),
    own.length > 0 && h("section", {}, h("h2", {}, t("OWN_ENTRANCES")), entrances(own)),
  ].filter(Boolean);
}
