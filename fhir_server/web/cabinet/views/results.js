// Results: each test with its newest value, how it went over time, and every value in a table.
import * as dates from "../app/dates.js";
import { chart, spark } from "../app/chart.js";
import { h } from "../app/dom.js";
import { matches, nextPage } from "../app/fhir.js";
import { n, t } from "../app/language.js";
import { series } from "../app/series.js";
import { patientId, read } from "../app/session.js";

const ELEMENTS = "code,effective,value,referenceRange,interpretation,component,category,status,issued";
const MOST = 1000;
const GROUPS = [["laboratory", "LABORATORY"], ["vital-signs", "VITALS"], ["other", "OTHER_RESULTS"]];

async function all() {
  const found = [];
  let page = `Observation?patient=${patientId()}&_sort=-date&_count=200&_elements=${ELEMENTS}`;
  while (page && found.length < MOST) {
    const bundle = await read(page);
    found.push(...matches(bundle));
    page = nextPage(bundle);
  }
  return { tests: series(found), cut: Boolean(page) };
}

const flag = (row) => row.deviation && h("span", { class: `badge ${row.deviation}` }, t(row.deviation === "high" ? "HIGH" : "LOW"));

const drawable = (test) => [...test.lines.values()].filter((line) => line.length > 1);

function row(test) {
  const [newest] = test.rows;
  const lines = drawable(test);
  return h("li", {}, h("a", { class: "card link result", href: `#/results/${encodeURIComponent(test.key)}` },
    h("strong", {}, test.name), h("span", { class: "value" }, newest.value, " ", flag(newest)),
    lines.length > 0 && spark(lines),
    h("small", {}, dates.day(newest.at), newest.range && ` · ${t("NORMAL", { range: newest.range })}`)));
}

function table(test) {
  return h("table", {},
    h("caption", {}, n("VALUES", test.rows.length)),
    h("thead", {}, h("tr", {}, [t("DATE"), t("VALUE"), t("RANGE")].map((each) => h("th", { scope: "col" }, each)))),
    h("tbody", {}, test.rows.map((each) => h("tr", {},
      h("th", { scope: "row" }, dates.dayShort(each.at)),
      h("td", {}, each.value, " ", flag(each), each.status === "preliminary" && h("small", {}, ` ${t("PRELIMINARY")}`)),
      h("td", {}, each.range || "–")))));
}

function legend(test) {
  const names = [...test.lines.keys()].filter(Boolean);
  return names.length > 1 && h("ul", { class: "legend" }, names.map((name, index) => h("li", { class: `line-${index}` }, name)));
}

function one(test) {
  const lines = drawable(test);
  const unit = lines.length ? lines[0][lines[0].length - 1].unit : "";
  return {
    title: test.name,
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/results" }, `← ${t("RESULTS")}`)),
      h("h1", { tabindex: "-1" }, test.name),
      lines.length > 0 && h("figure", { class: "card" },
        chart(lines, t("CHART", { name: test.name })),
        h("figcaption", { class: "hint" }, [unit, test.rows[0].range && t("NORMAL", { range: test.rows[0].range })].filter(Boolean).join(" · ")),
        legend(test)),
      h("div", { class: "card" }, table(test)),
    ].filter(Boolean),
  };
}

export async function show(key) {
  const { tests, cut } = await all();
  const found = key && tests.find((each) => each.key === key);
  if (found) return one(found);
  return {
    title: t("RESULTS"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/card" }, `← ${t("CARD")}`)),
      h("h1", { tabindex: "-1" }, t("RESULTS")),
      GROUPS.map(([group, title]) => [title, tests.filter((each) => each.group === group)])
        .filter(([, list]) => list.length)
        .map(([title, list]) => h("section", {}, h("h2", {}, t(/** @type {string} */ (title))), h("ul", { class: "choices two" }, /** @type {any[]} */ (list).map(row)))),
      tests.length === 0 && h("p", { class: "card" }, t("NOTHING_HERE")),
      cut && h("p", { class: "hint" }, t("ONLY_NEWEST", { n: MOST })),
    ].flat().filter(Boolean),
  };
}
