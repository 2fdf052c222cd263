// A time that is held for the person: confirm it before it is over, or let it go.
import * as dates from "../app/dates.js";
import * as visits from "../app/appointments.js";
import { button, h, problem, say } from "../app/dom.js";
import { matches, target } from "../app/fhir.js";
import { n, t } from "../app/language.js";
import { Offline, Refusal, look, operate } from "../app/session.js";
import { ticket } from "./ticket.js";

const TOLD = [300, 120, 60, 30]; // seconds left at which a screen reader is told

/** Seconds as a clock; stops by itself when it is off the page. */
function countdown(until, over) {
  const clock = h("strong", { class: "clock", role: "timer" });
  const tick = () => {
    const left = Math.max(0, Math.round((Date.parse(until) - Date.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (TOLD.includes(left)) say(n("SECONDS_LEFT", left));
    if (left === 0) over();
    if (left === 0 || (started && !clock.isConnected)) clearInterval(timer);
    started = clock.isConnected;
  };
  let started = false;
  const timer = setInterval(tick, 1000);
  tick();
  return clock;
}

/** The doctor's calendar, to choose another time there. */
async function back(visit) {
  const [first] = visits.slots(visit);
  const slot = first ? await look(first).catch(() => null) : null;
  return slot ? `#/book/doctor/${target(slot.schedule).split("/")[1]}` : "#/book";
}

function booked(visit) {
  return [
    h("h1", { tabindex: "-1" }, t("BOOKED")),
    h("article", { class: "card visit coming" },
      h("h2", {}, dates.visit(visit.start)),
      h("p", {}, [visits.doctor(visit), visits.speciality(visit)].filter(Boolean).join(" · ")),
      visits.where(visit) && h("p", { class: "hint" }, visits.where(visit)),
      visit.patientInstruction && h("p", { class: "note" }, visit.patientInstruction), ticket(visit)),
    h("p", {}, h("a", { class: "button", href: "#/visits" }, t("TO_VISITS"))),
  ];
}

export async function show(id) {
  const visit = await look(`Appointment/${id}`);
  if (visit.status !== "pending") return { title: t("BOOKED"), content: visit.status === "booked" ? booked(visit) : over("#/book") };
  const elsewhere = await back(visit);
  const box = h("section", { class: "card visit" });
  const refused = (error) => {
    if (!(error instanceof Refusal || error instanceof Offline)) throw error;
    box.querySelector(".problem")?.remove();
    const shown = problem(error instanceof Offline ? t("OFFLINE_ACT") : error.message, h("p", {}, h("a", { href: elsewhere }, t("OTHER_TIME"))));
    box.append(shown);
    shown.focus();
  };
  const key = crypto.randomUUID();
  const confirm = button(t("CONFIRM"), { class: "main" }, async () => {
    try {
      const bundle = await operate("Appointment/$book", { "appointment-reference": ["Reference", { reference: `Appointment/${id}` }] }, key);
      const main = document.getElementById("content");
      main.replaceChildren(...booked(matches(bundle)[0] || bundle));
      main.querySelector("h1").focus();
    } catch (error) {
      refused(error);
    }
  });
  const leave = button(t("OTHER_TIME"), { class: "second" }, async () => {
    await operate(`Appointment/${id}/$cancel`).catch(() => {}); // if it fails, the hold ends by itself
    location.hash = elsewhere;
  });
  const ended = () => {
    if (!box.isConnected) return;
    box.replaceChildren(...over(elsewhere).slice(1));
    box.querySelector("[role=alert]").focus();
  };
  box.append(
    h("h2", {}, dates.visit(visit.start)),
    h("p", {}, [visits.doctor(visit), visits.speciality(visit)].filter(Boolean).join(" · ")),
    visits.where(visit) ? h("p", { class: "hint" }, visits.where(visit)) : "",
    h("p", { class: "due" }, `${t("HELD_FOR")} `, countdown(visits.heldUntil(visit), ended)),
    h("div", { class: "answers" }, confirm, leave));
  return { title: t("CONFIRM_TITLE"), content: [h("h1", { tabindex: "-1" }, t("CONFIRM_TITLE")), box] };
}

function over(elsewhere) {
  return [
    h("h1", { tabindex: "-1" }, t("HOLD_OVER")),
    problem(t("HOLD_OVER"), h("p", {}, h("a", { href: elsewhere }, t("OTHER_TIME")))),
  ];
}
