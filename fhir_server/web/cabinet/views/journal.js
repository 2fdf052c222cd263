// The access log: who looked at the record, changed it, or tried to; emergencies first, then by
// day and person. What the person did in this page is folded away, and every entry can be opened.
import "../app/texts-sharing.js";
import { grouped, reached, summed, told } from "../app/audit.js";
import * as dates from "../app/dates.js";
import { button, h, say } from "../app/dom.js";
import { matches, nextPage } from "../app/fhir.js";
import { giver } from "../app/giver.js";
import { n, t } from "../app/language.js";
import { TEXTS } from "../app/texts.js";
import { patientId, read, title, user } from "../app/session.js";

const { titleEn: OWN_NAME, client: OWN_APP } = document.documentElement.dataset;
/** A page of the log is mostly the person's own reading: so many are read at once to find what others did. */
const PAGES = 4;
const ENOUGH = 8;
const EMERGENCIES = "http://dicom.nema.org/resources/ontology/DCM|110127";

const kind = (type) => (TEXTS[`OF_${type}`] ? t(`OF_${type}`) : t("OF_OTHER"));
const kindsOf = (row) => [...new Set(row.kinds.map(kind))];
const appOf = (row) => (row.app === OWN_NAME ? title() : row.app);
const nameOf = (row) => {
  if (row.isHere) return t("YOU");
  return row.isMe ? t("YOU_BY", { name: appOf(row) }) : row.who || appOf(row) || t("SYSTEM");
};

const did = (action, kinds, count = 1) => [[t(action), [...new Set(kinds.map(kind))].join(", ")].filter(Boolean).join(": "), count > 1 && n("TIMES_DONE", count)].filter(Boolean).join(" — ");

const single = (row) => h("p", { class: "hint" }, [dates.clock(row.at), !row.isMe && row.who && appOf(row) && t("BY_APP", { name: appOf(row) })].filter(Boolean).join(" · "));

/** Every entry of a group, drawn when it is opened. */
function entries(rows) {
  const made = h("details", {}, h("summary", {}, n("EACH_ROW", rows.length)));
  made.addEventListener("toggle", () => {
    if (made.childElementCount > 1) return;
    made.append(h("ul", { class: "plain entries" }, rows.map((row) => h("li", {}, `${dates.clock(row.at)} · ${did(row.action, row.kinds)}`,
      row.who && appOf(row) && h("small", {}, ` · ${t("BY_APP", { name: appOf(row) })}`)))));
  });
  return made;
}

function drawn({ day, first, rows }, withDay) {
  return h("li", { class: `card log ${first.emergency ? "alarm" : ""}` },
    h("div", { class: "row" }, h("h3", { class: "name" }, nameOf(first)), withDay && h("small", {}, dates.day(day))),
    first.emergency && h("p", { class: "badge high" }, t("EMERGENCY")),
    summed(rows).filter((each) => each.action !== "EMERGENCY" || rows.length > 1).map((each) => h("p", {}, did(each.action, each.kinds, each.count))),
    rows.length > 1 ? entries(rows) : single(first));
}

/** Groups under their days. */
function byDay(groups) {
  const days = [...new Set(groups.map((each) => each.day))];
  return days.map((day) => h("section", {}, h("h2", {}, dates.day(day)),
    h("ul", { class: "choices" }, groups.filter((each) => each.day === day).map((each) => drawn(each, false)))));
}

/** A box to choose one of what is loaded, or all; options may come with every page. */
function filter(id, label, changed) {
  const box = /** @type {HTMLSelectElement} */ (h("select", { id, class: "field" }));
  box.addEventListener("change", changed);
  return {
    element: h("div", {}, h("label", { for: id }, label), box),
    value: () => box.value,
    offer: (options) => {
      const before = box.value;
      box.replaceChildren(h("option", { value: "" }, t("ALL")), ...options.map(([value, text]) => h("option", { value, selected: value === before }, text)));
    },
  };
}

