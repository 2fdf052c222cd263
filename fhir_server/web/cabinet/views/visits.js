// My visits: coming, offered, waited for, past; move, cancel, answer an offer, leave the queue.
import * as dates from "../app/dates.js";
import * as visits from "../app/appointments.js";
import { asked, button, h, problem, say } from "../app/dom.js";
import { hasCode, matches, nextPage, words } from "../app/fhir.js";
import { n, t } from "../app/language.js";
import { named } from "../app/names.js";
import { Offline, Refusal, create, look, offers, operate, patientId, read } from "../app/session.js";
import { ticket } from "./ticket.js";

const REASONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason";
const QUEUE_REASONS = "https://fhir-server.example/CodeSystem/cancellation-reason";

const again = () => window.dispatchEvent(new HashChangeEvent("hashchange"));

/** Do it, then show the page anew; a refusal stands on the card, in the server's words. */
async function done(card, act, said) {
  card.querySelector(".problem")?.remove();
  try {
    await act();
    say(said);
    again();
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Offline)) throw error;
    const text = error instanceof Offline ? t("OFFLINE_ACT") : error.message;
    const shown = problem(text);
    card.append(shown);
    shown.focus();
  }
}

function cancel(visit, card, question, said) {
  return button(question, { class: "danger" }, async () => {
    const sure = await asked(t("SURE_CANCEL", { when: visit.start ? dates.visit(visit.start) : visits.speciality(visit) }),
      t("YES_CANCEL"), t("KEEP_IT"));
    if (sure) await done(card, () => operate(`Appointment/${visit.id}/$cancel`, { reason: ["String", "pat"] }), said);
  });
}

function answer(visit, status) {
  return create({
    resourceType: "AppointmentResponse",
    appointment: { reference: `Appointment/${visit.id}` },
    actor: { reference: `Patient/${patientId()}` },
    participantStatus: status,
  });
}

function ofOffer(visit, card) {
  const until = visits.offerUntil(visit);
  const last = visits.isLastOffer(visit) && h("p", {}, t("LAST_OFFER"));
  return [
    until && h("p", { class: "due" }, t("OFFER_UNTIL", { when: dates.moment(until) })),
    h("div", { class: "answers" },
      button(t("TAKE_OFFER"), { class: "main" }, () => done(card, () => answer(visit, "accepted"), t("OFFER_TAKEN"))),
      button(t("REFUSE_OFFER"), { class: "second" }, async () => {
        if (await asked(t("SURE_REFUSE"), t("REFUSE_OFFER"), t("KEEP_IT"), last || "")) {
          await done(card, () => answer(visit, "declined"), t(last ? "LEFT_QUEUE" : "OFFER_REFUSED"));
        }
      })),
  ];
}

function ofHold(visit, card) {
  return h("div", { class: "answers" },
    h("a", { class: "button", href: `#/confirm/${visit.id}` }, t("GO_ON")),
    button(t("LET_GO"), { class: "second" }, () => done(card, () => operate(`Appointment/${visit.id}/$cancel`), t("LET_GO_DONE"))));
}

/** What `$waitlist-status` says, by name; nothing where it cannot be asked. */
async function standing(visit) {
  if (!(await offers("Appointment", "waitlist-status"))) return {};
  const found = await look(`Appointment/${visit.id}/$waitlist-status`);
  return Object.fromEntries(found.parameter.map((each) => [each.name, each.valueUnsignedInt]));
}

function ofWaiting(visit, card) {
  const place = h("p", { class: "position" });
  const offered = h("p", { class: "hint offered" });
  standing(visit).then(({ position, offersMade, offersLimit }) => {
    if (position) place.textContent = t("POSITION", { n: position });
    if (offersMade) offered.textContent = offersLimit ? t("OFFERS_OF", { n: offersMade, limit: offersLimit }) : t("OFFERS_MADE", { n: offersMade });
  }).catch(() => {});
  return [place, offered, h("div", { class: "answers" }, cancel(visit, card, t("LEAVE_QUEUE"), t("LEFT_QUEUE")))];
}

