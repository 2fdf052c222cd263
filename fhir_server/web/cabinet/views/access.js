// Who has access: who sees the record now, consents given and to give, apps that were let in.
import "../app/texts-sharing.js";
import { isGrant } from "../app/directives.js";
import { h } from "../app/dom.js";
import { matches, name, target } from "../app/fhir.js";
import { t } from "../app/language.js";
import { patientId, read } from "../app/session.js";
import { part, required, standing } from "../app/standing.js";
import { known, list } from "./consents.js";
import { sections } from "./grants.js";

/** In a sentence each: the patient, who acts for them, the clinic. */
function seeing(parameters, related) {
  const acting = parameters.filter((each) => each.name === "represented-by").map((each) => {
    const person = related.find((one) => `RelatedPerson/${one.id}` === target(part(each, "relation")));
    return h("li", {}, t("SEES_ACTING", { name: person ? name(person.name) : t("SOMEBODY"), what: t(part(each, "permitted") === "read" ? "MAY_READ" : "MAY_WRITE") }));
  });
  return h("section", {}, h("h2", {}, t("WHO_SEES")), h("ul", { class: "card listed" },
    h("li", {}, t("SEES_PATIENT")), acting, h("li", {}, t("SEES_STAFF")), h("li", {}, t("SEES_EMERGENCY"))));
}

/** Consents that the cabinet demands and has not got; they are given elsewhere. */
const missing = (parameters) => parameters.filter((each) => each.name === "consent" && part(each, "status") === "missing").map((each) => {
  const where = part(each, "where") || "";
  const place = /^https?:/.test(where) ? h("a", { href: where }, where) : where;
  return h("div", { class: "problem" }, h("p", {}, t("CONSENT_MISSING", { title: part(each, "title") })), where && h("p", {}, t("WHERE_TO_GIVE", { where: "" }), place));
});

const GIVING = [["#/share", "SHARE"], ["#/share/hide", "HIDE"], ["#/share/entrust", "ENTRUST"]];

export async function show() {
  const [bundle, parameters, relatives] = await Promise.all([
    read(`Consent?patient=${patientId()}&_sort=-date&_count=200`), standing(),
    read(`RelatedPerson?patient=${patientId()}&active=true`).catch(() => ({})),
  ]);
  const found = matches(bundle).filter((each) => each.status !== "entered-in-error");
  const consents = found.filter((each) => !isGrant(each));
  const named = await known(consents);
  return {
    title: t("ACCESS"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/more" }, `← ${t("MORE")}`)),
      h("h1", { tabindex: "-1" }, t("ACCESS")),
      h("p", {}, h("a", { class: "button second", href: "#/journal" }, t("JOURNAL"))),
      seeing(parameters, matches(relatives)),
      h("section", {}, h("h2", {}, t("CONSENTS")),
        h("div", { class: "answers wide giving" }, GIVING.map(([href, text]) => h("a", { class: "button second", href }, t(text)))),
        missing(parameters), list(consents, named, required(parameters))),
      ...sections(found),
    ],
  };
}