/** The log as far as it was read, and what of it is shown. */
class Log {
  rows = new Map();
  next = null;
  back = "";
  shown = h("div", { class: "shown" });
  more = h("div", {});

  /** @param {string[]} me as whom the person acts */
  constructor(me) {
    this.me = me;
    this.who = filter("by-who", t("FILTER_WHO"), () => this.draw());
    this.kind = filter("by-kind", t("FILTER_KIND"), () => this.draw());
    this.own = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: "own" }));
    this.owns = h("span", {});
    this.own.addEventListener("change", () => this.draw());
  }

  take(bundle) {
    for (const each of matches(bundle)) this.rows.set(each.id, told(each, this.me, `Device/${OWN_APP}`));
    return nextPage(bundle);
  }

  /** Read on until there is something of others, a few pages at most. */
  async load(page) {
    const before = this.foreign();
    this.next = page;
    for (let pages = 0; this.next && pages < PAGES && (pages === 0 || this.foreign() - before < ENOUGH); pages += 1) {
      const bundle = await read(this.next);
      this.back = reached(bundle, this.back);
      this.next = this.take(bundle);
    }
    this.offer();
    this.draw();
  }

  sorted() { return [...this.rows.values()].sort((a, b) => (a.at < b.at ? 1 : -1)); }

  foreign() { return this.sorted().filter((each) => !each.isHere).length; }

  offer() {
    const rows = this.sorted();
    this.who.offer([...new Map(rows.filter((each) => !each.isHere).map((each) => [each.actor, nameOf(each)]))]);
    this.kind.offer([...new Set(rows.flatMap(kindsOf))].sort().map((each) => [each, each]));
    this.owns.textContent = n("JOURNAL_OWN", rows.length - this.foreign());
  }

  draw() {
    const wanted = this.sorted().filter((each) => (this.own.checked || each.emergency || !each.isHere)
      && (!this.who.value() || each.actor === this.who.value()) && (!this.kind.value() || kindsOf(each).includes(this.kind.value())));
    const groups = grouped(wanted, dates.ownDay);
    const [urgent, others] = [true, false].map((is) => groups.filter((each) => each.first.emergency === is));
    this.shown.replaceChildren(...[
      urgent.length > 0 && h("section", {}, h("h2", {}, t("JOURNAL_URGENT")), h("ul", { class: "choices" }, urgent.map((each) => drawn(each, true)))),
      ...byDay(others),
      !groups.length && h("p", { class: "card" }, t(this.rows.size ? "NOBODY_ELSE" : "NOTHING_HERE")),
      this.next && this.back && h("p", { class: "hint" }, t("LOADED", { when: dates.moment(this.back) })),
    ].filter(Boolean));
    this.more.replaceChildren(...(this.next ? [button(t("MORE_ROWS"), { class: "second" }, () => this.load(this.next).then(() => say(t("LOADED", { when: dates.moment(this.back) }))))] : []));
  }
}

export async function show() {
  const { isOwn } = await giver();
  const log = new Log([user(), isOwn && `Patient/${patientId()}`].filter(Boolean));
  const about = `AuditEvent?patient=${patientId()}&_sort=-date`;
  let urgent = `${about}&subtype=${encodeURIComponent(EMERGENCIES)}&_count=100`;
  for (let pages = 0; urgent && pages < PAGES; pages += 1) urgent = log.take(await read(urgent));
  await log.load(`${about}&_count=200`);
  return {
    title: t("JOURNAL"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/access" }, `← ${t("ACCESS")}`)),
      h("h1", { tabindex: "-1" }, t("JOURNAL")),
      h("p", { class: "lead" }, t("JOURNAL_LEAD")),
      h("div", { class: "two filters" }, log.who.element, log.kind.element),
      h("label", { class: "choice", for: "own" }, log.own, log.owns),
      log.shown, log.more,
    ],
  };
}
