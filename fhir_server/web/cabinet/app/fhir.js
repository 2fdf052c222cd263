// Reading FHIR resources: what a person is shown of their data types. Pure.
// https://hl7.org/fhir/R4/datatypes.html
import { language, locale, t } from "./language.js";

/** The words of a CodeableConcept: the text that a person wrote first. */
export function words(concept) {
  if (!concept) return "";
  return concept.text || (concept.coding || []).map((each) => each.display).find(Boolean)
    || (concept.coding || []).map((each) => each.code).find(Boolean) || "";
}

export function name(names) {
  const found = (names || []).find((each) => each.use === "official") || (names || [])[0];
  if (!found) return "";
  return found.text || [...(found.given || []), found.family].filter(Boolean).join(" ");
}

export const hasCode = (concepts, system, code) => [concepts].flat().filter(Boolean)
  .some((concept) => (concept.coding || []).some((each) => each.system === system && each.code === code));

/** The first extension of a definition, by the end of its URL. */
export const extension = (resource, end) => (resource.extension || [])
  .find((each) => each.url.endsWith(`/${end}`));

/** `Patient/1` of a reference of any form, to a version too. */
export function target(reference) {
  const parts = ((reference && reference.reference) || "").split("/_history/")[0].split("/");
  return parts.slice(-2).join("/");
}

export const isTo = (reference, kind) => target(reference).startsWith(`${kind}/`);

export function number(value) {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 4 }).format(value);
}

/** Units of UCUM that people of all three languages write differently. */
const UNITS = {
  kg: ["kg", "кг", "кг"], g: ["g", "г", "г"], mg: ["mg", "мг", "мг"], ug: ["µg", "мкг", "мкг"], cm: ["cm", "см", "см"],
  mL: ["mL", "мл", "мл"], "mm[Hg]": ["mmHg", "мм рт. ст.", "мм рт. ст."], "/min": ["/min", "в мин", "за хв"],
  Cel: ["°C", "°C", "°C"], "kg/m2": ["kg/m²", "кг/м²", "кг/м²"], "{tbl}": ["tablets", "табл.", "табл."],
};

/** Of a Quantity: what the laboratory wrote; a bare code in the person's language. */
export function unit(value) {
  const bare = !value.unit || value.unit === value.code;
  const known = bare && UNITS[value.code];
  if (known) return known[["en", "ru", "uk"].indexOf(language())];
  return (value.unit || value.code || "").replace(/^\{(.*)\}$/, "$1");
}

export function quantity(value) {
  if (!value || value.value === undefined) return "";
  const said = unit(value);
  return `${value.comparator || ""}${number(value.value)}${said ? ` ${said}` : ""}`;
}

/** What an Observation or a component of one says. */
export function value(each) {
  if (each.valueQuantity) return quantity(each.valueQuantity);
  if (each.valueCodeableConcept) return words(each.valueCodeableConcept);
  if (each.valueString) return each.valueString;
  if (each.valueInteger !== undefined) return number(each.valueInteger);
  if (each.valueBoolean !== undefined) return t(each.valueBoolean ? "YES" : "NO");
  if (each.valueRange) return [quantity(each.valueRange.low), quantity(each.valueRange.high)].filter(Boolean).join(" – ");
  if (each.valueRatio) return `${quantity(each.valueRatio.numerator)} / ${quantity(each.valueRatio.denominator)}`;
  if (each.valueDateTime) return each.valueDateTime;
  return (each.component || []).map((part) => `${words(part.code)}: ${value(part)}`).join("; ");
}

/** The range that is normal, in words; empty where none is given. */
export function range(each) {
  const found = (each.referenceRange || [])[0];
  if (!found) return "";
  if (found.text) return found.text;
  const { low, high } = found;
  if (low && high) return `${number(low.value)}\u00a0–\u2060\u00a0${number(high.value)}`; // a dash would end a line
  if (low) return `≥\u00a0${number(low.value)}`;
  return high ? `≤\u00a0${number(high.value)}` : "";
}

const HIGH = ["H", "HH", "HU", "A", "AA", "POS"];
const LOW = ["L", "LL", "LU"];

/** `high`, `low` or empty: by what the laboratory says, or else by the range. */
export function deviation(each) {
  const codes = (each.interpretation || []).flatMap((concept) => concept.coding || []).map((coding) => coding.code);
  if (codes.some((code) => LOW.includes(code))) return "low";
  if (codes.some((code) => HIGH.includes(code))) return "high";
  const found = (each.referenceRange || [])[0];
  const amount = each.valueQuantity && each.valueQuantity.value;
  if (codes.length || !found || amount === undefined) return "";
  if (found.low && amount < found.low.value) return "low";
  return found.high && amount > found.high.value ? "high" : "";
}

export const when = (each) => each.effectiveDateTime || each.effectiveInstant
  || (each.effectivePeriod && (each.effectivePeriod.start || each.effectivePeriod.end)) || each.issued || "";

/** The resources of a search page that were asked for. */
export const matches = (bundle) => (bundle.entry || [])
  .filter((entry) => !entry.search || entry.search.mode === "match").map((entry) => entry.resource);

export const nextPage = (bundle) => {
  const found = (bundle.link || []).find((link) => link.relation === "next");
  return found ? found.url : null;
};
