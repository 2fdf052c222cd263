// Consents in plain words: who may see what, until when, with every exception; and taking one back.
import * as dates from "../app/dates.js";
import { here, isClosing, isOver, isReplaced, isToCome, isUnclear, referred, rules, sort } from "../app/directives.js";
import { h } from "../app/dom.js";
import { target, words } from "../app/fhir.js";
import { n, t } from "../app/language.js";
import { names } from "../app/names.js";
import { TEXTS } from "../app/texts.js";
import { ending } from "./grants.js";

const { base: BASE } = document.documentElement.dataset;
const STATES = { active: "CONSENT_ACTIVE", inactive: "CONSENT_INACTIVE", rejected: "CONSENT_INACTIVE", proposed: "CONSENT_DRAFT", draft: "CONSENT_DRAFT" };

/** A code in the person's language, where it is a usual one. */
const said = (prefix, coding) => (TEXTS[`${prefix}_${coding.code}`] ? t(`${prefix}_${coding.code}`) : coding.display || coding.code || "");

const spanOf = (period) => [period.start && t("FROM_DAY", { when: dates.day(period.start) }), period.end && t("UNTIL", { when: dates.day(period.end) })].filter(Boolean).join(" ");

/** What a rule is about; all elements must be met, so each of several is said. */
function what(rule, inside) {
  const parts = [
    rule.labels.map((each) => said("LABEL", each)).join(", "),
    rule.kinds.map((each) => said("OF", each)).join(", "),
    rule.codes.map(words).join(", "),
    rule.data.map((each) => t("ONE_ENTRY", { name: each.reference.display || target(each.reference) })).join(", "),
    rule.dates && t("OF_DATES", { when: spanOf(rule.dates) }),
  ].filter(Boolean);
  return parts.join("; ") || t(inside ? "THE_SAME" : "WHAT_ALL");
}

/** By their own name: what a Consent calls them may be another's. */
const who = (rule, known) => rule.who.map((each) => known.get(here(each, BASE)) || each.display || t("UNKNOWN_WHO")).join(", ");
const why = (rule) => rule.purposes.map((each) => said("PURPOSE", each)).join(", ");

/** An exception that says whom or what for, and nothing of the data: one line is enough. */
const isShort = (rule) => !(rule.labels.length || rule.kinds.length || rule.codes.length || rule.data.length || rule.dates
  || rule.period || rule.unclear || rule.actions.length || rule.exceptions.length);

function exceptions(rule, known) {
  const short = rule.exceptions.filter((each) => isShort(each) && each.type !== rule.type && (each.who.length > 0) !== (each.purposes.length > 0));
  const long = rule.exceptions.filter((each) => !short.includes(each));
  return [
    short.length > 0 && h("p", {}, t("EXCEPT", { who: short.map((each) => who(each, known) || why(each)).join("; ") })),
    long.length > 0 && h("ul", { class: "nested" }, long.map((each) => h("li", {}, drawn(each, known, true)))),
  ];
}

function drawn(rule, known, inside = false) {
  const acts = rule.actions.map((code) => said("MAY_DO", { code })).join(", ");
  return [
    h("p", { class: "ruled" }, t(`RULE_${inside ? "nested_" : ""}${rule.type}`, { what: what(rule, inside) })),
    (rule.who.length > 0 || !inside) && h("p", {}, t(`WHO_${rule.type}`, { who: who(rule, known) || t(`EVERYBODY_${rule.type}`) })),
    acts && h("p", {}, t(rule.type === "deny" ? "MAY_NOT" : "MAY_DO", { what: acts })),
    rule.purposes.length > 0 && h("p", {}, t("FOR_PURPOSE", { why: why(rule) })),
    rule.period && spanOf(rule.period) && h("p", {}, t("HOLDS", { when: spanOf(rule.period) })),
    rule.unclear && h("p", { class: "due" }, t("UNCLEAR")),
    ...exceptions(rule, known),
  ];
}

