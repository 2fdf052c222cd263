// To give a consent: share the record, hide a part of it, let a relative act. What it will say is
// shown before it is saved, drawn of the very Consent that is sent.
import "../app/texts-sharing.js";
import { KINDS, SUBJECTS, directive, proxy } from "../app/directives.js";
import { ownDay } from "../app/dates.js";
import { asked, button, h, problem, say } from "../app/dom.js";
import { matches, name } from "../app/fhir.js";
import { giver } from "../app/giver.js";
import { t } from "../app/language.js";
import { Offline, Refusal, create, patientId, read } from "../app/session.js";
import { known, told } from "./consents.js";
import { finder } from "./finder.js";

/** What is missing on the form, in words. */
class Missing extends Error {}

let radios = 0;

/** One of several; `hints` are shown or hidden with the choice. */
function oneOf(legend, options, changed = (_value) => {}) {
  const group = `one-${radios += 1}`;
  const boxes = options.map(([value, text], index) => {
    const box = /** @type {HTMLInputElement} */ (h("input", { type: "radio", name: group, value, checked: index === 0 }));
    box.addEventListener("change", () => changed(value));
    return h("label", { class: "choice" }, box, h("span", {}, text));
  });
  const element = h("fieldset", {}, h("legend", {}, legend), boxes);
  return { element, value: () => /** @type {HTMLInputElement} */ (element.querySelector(":checked")).value };
}

/** Any of several. */
function anyOf(legend, options) {
  const element = h("fieldset", {}, h("legend", {}, legend),
    options.map(([value, text]) => h("label", { class: "choice" }, h("input", { type: "checkbox", value }), h("span", {}, text))));
  return { element, values: () => [...element.querySelectorAll(":checked")].map((each) => /** @type {HTMLInputElement} */ (each).value) };
}

const kinds = (legend) => anyOf(legend, KINDS.map((each) => [each, t(`OF_${each}`)]));

function untilDay() {
  const today = ownDay(new Date().toISOString());
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "date", id: "until", min: today, "aria-describedby": "until-hint" }));
  return {
    element: h("div", {}, h("label", { for: "until" }, t("UNTIL_LABEL")), box, h("p", { class: "hint", id: "until-hint" }, t("UNTIL_HINT"))),
    value: () => {
      if (!box.validity.valid) throw new Missing(t("MISSING_DAY"));
      return box.value;
    },
  };
}

const needed = (values, text) => {
  if (!values.length) throw new Missing(t(text));
  return values;
};

async function sharing() {
  const { giver: by } = await giver();
  const who = await finder({ legend: t("SHARE_WHO") });
  const some = kinds(t("BY_KIND"));
  some.element.hidden = true;
  const what = oneOf(t("SHARE_WHAT"), [["normal", t("SHARE_NORMAL")], ["all", t("SHARE_ALL")], ["kinds", t("SHARE_KINDS")]],
    (value) => { some.element.hidden = value !== "kinds"; });
  const until = untilDay();
  return {
    parts: [who.box, what.element, some.element, until.element],
    notes: () => ["NOTE_RIGHTS", "NOTE_STANDS", "NOTE_DENIED"],
    said: () => {
      const of = what.value();
      return directive({
        hides: false, patient: patientId(), giver: by, who: needed(who.chosen(), "MISSING_WHO"), what: of,
        kinds: of === "kinds" ? needed(some.values(), "MISSING_WHAT") : [], until: until.value(),
      }, new Date().toISOString());
    },
  };
}

