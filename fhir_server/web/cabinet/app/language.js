// The language of the page, its sentences with places and plural forms.
import { TEXTS } from "./texts.js";

export const LANGUAGES = { en: "English", ru: "Русский", uk: "Українська" };
const ORDER = Object.keys(LANGUAGES);
const CHOSEN = "cabinet.language";

let current = "en";

/** The best of ours for what the person chose before, or the browser prefers. */
export function preferred(chosen, offered) {
  const wanted = [chosen, ...offered].map((each) => (each || "").slice(0, 2).toLowerCase());
  return wanted.find((each) => ORDER.includes(each)) || "en";
}

export function begin() {
  use(preferred(localStorage.getItem(CHOSEN), navigator.languages || [navigator.language]));
}

export function choose(language) {
  localStorage.setItem(CHOSEN, language);
  use(language);
}

/** For tests and for `begin`. */
export function use(language) {
  current = language;
  if (globalThis.document) document.documentElement.lang = language;
}

export const language = () => current;
/** For dates and numbers: a clock of 24 hours, and the day before the month. */
export const locale = () => (current === "en" ? "en-GB" : current);

function row(key) {
  const found = TEXTS[key];
  if (!found) throw new Error(`no text ${key}`);
  return found[ORDER.indexOf(current)];
}

const filled = (text, places) => text.replace(/\{(\w+)\}/g, (_, name) => String(places[name]));

/** A sentence; `{name}` stands for a place. */
export const t = (key, places = {}) => filled(/** @type {string} */ (row(key)), places);

/** A sentence about a number, in the form that the language has for it. */
export function n(key, number, places = {}) {
  const forms = row(key);
  const form = new Intl.PluralRules(current).select(number);
  const said = new Intl.NumberFormat(locale()).format(number);
  return filled(forms[form] || forms.other || forms.many, { ...places, n: said });
}