/** Names of whom these name. */
export const known = (consents) => names(consents.flatMap((each) => referred(rules(each))).map((each) => here(each, BASE)).filter(Boolean));

/** What a Consent says, as paragraphs. */
export function told(consent, named) {
  const found = rules(consent);
  const period = (consent.provision || {}).period;
  // The period of a root that is a rule itself is told with that rule.
  const apart = period && !(found.length === 1 && found[0].period === period);
  return [
    isUnclear(consent) && h("p", { class: "due" }, t("UNCLEAR")),
    ...found.flatMap((each) => drawn(each, named)),
    !found.length && h("p", { class: "hint" }, t("SAYS_NOTHING")),
    isClosing(consent) && h("p", {}, t("CLOSES_REST")),
    apart && spanOf(period) && h("p", {}, t("HOLDS", { when: spanOf(period) })),
  ];
}

const titleOf = (consent) => {
  const kind = sort(consent);
  return kind === "other" ? (consent.category || []).map(words)[0] || words(consent.scope) : t(`SORT_${kind}`);
};

/** The end of a Consent, with what follows from it; `required`: the cabinet is closed without. */
function withdrawing(consent, card, named, required) {
  const name = titleOf(consent);
  const follows = [h("div", { class: "quoted" }, told(consent, named)), h("p", {}, t(`AFTER_${rules(consent).length ? sort(consent) : "nothing"}`)), required && h("p", { class: "due" }, t("AFTER_required"))];
  const whose = rules(consent).map((each) => who(each, named)).filter(Boolean).join(", ");
  return ending(consent, card, {
    text: t("WITHDRAW"), label: t("WITHDRAW_OF", { name: [name, whose].filter(Boolean).join(", ") }),
    question: t("SURE_WITHDRAW"), follows, done: t("WITHDRAWN"), yes: t("WITHDRAW"),
  });
}

/** Why an active one holds no more, or not yet: a text, or none. */
function idle(consent, all, now) {
  if (consent.status !== "active") return "";
  if (isOver(consent, now)) return "CONSENT_OVER";
  if (isReplaced(consent, all, now)) return "CONSENT_REPLACED";
  return isToCome(consent, now) ? "CONSENT_TO_COME" : "";
}

function one(consent, named, required, state) {
  const organizations = (consent.organization || []).map((each) => each.display).filter(Boolean).join(", ");
  const card = h("li", { class: "card consent" },
    h("div", { class: "row" }, h("h3", { class: "name" }, titleOf(consent)), h("span", { class: "badge" }, t(state || STATES[consent.status] || "CONSENT_DRAFT"))),
    organizations && h("p", {}, organizations),
    told(consent, named),
    consent.dateTime && h("p", { class: "hint" }, t("GIVEN", { when: dates.day(consent.dateTime) })));
  if (consent.status === "active" && state !== "CONSENT_OVER") card.append(h("p", {}, withdrawing(consent, card, named, required)));
  return card;
}

/** Cards of Consents, those that hold first and the others folded away; `required` are ids. */
export function list(consents, named, required) {
  const now = Date.now();
  const state = new Map(consents.map((each) => [each, idle(each, consents, now)]));
  const holds = (each) => ["active", "proposed", "draft"].includes(each.status) && !["CONSENT_OVER", "CONSENT_REPLACED"].includes(state.get(each));
  const card = (each) => one(each, named, required.includes(each.id), state.get(each));
  const [current, past] = [consents.filter(holds), consents.filter((each) => !holds(each))];
  return [
    current.length ? h("ul", { class: "choices" }, current.map(card)) : h("p", { class: "card" }, t("NO_CONSENTS")),
    past.length > 0 && h("details", {}, h("summary", {}, n("EARLIER_CONSENTS", past.length)), h("ul", { class: "choices" }, past.map(card))),
  ].filter(Boolean);
}
