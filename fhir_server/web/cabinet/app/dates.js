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

/** The day of a visit in the clinic's zone, as `2026-11-30`: sorts, and names a day. */
export function clinicDay(text) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: clinic, year: "numeric", month: "2-digit", day: "2-digit" })
    .format(parsed(text));
}

export const weekday = (text) => format({ weekday: "short", timeZone: clinic }).format(parsed(text));
export const dayOfMonth = (text) => format({ day: "numeric", month: "short", timeZone: clinic }).format(parsed(text));
/** With the year where it is another one than now. */
export function dayAndWeekday(text) {
  const year = clinicDay(text).slice(0, 4) === String(new Date().getFullYear()) ? {} : { year: "numeric" };
  return format({ weekday: "long", day: "numeric", month: "long", ...year, timeZone: clinic }).format(parsed(text));
}

export const time = (text) => format({ hour: "2-digit", minute: "2-digit", timeZone: clinic }).format(parsed(text));

/** The hour at the clinic, 0 to 23. */
export const clinicHour = (text) => Number(new Intl.DateTimeFormat("en-GB", { timeZone: clinic, hour: "2-digit" })
  .format(parsed(text)));

/** When a visit is: by the clock at the clinic. */
export const visit = (text) => `${dayAndWeekday(text)}, ${time(text)}`;

const offset = (zone, when) => new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" })
  .formatToParts(when).find((part) => part.type === "timeZoneName").value;

/** A sentence that names the clinic's zone, where its clock shows another time than this one. */
export function zoneNote(when = new Date()) {
  if (offset(clinic, when) === offset(own(), when)) return "";
  const parts = format({ timeZone: clinic, timeZoneName: "long" }).formatToParts(when);
  return t("ZONE", { zone: parts.find((part) => part.type === "timeZoneName").value });
}
