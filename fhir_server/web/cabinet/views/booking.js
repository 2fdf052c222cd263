// Booking: speciality, doctor, free time. A time that is chosen is held, and then confirmed;
// one that somebody else took meanwhile is said to be gone, and others are offered.
import * as calendar from "../app/calendar.js";
import * as dates from "../app/dates.js";
import { doctor, isPatientOf, slots } from "../app/appointments.js";
import { asked, button, choice, h, problem, say } from "../app/dom.js";
import { isTo, matches, nextPage, target, words } from "../app/fhir.js";
import { n, t } from "../app/language.js";
import * as places from "../app/places.js";
import { fitting } from "../app/referrals.js";
import { TEXTS } from "../app/texts.js";
import { Offline, Refusal, look, offers, operate, patientId, read } from "../app/session.js";

const AHEAD = 60; // days
const GONE = ["slot-taken", "slot-past", "hold-expired"];

const crumb = (href, text) => h("p", { class: "crumb" }, h("a", { href }, `← ${text}`));

/** Every schedule that can be booked, as who it is of. */
async function doctors() {
  const found = [];
  let page = "Schedule?active=true&_elements=specialty,actor&_count=200";
  while (page) {
    const bundle = await read(page);
    found.push(...matches(bundle));
    page = nextPage(bundle);
  }
  return found.map((each) => {
    const actor = (...kinds) => (each.actor || []).find((one) => kinds.some((kind) => isTo(one, kind)) && one.display);
    const named = actor("Practitioner", "PractitionerRole") || actor("HealthcareService", "Location");
    const of = (each.actor || []).find((one) => isTo(one, "Practitioner") || isTo(one, "PractitionerRole"));
    return {
      id: each.id,
      name: named ? named.display : each.id,
      place: (actor("Location") || {}).display || "",
      speciality: (each.specialty || []).map(words)[0] || t("OTHER_SPECIALITY"),
      coding: (((each.specialty || [])[0] || {}).coding || []).slice(-1)[0],
      actor: of ? target(of) : "",
    };
  });
}

async function specialities() {
  const names = new Map();
  for (const each of await doctors()) names.set(each.speciality, (names.get(each.speciality) || 0) + 1);
  const rows = [...names].sort(([a], [b]) => a.localeCompare(b));
  return {
    title: t("BOOK"),
    content: [
      h("h1", { tabindex: "-1" }, t("CHOOSE_SPECIALITY")),
      h("ul", { class: "choices" }, rows.map(([name, count]) => h("li", {},
        h("a", { class: "card link", href: `#/book/speciality/${encodeURIComponent(name)}` },
          h("strong", {}, name), h("small", {}, n("DOCTORS", count)))))),
    ],
  };
}

async function ofSpeciality(name) {
  const all = (await doctors()).filter((each) => each.speciality === name);
  const soonest = await places.soonest(all.map((each) => each.id));
  const when = (each) => (soonest.has(each.id) ? Date.parse(soonest.get(each.id)) : Infinity);
  const found = all.sort((one, other) => when(one) - when(other) || one.name.localeCompare(other.name));
  return {
    title: name,
    content: [
      crumb("#/book", t("CHOOSE_SPECIALITY")),
      h("h1", { tabindex: "-1" }, name),
      h("ul", { class: "choices" }, found.map((each) => h("li", {},
        h("a", { class: "card link", href: `#/book/doctor/${each.id}` },
          h("strong", {}, each.name), each.place && h("span", {}, each.place),
          h("small", {}, soonest.has(each.id) ? t("SOONEST", { when: dates.visit(soonest.get(each.id)) }) : t("NO_TIME_SOON")))))),
      soonest.size === 0 && await queue(found[0], false),
    ].filter(Boolean),
  };
}

