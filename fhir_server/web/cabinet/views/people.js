// My people: whose record is open, whom I may open besides, and who may open this one.
import * as dates from "../app/dates.js";
import { button, h } from "../app/dom.js";
import { matches, name, target, words } from "../app/fhir.js";
import { t } from "../app/language.js";
import { TEXTS } from "../app/texts.js";
import { patientId, read, signIn } from "../app/session.js";
import { part, standing } from "../app/standing.js";
import { patient as whose } from "../app/whose.js";

/** In the person's language, where the relation is a usual one. */
function relation(concept) {
  const code = (concept.coding || []).map((each) => `RELATION_${each.code}`).find((each) => TEXTS[each]);
  return code ? t(code) : words(concept);
}

function acting(parameters, related) {
  const rows = parameters.filter((each) => each.name === "represented-by").map((each) => {
    const person = related.find((one) => `RelatedPerson/${one.id}` === target(part(each, "relation")));
    return h("li", { class: "card" },
      h("h3", {}, person ? name(person.name) : t("SOMEBODY")),
      h("p", {}, t(part(each, "permitted") === "read" ? "MAY_READ" : "MAY_WRITE")),
      part(each, "until") && h("p", { class: "hint" }, t("UNTIL", { when: dates.day(part(each, "until")) })));
  });
  if (rows.length) return [h("h2", {}, t("WHO_ACTS")), h("ul", { class: "choices" }, rows)];
  if (!related.length) return [];
  return [h("h2", {}, t("RELATIVES")), h("p", { class: "hint" }, t("RELATIVES_HINT")),
    h("ul", { class: "choices" }, related.map((each) => h("li", { class: "card" },
      h("h3", {}, name(each.name)), h("p", {}, (each.relationship || []).map(relation).join(", ")))))];
}

function closed(parameters) {
  return parameters.filter((each) => each.name === "block")
    .map((each) => h("p", { class: "problem" }, part(each, "text")));
}

export async function show() {
  const [patient, bundle, parameters] = await Promise.all([
    whose(), read(`RelatedPerson?patient=${patientId()}&active=true`), standing(),
  ]);
  const related = matches(bundle);
  return {
    title: t("PEOPLE"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/more" }, `← ${t("MORE")}`)),
      h("h1", { tabindex: "-1" }, t("PEOPLE")),
      ...closed(parameters),
      h("section", { class: "card" },
        h("h2", {}, t("OPEN_NOW")),
        h("p", { class: "big" }, name(patient.name)),
        patient.birthDate && h("p", { class: "hint" }, t("BORN", { when: dates.day(patient.birthDate) })),
        h("p", {}, t("SWITCH_HINT")),
        button(t("SWITCH"), { class: "main" }, () => signIn("", "#/"))),
      ...acting(parameters, related),
    ],
  };
}
