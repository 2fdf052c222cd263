// Dates as people read them: in their own zone, and visits in the clinic's, which is told
// where it differs.
import { locale, t } from "./language.js";

const formats = new Map();

function format(options) {
  const key = locale() + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale(), options));
  return formats.get(key);
}

const own = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
let clinic = "UTC";

export function useClinicZone(zone) { clinic = zone; }

const parsed = (text) => new Date(text);
const isPartial = (text) => /^\d{4}(-\d\d)?$/.test(text);
const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text);

/** A date or a part of one: days have no zone, so they are read as they stand. */
export function day(text) {
  if (!text) return "";
  if (/^\d{4}$/.test(text)) return text;
  if (isPartial(text)) return format({ month: "long", year: "numeric", timeZone: "UTC" }).format(parsed(text));
  const timeZone = isDay(text) ? "UTC" : own();
  return format({ day: "numeric", month: "long", year: "numeric", timeZone }).format(parsed(text));
}

export function dayShort(text) {
  const timeZone = isDay(text) || isPartial(text) ? "UTC" : own();
  return format({ day: "2-digit", month: "2-digit", year: "numeric", timeZone }).format(parsed(text));
}

/** Day and time of something that happened. */
export function moment(text) {
  if (!text || isDay(text) || isPartial(text)) return day(text);
  return format({ day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" })
    .format(parsed(text));
}

/** A sentence of the server, with its moments (`2026-10-03 18:00`, at the clinic) as people say them. */
export const inWords = (sentence) => sentence.replace(/\b(\d{4}-\d\d-\d\d) (\d\d:\d\d)\b/g, (_, date, clock) => `${day(date)}, ${clock}`);

/** A moment and the zone to read it in: the offset of a visit is that of the clock at its clinic;
 * one that is of UTC tells nothing of the clinic, so the operator's zone is good. */
function atClinic(text) {
  const offset = /[+-](\d\d:\d\d)$/.exec(text);
  if (!offset || offset[1] === "00:00") return { at: parsed(text), timeZone: clinic, offset: "" };
  return { at: parsed(`${text.slice(0, -6)}Z`), timeZone: "UTC", offset: offset[0] };
}

function shown(text, options) {
  const { at, timeZone } = atClinic(text);
  return format({ ...options, timeZone }).format(at);
}

/** The day of a visit at the clinic, as `2026-11-30`: sorts, and names a day. */
export function clinicDay(text) {
  const { at, timeZone } = atClinic(text);
  return new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

export const weekday = (text) => shown(text, { weekday: "short" });
export const dayOfMonth = (text) => shown(text, { day: "numeric", month: "short" });
/** With the year where it is another one than now. */
export function dayAndWeekday(text) {
  const year = clinicDay(text).slice(0, 4) === String(new Date().getFullYear()) ? {} : { year: "numeric" };
  return shown(text, { weekday: "long", day: "numeric", month: "long", ...year });
}

export const time = (text) => shown(text, { hour: "2-digit", minute: "2-digit" });

/** The hour at the clinic, 0 to 23. */
export function clinicHour(text) {
  const { at, timeZone } = atClinic(text);
  return Number(new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit" }).format(at));
}

/** The day of something that happened, in the person's own zone, as `2026-11-30`. */
export const ownDay = (text) => new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" }).format(parsed(text));
/** Hours and minutes of it. */
export const clock = (text) => format({ hour: "2-digit", minute: "2-digit" }).format(parsed(text));

/** When a visit is: by the clock at the clinic. */
export const visit = (text) => `${dayAndWeekday(text)}, ${time(text)}`;

/** A sentence that names the zone of these visits, where its clock shows another time than this
 * one; empty where none of them differs. */
export function zoneNote(texts) {
  const options = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit" });
  const other = texts.find((text) => shown(text, options) !== format({ ...options, timeZone: own() }).format(parsed(text)));
  if (!other) return "";
  const { offset } = atClinic(other);
  if (offset) return t("ZONE", { zone: `UTC${offset}` });
  const parts = format({ timeZone: clinic, timeZoneName: "long" }).formatToParts(parsed(other));
  return t("ZONE", { zone: parts.find((part) => part.type === "timeZoneName").value });
}
