// To choose doctors and clinics: those whom the patient knows, and others by their name.
import { button, h, say } from "../app/dom.js";
import { matches, name, target, words } from "../app/fhir.js";
import { t } from "../app/language.js";
import { names } from "../app/names.js";
import { Refusal, look } from "../app/session.js";
import { known } from "./writing.js";

const MOST = 10;

/** Doctors by a beginning of their name, with their speciality; clinics by theirs. */
async function found(text) {
  const asked = encodeURIComponent(text);
  const refused = (error) => {
    if (!(error instanceof Refusal)) throw error;
    return {};
  };
  const [doctors, clinics] = await Promise.all([
    look(`Practitioner?name=${asked}&_count=${MOST}&_revinclude=PractitionerRole:practitioner`).catch(refused),
    look(`Organization?name=${asked}&_count=${MOST}`).catch(refused),
  ]);
  const roles = (doctors.entry || []).map((each) => each.resource).filter((each) => each.resourceType === "PractitionerRole");
  const speciality = (id) => [...new Set(roles.filter((each) => target(each.practitioner) === `Practitioner/${id}`)
    .flatMap((each) => each.specialty || []).map(words))].filter(Boolean).join(", ");
  return [
    ...matches(doctors).map((each) => ({ reference: `Practitioner/${each.id}`, display: name(each.name), about: speciality(each.id) })),
    ...matches(clinics).map((each) => ({ reference: `Organization/${each.id}`, display: each.name || "", about: "" })),
  ].filter((each) => each.display);
}

/** Whom the patient knows, by their own names: who wrote a message or a visit may have called them otherwise. */
async function acquainted() {
  const those = await known();
  const real = await names(those.map((each) => each.reference));
  return those.map((each) => ({ ...each, display: real.get(each.reference) || each.display }));
}

let finders = 0;

/** The ways to find somebody, and who is chosen: references with a display.
 * @param {{legend: string, several?: boolean}} given */
export async function finder({ legend, several = false }) {
  const id = `finder-${finders += 1}`;
  const people = new Map();
  const list = h("div", { class: "people" });
  const add = (each, first) => {
    if (people.has(each.reference)) return;
    const box = /** @type {HTMLInputElement} */ (h("input", { type: several ? "checkbox" : "radio", name: id, value: each.reference }));
    people.set(each.reference, { box, reference: { reference: each.reference, display: each.display } });
    const row = h("label", { class: "choice" }, box, h("span", {}, each.display, each.about && h("small", { class: "about" }, each.about)));
    if (first) list.prepend(row);
    else list.append(row);
  };
  (await acquainted().catch(() => [])).forEach((each) => add(each, false));
  const text = /** @type {HTMLInputElement} */ (h("input", { id, type: "search", autocomplete: "off", maxlength: 100, enterkeyhint: "search" }));
  const told = h("p", { class: "hint", hidden: true });
  const find = button(t("FIND"), { class: "second" }, async () => {
    if (!text.value.trim()) return text.focus();
    const those = await found(text.value.trim());
    those.reverse().forEach((each) => {
      people.get(each.reference)?.box.closest("label").remove();
      const before = people.get(each.reference)?.box.checked;
      people.delete(each.reference);
      add(each, true);
      people.get(each.reference).box.checked = Boolean(before);
    });
    told.textContent = those.length ? t("FOUND", { n: those.length }) : t("FOUND_NONE");
    told.hidden = false;
    say(told.textContent);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // it finds, and sends nothing
    find.click();
  });
  return {
    box: h("fieldset", {}, h("legend", {}, legend), h("label", { for: id }, t("FIND_LABEL")), h("div", { class: "find" }, text, find), told, list),
    chosen: () => [...people.values()].filter((each) => each.box.checked).map((each) => each.reference),
  };
}
