// Messages: what the clinic wrote and what was written to it, newest first; an answer.
// https://hl7.org/fhir/R4/communication.html
import * as dates from "../app/dates.js";
import { button, h, problem } from "../app/dom.js";
import { hasCode, isTo, matches, nextPage, words } from "../app/fhir.js";
import { t } from "../app/language.js";
import { isMine, isReached, isUnread } from "../app/messages.js";
import { patientId, read } from "../app/session.js";
import * as unread from "../app/unread.js";
import { saveFile } from "./files.js";
import { form, textOf } from "./writing.js";

const PURPOSES = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

const people = (references) => (references || []).map((each) => each && each.display).filter(Boolean).join(", ");

/** A break-glass notice and the like: it wants attention. */
const isAlarm = (message) => hasCode(message.reasonCode, PURPOSES, "BTG") || ["urgent", "asap", "stat"].includes(message.priority);

function attachment(each) {
  const row = h("p", {});
  row.append(button(t("SAVE_FILE", { name: each.title || t("FILE") }), { class: "second slim" }, async () => {
    try {
      await saveFile(each);
    } catch {
      row.append(problem(t("FILE_FAILED")));
    }
  }));
  return row;
}

function answering(message, card) {
  const { text, parts } = textOf(`answer-${message.id}`, t("YOUR_ANSWER"));
  const said = () => ({ to: message.sender, text: text.value, topic: message.topic, answered: message.id });
  card.append(form(parts, said, () => window.dispatchEvent(new HashChangeEvent("hashchange"))));
  text.focus();
}

function drawn(message) {
  const mine = isMine(message);
  const card = h("li", { class: `card message ${mine ? "mine" : ""} ${isAlarm(message) ? "alarm" : ""}` },
    h("div", { class: "row" },
      h("h2", { class: "name" }, words(message.topic) || t("MESSAGE"), isUnread(message) && h("span", { class: "badge new" }, t("UNREAD"))),
      h("small", {}, dates.moment(message.sent || message.received))),
    h("p", { class: "hint" }, mine ? t("TO", { who: people(message.recipient) }) : t("FROM", { who: people([message.sender]) || t("THE_CLINIC") })),
    (message.payload || []).map((each) => (each.contentString ? h("p", { class: "said" }, each.contentString)
      : each.contentAttachment && attachment(each.contentAttachment))));
  if ((message.about || []).some((each) => isTo(each, "Appointment"))) card.append(h("p", {}, h("a", { class: "more", href: "#/visits" }, t("TO_VISITS"))));
  if (!mine && isReached(message.sender)) {
    const open = button(t("ANSWER"), { class: "second slim" }, async () => {
      open.remove();
      answering(message, card);
    });
    card.append(open);
  }
  return card;
}

export async function show() {
  const list = h("ul", { class: "choices" });
  const more = h("div", {});
  const load = async (page) => {
    const bundle = await read(page);
    const shown = matches(bundle);
    list.append(...shown.map(drawn));
    unread.read(shown);
    const next = nextPage(bundle);
    more.replaceChildren(...(next ? [button(t("MORE_ROWS"), { class: "second" }, () => load(next))] : []));
  };
  await load(`Communication?patient=${patientId()}&_sort=-sent&_count=30`);
  return {
    title: t("MESSAGES"),
    content: [
      h("div", { class: "row" }, h("h1", { tabindex: "-1" }, t("MESSAGES")), h("a", { class: "button", href: "#/write" }, t("WRITE"))),
      list.childElementCount ? list : h("p", { class: "card" }, t("NO_MESSAGES")),
      more,
    ],
  };
}
