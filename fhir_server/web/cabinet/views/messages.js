// Messages: what the clinic wrote and what was written to it, newest first; an answer.
// https://hl7.org/fhir/R4/communication.html
import * as dates from "../app/dates.js";
import { button, h, problem, say } from "../app/dom.js";
import { hasCode, isTo, matches, nextPage, words } from "../app/fhir.js";
import { t } from "../app/language.js";
import { Offline, Refusal, create, patientId, read } from "../app/session.js";
import { saveFile } from "./files.js";

const PURPOSES = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const LONGEST = 4000;

const isMine = (message) => isTo(message.sender, "Patient") || isTo(message.sender, "Person") || isTo(message.sender, "RelatedPerson");
const people = (references) => (references || []).map((each) => each.display).filter(Boolean).join(", ");

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
  const id = `answer-${message.id}`;
  const text = /** @type {HTMLTextAreaElement} */ (h("textarea", { id, maxlength: LONGEST, rows: 4, required: true }));
  const box = h("form", { class: "answer" }, h("label", { for: id }, t("YOUR_ANSWER")), text,
    h("div", { class: "answers" }, h("button", { class: "main" }, t("SEND"))));
  box.addEventListener("submit", async (event) => {
    event.preventDefault();
    box.querySelector(".problem")?.remove();
    const send = box.querySelector("button");
    send.disabled = true;
    try {
      await create({
        resourceType: "Communication", status: "completed", subject: { reference: `Patient/${patientId()}` },
        sender: { reference: `Patient/${patientId()}` }, recipient: [message.sender], sent: new Date().toISOString(),
        inResponseTo: [{ reference: `Communication/${message.id}` }], ...(message.topic ? { topic: message.topic } : {}),
        payload: [{ contentString: text.value }],
      });
      say(t("SENT"));
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Offline)) throw error;
      const shown = problem(error instanceof Offline ? t("OFFLINE_ACT") : error.message);
      box.append(shown);
      shown.focus();
      send.disabled = false;
    }
  });
  card.append(box);
  text.focus();
}

function drawn(message) {
  const mine = isMine(message);
  const card = h("li", { class: `card message ${mine ? "mine" : ""} ${isAlarm(message) ? "alarm" : ""}` },
    h("div", { class: "row" },
      h("h2", { class: "name" }, words(message.topic) || t("MESSAGE")),
      h("small", {}, dates.moment(message.sent || message.received))),
    h("p", { class: "hint" }, mine ? t("TO", { who: people(message.recipient) }) : t("FROM", { who: people([message.sender]) || t("THE_CLINIC") })),
    (message.payload || []).map((each) => (each.contentString ? h("p", { class: "said" }, each.contentString)
      : each.contentAttachment && attachment(each.contentAttachment))));
  if (!mine && isTo(message.sender, "Practitioner")) {
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
    list.append(...matches(bundle).map(drawn));
    const next = nextPage(bundle);
    more.replaceChildren(...(next ? [button(t("MORE_ROWS"), { class: "second" }, () => load(next))] : []));
  };
  await load(`Communication?patient=${patientId()}&_sort=-sent&_count=30`);
  return {
    title: t("MESSAGES"),
    content: [
      h("h1", { tabindex: "-1" }, t("MESSAGES")),
      list.childElementCount ? list : h("p", { class: "card" }, t("NO_MESSAGES")),
      more,
    ],
  };
}