async function hiding() {
  const { giver: by } = await giver();
  const subjects = anyOf(t("BY_SUBJECT"), SUBJECTS.map((each) => [each, t(`LABEL_${each}`)]));
  const sections = kinds(t("BY_KIND"));
  const [one, some] = [await finder({ legend: t("FROM_SOME") }), await finder({ legend: t("BUT_WHO"), several: true })];
  const from = oneOf(t("HIDE_FROM"), [["all", t("FROM_ALL")], ["but", t("FROM_ALL_BUT")], ["one", t("FROM_SOME")]], (value) => {
    one.box.hidden = value !== "one";
    some.box.hidden = value !== "but";
  });
  one.box.hidden = true;
  some.box.hidden = true;
  const urgent = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: "urgent", checked: true }));
  const until = untilDay();
  return {
    parts: [h("h2", {}, t("HIDE_WHAT")), subjects.element, sections.element, from.element, some.box, one.box,
      h("label", { class: "choice", for: "urgent" }, urgent, h("span", {}, t("HIDE_URGENT"))), until.element],
    notes: () => [urgent.checked ? "NOTE_URGENT" : "NOTE_NO_URGENT", ...(from.value() === "but" ? ["NOTE_BUT"] : []), ...(sections.values().length ? ["NOTE_ADDED", "NOTE_SECTIONS"] : []), "NOTE_SELF", "NOTE_SEEN", ...(subjects.values().length ? ["NOTE_COPIES"] : []), "NOTE_STANDS"],
    said: () => {
      needed([...subjects.values(), ...sections.values()], "MISSING_WHAT");
      const of = from.value();
      return directive({
        hides: true, patient: patientId(), giver: by, subjects: subjects.values(), kinds: sections.values(),
        from: of === "one" ? needed(one.chosen(), "MISSING_WHO") : [], but: of === "but" ? needed(some.chosen(), "MISSING_WHO") : [],
        urgent: urgent.checked, until: until.value(),
      }, new Date().toISOString());
    },
  };
}

async function entrusting() {
  const { isOwn } = await giver();
  if (!isOwn) return { parts: [h("p", {}, t("ENTRUST_OWN"))] };
  const related = matches(await read(`RelatedPerson?patient=${patientId()}&active=true`)).filter((each) => name(each.name));
  if (!related.length) return { parts: [h("p", {}, t("ENTRUST_NOBODY"))] };
  const who = oneOf(t("ENTRUST_WHO"), related.map((each) => [each.id, name(each.name)]));
  const what = oneOf(t("ENTRUST_WHAT"), [["read", t("ENTRUST_READ")], ["write", t("ENTRUST_WRITE")]]);
  const until = untilDay();
  return {
    parts: [who.element, what.element, until.element],
    notes: () => ["NOTE_VERIFIED", "NOTE_HIDDEN_TOO", "NOTE_SEEN"],
    said: () => {
      const person = related.find((each) => each.id === who.value());
      const reference = { reference: `RelatedPerson/${person.id}`, display: name(person.name) };
      return proxy({ patient: patientId(), who: reference, writes: what.value() === "write", until: until.value() }, new Date().toISOString());
    },
  };
}

/** Ask with what it will say, then save it; the state after it is that of the server. */
async function give({ said, notes }) {
  const consent = said();
  const named = await known([consent]);
  const yes = await asked(t("CHECK_TITLE"), t("GIVE"), t("CHANGE_IT"),
    h("div", { class: "quoted" }, told(consent, named)), h("ul", { class: "notes" }, notes().map((each) => h("li", {}, t(each)))));
  if (!yes) return;
  await create(consent);
  location.hash = "#/access";
  say(t("GAVE"));
}

/** Two columns of the same: what opens each form, and its title. */
const FORMS = { "": [sharing, "SHARE"], hide: [hiding, "HIDE"], entrust: [entrusting, "ENTRUST"] };

export async function show(kind = "") {
  const [make, title] = FORMS[kind] || FORMS[""];
  const made = await make();
  const box = h("section", { class: "card form" }, made.parts);
  box.addEventListener("input", () => box.querySelector(".problem")?.remove());
  if (made.said) {
    box.append(h("div", { class: "answers" }, button(t("GO_CHECK"), { class: "main" }, async () => {
      box.querySelector(".problem")?.remove();
      try {
        await give(made);
      } catch (error) {
        if (!(error instanceof Missing || error instanceof Refusal || error instanceof Offline)) throw error;
        const shown = problem(error instanceof Offline ? t("OFFLINE_ACT") : error.message);
        box.append(shown);
        shown.focus();
      }
    })));
  }
  return {
    title: t(title),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/access" }, `← ${t("ACCESS")}`)),
      h("h1", { tabindex: "-1" }, t(title)), box,
    ],
  };
}