/** Where nothing is free: to wait for the doctor, or for any of the speciality. */
async function queue(of, withDoctor) {
  if (!of || !(await offers("Appointment", "waitlist-join").catch(() => false))) return null;
  const choices = h("div", { class: "answers" });
  const box = h("section", { class: "card" }, h("h2", {}, t("QUEUE")), h("p", {}, t("QUEUE_LEAD")), choices);
  const join = (text, given) => button(text, { class: "main" }, async () => {
    box.querySelector(".problem")?.remove();
    try {
      const period = { start: new Date().toISOString(), end: new Date(Date.now() + AHEAD * 86_400_000).toISOString() };
      await operate("Appointment/$waitlist-join", { ...given, period: ["Period", period], patient: ["Reference", { reference: `Patient/${patientId()}` }] });
      say(t("QUEUED"));
      location.hash = "#/visits";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const said = problem(error.message);
      box.append(said);
      said.focus();
    }
  });
  if (withDoctor && of.actor) choices.append(join(t("QUEUE_DOCTOR"), { practitioner: ["Reference", { reference: of.actor }] }));
  if (of.coding) choices.append(join(t("QUEUE_ANY", { name: of.speciality }), { specialty: ["Coding", of.coding] }));
  return box;
}

/** The referrals that the visit is based on: one, where one is demanded and there; the person
 * chooses of several, or null where that was given up. */
async function referrals(of, place) {
  if (!place.requires.includes("referral")) return [];
  const bundle = await look(`ServiceRequest?patient=${patientId()}&status=active&_sort=-authored&_count=50`);
  const found = fitting(matches(bundle), of.coding, place.start);
  const said = (each) => [words(each.code), dates.day(each.authoredOn)].filter(Boolean).join(", ");
  const index = found.length > 1 ? await choice(t("WHICH_REFERRAL"), found.map(said), t("KEEP_IT")) : 0;
  return index < 0 ? null : found.slice(index, index + 1);
}

/** Take the place for now, and go on to confirm it. */
async function hold(of, place) {
  const based = await referrals(of, place);
  if (!based) return;
  const visit = {
    resourceType: "Appointment", status: "pending", slot: [{ reference: `Slot/${place.id}` }],
    participant: [{ actor: { reference: `Patient/${patientId()}` }, status: "accepted" }],
    ...(based.length ? { basedOn: based.map((each) => ({ reference: `ServiceRequest/${each.id}` })) } : {}),
  };
  const bundle = await operate("Appointment/$hold", { "appointment-resource": ["Resource", visit] });
  location.hash = `#/confirm/${matches(bundle)[0].id}`;
}

async function move(visit, place) {
  const sure = await asked(t("SURE_MOVE", { before: dates.visit(visit.start), after: dates.visit(place.start) }), t("MOVE"), t("KEEP_IT"));
  if (!sure) return;
  await operate(`Appointment/${visit.id}/$reschedule`, { slot: ["Reference", { reference: `Slot/${place.id}` }] });
  say(t("MOVED"));
  location.hash = "#/visits";
}

/** Days that have free times, and the times of the one that is chosen. */
class Calendar {
  constructor(of, take) {
    this.of = of;
    this.take = take;
    this.days = [];
    this.places = [];
    this.next = null;
    this.chosen = "";
    this.said = h("div", {});
    this.strip = h("div", { class: "days", role: "group", "aria-label": t("DAYS") });
    this.times = h("div", { class: "times" });
    this.element = h("div", {}, this.said, this.strip, this.times);
  }

  /** The places as they are now. */
  async load() {
    const found = await places.free(this.of.id);
    this.places = [];
    return this.add(found);
  }

  async add(found) {
    this.places.push(...found.places);
    this.next = found.next;
    this.days = calendar.days(this.places, dates);
    if (!this.days.some((each) => each.day === this.chosen)) this.chosen = this.days.length ? this.days[0].day : "";
    await this.draw();
    return this.places;
  }

