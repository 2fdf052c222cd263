// The access log: who looked at the record, changed it, or tried to; newest first.
import { grouped, told } from "../app/audit.js";
import * as dates from "../app/dates.js";
import { button, h } from "../app/dom.js";
import { matches, nextPage } from "../app/fhir.js";
import { n, t } from "../app/language.js";
import { TEXTS } from "../app/texts.js";
import { patientId, read, title, user } from "../app/session.js";

const OWN_NAME = document.documentElement.dataset.titleEn;

const kind = (type) => (TEXTS[`OF_${type}`] ? t(`OF_${type}`) : t("OF_OTHER"));

function drawn(each) {
  const said = [t(each.action), [...new Set(each.kinds.map(kind))].join(", ")].filter(Boolean).join(": ");
  const app = each.app === OWN_NAME ? title() : each.app;
  return h("li", { class: `card ${each.emergency ? "alarm" : ""}` },
    h("div", { class: "row" }, h("h2", { class: "name" }, each.isMe ? t("YOU") : each.who || app || t("SYSTEM")), h("small", {}, dates.moment(each.at))),
    each.emergency && h("p", { class: "badge high" }, t("EMERGENCY")),
    h("p", {}, said, each.count > 1 && ` (${n("TIMES_DONE", each.count)})`),
    each.who && app && h("p", { class: "hint" }, t("BY_APP", { name: app })));
}

export async function show() {
  const list = h("ul", { class: "choices" });
  const more = h("div", {});
  const load = async (page) => {
    const bundle = await read(page);
    list.append(...grouped(matches(bundle).map((each) => told(each, user()))).map(drawn));
    const next = nextPage(bundle);
    more.replaceChildren(...(next ? [button(t("MORE_ROWS"), { class: "second" }, () => load(next))] : []));
  };
  await load(`AuditEvent?patient=${patientId()}&_sort=-date&_count=100`);
  return {
    title: t("JOURNAL"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/access" }, `← ${t("ACCESS")}`)),
      h("h1", { tabindex: "-1" }, t("JOURNAL")),
      h("p", { class: "lead" }, t("JOURNAL_LEAD")),
      list.childElementCount ? list : h("p", { class: "card" }, t("NOTHING_HERE")),
      more,
    ],
  };
}
