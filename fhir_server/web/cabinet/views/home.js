// What comes next: the coming visit, offers that want an answer, the newest message and result.
import * as dates from "../app/dates.js";
import { h } from "../app/dom.js";
import { matches, name, value, when, words } from "../app/fhir.js";
import { sorted } from "../app/appointments.js";
import { t } from "../app/language.js";
import { isMine, isUnread } from "../app/messages.js";
import { named } from "../app/names.js";
import { Refusal, patientId, read } from "../app/session.js";
import * as whose from "../app/whose.js";
import { visitCard } from "./visits.js";

const since = () => new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);

function section(title, href, ...content) {
  return h("section", {}, h("div", { class: "row" }, h("h2", {}, title), h("a", { class: "more", href }, t("ALL"))), content);
}

function latest(message) {
  const said = (message.payload || []).map((each) => each.contentString).find(Boolean) || "";
  return h("a", { class: "card link", href: "#/messages" },
    h("strong", {}, words(message.topic) || (message.sender && message.sender.display) || t("MESSAGE"),
      isUnread(message) && h("span", { class: "badge new" }, t("UNREAD"))),
    h("span", { class: "clip" }, said), h("small", {}, dates.moment(message.sent || message.received)));
}

function result(observation) {
  return h("a", { class: "card link", href: "#/results" },
    h("strong", {}, words(observation.code)), h("span", {}, value(observation)), h("small", {}, dates.day(when(observation))));
}

/** What the person has not let this page see is left out here. */
const unless = (refused) => (error) => {
  if (error instanceof Refusal && error.status === 403) return refused;
  throw error;
};

export async function show() {
  const about = `patient=${patientId()}`;
  const nothing = unless({ entry: [] });
  const [patient, visits, messages, results] = await Promise.all([
    whose.patient().catch(unless({})),
    read(`Appointment?${about}&status=booked,pending,proposed,waitlist,arrived&_count=50`).catch(nothing),
    read(`Communication?${about}&_sort=-sent&_count=5`).catch(nothing),
    read(`Observation?${about}&category=laboratory&_sort=-date&_count=1`).catch(nothing),
  ]);
  const found = sorted(await named(matches(visits)));
  const coming = found.coming.filter((each) => each.start.slice(0, 10) >= since());
  const message = matches(messages).find((each) => !isMine(each));
  const [newest] = matches(results);
  return {
    title: t("HOME"),
    content: [
      h("h1", { tabindex: "-1" }, name(patient.name) || t("HOME")),
      h("p", { class: "actions" }, h("a", { class: "button", href: "#/book" }, t("BOOK"))),
      found.offers.length > 0 && section(t("OFFERS"), "#/visits", found.offers.map((each) => visitCard(each))),
      found.held.length > 0 && section(t("HELD"), "#/visits", found.held.map((each) => visitCard(each))),
      section(t("NEXT_VISIT"), "#/visits", coming.length ? visitCard(coming[0]) : h("p", { class: "card" }, t("NO_VISITS"))),
      message && section(t("NEWEST_MESSAGE"), "#/messages", latest(message)),
      newest && section(t("NEWEST_RESULT"), "#/results", result(newest)),
    ].filter(Boolean),
  };
}