  /** The days; behind them a button for those that are further ahead. */
  dayButtons() {
    const shown = this.days.map(({ day, places: list }) => h("button", {
      type: "button", class: "day", "aria-pressed": String(day === this.chosen), "data-day": day,
      onclick: () => { this.chosen = day; this.draw(); this.strip.querySelector(`[data-day="${day}"]`).focus(); },
    }, h("span", {}, dates.weekday(list[0].start)), h("strong", {}, dates.dayOfMonth(list[0].start)), h("small", {}, n("TIMES", list.length))));
    const later = this.next && button(t("LATER_DAYS"), { class: "day" }, async () => {
      await this.add(await places.more(this.next));
      /** @type {HTMLElement} */ (this.strip.children[shown.length] || this.strip.lastElementChild).focus();
    });
    return later ? [...shown, later] : shown;
  }

  async draw() {
    this.strip.replaceChildren(...this.dayButtons());
    const day = this.days.find((each) => each.day === this.chosen);
    if (!day) {
      this.times.replaceChildren(...[h("p", { class: "card" }, t("NO_TIME")), await queue(this.of, true)].filter(Boolean));
      return;
    }
    const requires = [...new Set(day.places.flatMap((each) => each.requires))].filter((each) => TEXTS[`REQUIRES_${each}`]);
    this.times.replaceChildren(h("h2", {}, dates.dayAndWeekday(day.places[0].start)),
      ...requires.map((each) => h("p", { class: "note" }, t(`REQUIRES_${each}`))),
      ...calendar.parts(day.places, dates).map(([part, list]) => h("section", {}, h("h3", {}, t(part)),
        h("div", { class: "grid" }, list.map((each) => this.time(each, dates.time(each.start)))))));
  }

  time(place, text) {
    return button(text, { class: "time", "data-slot": place.id, "aria-label": `${dates.visit(place.start)}` }, async () => {
      this.said.replaceChildren();
      try {
        await this.take(place);
      } catch (error) {
        if (!(error instanceof Refusal || error instanceof Offline)) throw error;
        await this.refused(place, error);
      }
    });
  }

  /** Say why not; and of a time that is gone, which are near to it. */
  async refused(place, error) {
    const text = error instanceof Offline ? t("OFFLINE_ACT") : error.message;
    let more = null;
    if (GONE.includes(error.code)) {
      const others = calendar.nearest(await this.load(), place.start);
      more = others.length > 0 && [h("p", {}, t("NEAR_TIMES")),
        h("div", { class: "grid wide" }, others.map((each) => this.time(each, `${dates.dayOfMonth(each.start)}, ${dates.time(each.start)}`)))];
    }
    const shown = problem(text, more);
    this.said.replaceChildren(shown);
    shown.focus();
  }
}

async function ofDoctor(id, visit) {
  const of = (await doctors()).find((each) => each.id === id);
  if (!of) throw new Refusal(404, t("GONE"), "not-found");
  const shown = new Calendar(of, visit ? (place) => move(visit, place) : (place) => hold(of, place));
  await shown.load();
  const note = dates.zoneNote(shown.places.map((each) => each.start));
  return {
    title: of.name,
    content: [
      visit ? crumb("#/visits", t("VISITS")) : crumb(`#/book/speciality/${encodeURIComponent(of.speciality)}`, of.speciality),
      h("h1", { tabindex: "-1" }, of.name),
      h("p", { class: "lead" }, [of.speciality, of.place].filter(Boolean).join(" · ")),
      visit && h("p", { class: "note" }, t("MOVING", { when: dates.visit(visit.start) })),
      note && h("p", { class: "hint" }, note),
      shown.element,
    ].filter(Boolean),
  };
}

/** To move a visit: the same doctor's calendar, by the schedule of its place. */
async function moving(id) {
  const visit = await read(`Appointment/${id}`);
  const [first] = slots(visit);
  const slot = first ? await look(first) : null;
  if (slot) return ofDoctor(target(slot.schedule).split("/")[1], visit);
  const known = (await doctors()).find((each) => each.name === doctor(visit));
  if (!known || !visit.participant.some(isPatientOf(patientId()))) throw new Refusal(404, t("GONE"), "not-found");
  return ofDoctor(known.id, visit);
}

export function show(step, what) {
  if (step === "speciality") return ofSpeciality(what);
  if (step === "doctor") return ofDoctor(what, null);
  if (step === "move") return moving(what);
  return specialities();
}
