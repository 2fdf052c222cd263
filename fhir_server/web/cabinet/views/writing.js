// To write a message: to whom of those who look after the patient, about what, and the text.
import { h, problem, say } from "../app/dom.js";
import { matches } from "../app/fhir.js";
import { t } from "../app/language.js";
import { correspondents, letter } from "../app/messages.js";
import { names } from "../app/names.js";
import { Offline, Refusal, create, patientId, read } from "../app/session.js";

const LONGEST = 4000;

/** The box for the text, with its label. */
export function textOf(id, label) {
  const text = /** @type {HTMLTextAreaElement} */ (h("textarea", { id, maxlength: LONGEST, rows: 4, required: true }));
  return { text, parts: [h("label", { for: id }, label), text] };
}

/** A form that sends what `said` gives, and then goes on to `after`. */
export function form(parts, said, after) {
  const box = h("form", { class: "answer" }, parts,
    h("div", { class: "answers" }, h("button", { class: "main" }, t("SEND"))));
  box.addEventListener("submit", async (event) => {
    event.preventDefault();
    box.querySelector(".problem")?.remove();
    const send = box.querySelector("button");
    send.disabled = true;
    try {
      await create(letter({ patient: patientId(), ...said() }, new Date().toISOString()));
      say(t("SENT"));
      after();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Offline)) throw error;
      const shown = problem(error instanceof Offline ? t("OFFLINE_ACT") : error.message);
      box.append(shown);
      shown.focus();
    } finally {
      send.disabled = false;
    }
  });
  return box;
}

/** What the person has not let the page see names nobody. */
const none = (error) => {
  if (error instanceof Refusal) return {};
  throw error;
};

/** Who looks after the patient, or wrote to them, by name. */
export async function known() {
  const about = `patient=${patientId()}`;
  const seen = "status=booked,arrived,checked-in,fulfilled&_sort=-date&_count=30";
  const [patient, ...bundles] = await Promise.all([
    `Patient/${patientId()}`, `CareTeam?${about}&status=active&_count=20`,
    `Appointment?${about}&${seen}`, `Communication?${about}&_sort=-sent&_count=30`,
  ].map((path) => read(path).catch(none)));
  const [teams, visits, messages] = bundles.map(matches);
  const found = correspondents({ patient, teams, visits, messages });
  const unnamed = await names(found.filter((each) => !each.display).map((each) => each.reference));
  return found.map((each) => ({ ...each, display: each.display || unnamed.get(each.reference) || "" }))
    .filter((each) => each.display);
}

export async function show() {
  const people = await known();
  const to = /** @type {HTMLSelectElement} */ (h("select", { id: "to", class: "field" },
    people.map((each, index) => h("option", { value: index }, each.display))));
  const topic = /** @type {HTMLInputElement} */ (h("input", { id: "topic", maxlength: 200, autocomplete: "off" }));
  const { text, parts } = textOf("text", t("MESSAGE"));
  const said = () => ({
    to: people[Number(to.value)], text: text.value, ...(topic.value.trim() ? { topic: { text: topic.value.trim() } } : {}),
  });
  const fields = [h("label", { for: "to" }, t("TO_WHOM")), to, h("label", { for: "topic" }, t("ABOUT")), topic, ...parts,
    h("p", { class: "hint" }, t("NOT_URGENT"))];
  return {
    title: t("WRITE"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/messages" }, `← ${t("MESSAGES")}`)),
      h("h1", { tabindex: "-1" }, t("WRITE")),
      people.length ? h("div", { class: "card" }, form(fields, said, () => { location.hash = "#/messages"; }))
        : h("p", { class: "card" }, t("NOBODY_TO_WRITE")),
    ],
  };
}