function ofComing(visit, card) {
  return [ticket(visit), h("div", { class: "answers" },
    h("a", { class: "button second", href: `#/book/move/${visit.id}` }, t("MOVE")),
    cancel(visit, card, t("CANCEL"), t("CANCELLED")))];
}

const STATES = { cancelled: "STATE_CANCELLED", noshow: "STATE_NOSHOW", fulfilled: "STATE_FULFILLED", waitlist: "STATE_WAITING", proposed: "STATE_PROPOSED", pending: "STATE_PENDING" };

/** When it is; of a place in the queue what is waited for, and that it is one where nothing else says so. */
function title(visit, kind) {
  if (visit.start) return dates.visit(visit.start);
  const queue = kind === "past" && visits.isOfQueue(visit) && t("QUEUE");
  return [queue, visits.speciality(visit)].filter(Boolean).join(": ");
}

/** Why it was cancelled; that the patient did it is no news. */
function why(visit) {
  if (visit.status !== "cancelled" || hasCode(visit.cancelationReason, REASONS, "pat")) return "";
  return hasCode(visit.cancelationReason, QUEUE_REASONS, "waitlist-exhausted") ? t("EXHAUSTED") : words(visit.cancelationReason);
}

/** A visit with what can be done about it; `moved`: another one took its place. */
export function visitCard(visit, moved = false) {
  const [kind] = Object.entries(visits.sorted([visit])).find(([, list]) => list.length) || ["past"];
  const state = moved ? "STATE_MOVED" : STATES[visit.status];
  const card = h("article", { class: `card visit ${kind}` },
    h("h3", {}, title(visit, kind)),
    h("p", {}, [visits.doctor(visit), visit.start && visits.speciality(visit)].filter(Boolean).join(" · ")),
    visits.where(visit) && h("p", { class: "hint" }, visits.where(visit)),
    state && kind !== "offers" && h("p", { class: `state ${moved ? "moved" : visit.status}` }, t(state)),
    why(visit) && h("p", { class: "hint" }, why(visit)),
    visit.patientInstruction && kind === "coming" && h("p", { class: "note" }, visit.patientInstruction));
  const more = { offers: ofOffer, held: ofHold, waiting: ofWaiting, coming: ofComing }[kind];
  if (more) card.append(...[more(visit, card)].flat(Infinity).filter(Boolean));
  return card;
}

function group(title, list) {
  return list.length ? h("section", {}, h("h2", {}, title), list.map((each) => visitCard(each))) : null;
}

const PAST = 5;

export async function show() {
  const all = [];
  let page = `Appointment?patient=${patientId()}&_sort=-date&_count=100`;
  while (page && all.length < 500) {
    const bundle = await read(page);
    all.push(...matches(bundle));
    page = nextPage(bundle);
  }
  const found = visits.sorted(await named(all));
  const moved = new Set(all.map(visits.replaced));
  const past = found.past.map((each) => visitCard(each, moved.has(`Appointment/${each.id}`)));
  const old = h("details", {}, h("summary", {}, h("h2", {}, n("EARLIER", found.past.length))), past);
  if (found.past.length <= PAST) old.setAttribute("open", "");
  const note = dates.zoneNote([...found.offers, ...found.held, ...found.coming].map((each) => each.start));
  return {
    title: t("VISITS"),
    content: [
      h("div", { class: "row" }, h("h1", { tabindex: "-1" }, t("VISITS")), h("a", { class: "button", href: "#/book" }, t("BOOK"))),
      note && h("p", { class: "hint" }, note),
      group(t("OFFERS"), found.offers), group(t("HELD"), found.held),
      group(t("COMING"), found.coming),
      found.coming.length + found.offers.length + found.held.length === 0 && h("p", { class: "card" }, t("NO_VISITS")),
      group(t("WAITING"), found.waiting),
      found.past.length ? old : null,
    ].filter(Boolean),
  };
}
