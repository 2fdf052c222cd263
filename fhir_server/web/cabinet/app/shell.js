// What stands around every view: the top, the tabs, and the line that says how old this is.
import * as dates from "./dates.js";
import { h, svg } from "./dom.js";
import { LANGUAGES, choose, language, n, t } from "./language.js";
import * as session from "./session.js";

const TABS = [
  ["", "HOME", "M4 11l8-7 8 7v9h-5v-6H9v6H4z"],
  ["visits", "TAB_VISITS", "M5 5h14v15H5zM5 9h14M9 3v4M15 3v4"],
  ["card", "TAB_CARD", "M6 3h9l4 4v14H6zM9 11h7M9 15h7"],
  ["messages", "MESSAGES", "M4 5h16v11H10l-4 4v-4H4z"],
  ["more", "MORE", "M5 7h14M5 12h14M5 17h14"],
];
/** Which tab a view belongs to that has none of its own. */
const BELONGS = { book: "visits", confirm: "visits", queue: "visits", results: "card", write: "messages", people: "more", access: "more", share: "more", notices: "more", journal: "more" };

const ICON = new URL("../icon.svg", import.meta.url).href;

const place = (id) => document.getElementById(id);

const icon = (path) => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: path }));

function languages(again) {
  const choices = Object.entries(LANGUAGES).map(([code, name]) => h("option",
    { value: code, lang: code, selected: code === language() }, name));
  const select = h("select", { id: "language", class: "quiet", "aria-label": t("LANGUAGE") }, choices);
  select.addEventListener("change", () => {
    choose(/** @type {HTMLSelectElement} */ (select).value);
    again();
  });
  return select;
}

/** Draw top and tabs anew, in the language of now; `again` draws the whole page. */
export function draw({ signedIn, again }) {
  place("skip").textContent = t("SKIP");
  place("top").replaceChildren(h("div", { class: "inner" },
    h("a", { class: "brand", href: "#/" }, h("img", { src: ICON, alt: "", width: 28, height: 28 }),
      h("span", {}, session.title(), signedIn && h("small", { id: "whose" }, "\u00a0"))), languages(again)));
  const tabs = place("tabs");
  tabs.hidden = !signedIn;
  tabs.setAttribute("aria-label", t("SECTIONS"));
  tabs.replaceChildren(h("ul", {}, TABS.map(([view, text, path]) => h("li", {},
    h("a", { href: `#/${view}`, "data-view": view }, icon(path), h("span", {}, t(text)))))));
}

/** Say which tab this is. */
export function mark(view) {
  for (const each of document.querySelectorAll("#tabs a")) {
    const own = (BELONGS[view] || view) === each.getAttribute("data-view");
    if (own) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
}

/** How many messages were not read: at their tab, and in words for who does not see it. */
export function unread(count) {
  const tab = document.querySelector("#tabs [data-view=messages]");
  if (!tab) return;
  tab.querySelectorAll(".count, .unseen").forEach((each) => each.remove());
  if (!count) return;
  tab.append(h("span", { class: "count", "aria-hidden": "true" }, count > 99 ? "99+" : count),
    h("span", { class: "unseen" }, `, ${n("UNREAD_COUNT", count)}`));
}

/** Whose record is open, above every view. */
export function whose(name) {
  const line = place("whose");
  if (line) line.textContent = name || "\u00a0"; // its line is kept, so that nothing moves
}

let oldest = 0;

/** What is shown was seen at `at` (milliseconds), and is not sure to be so now. */
export function stale(at) {
  oldest = oldest ? Math.min(oldest, at) : at;
  warn(t("STALE", { when: dates.moment(new Date(oldest).toISOString()) }));
}

/** Something went wrong that no view speaks of. */
export function warn(text) {
  place("banner").hidden = false;
  place("banner").textContent = text;
}

export function fresh() {
  oldest = 0;
  if (!session.isOffline()) place("banner").hidden = true;
}
