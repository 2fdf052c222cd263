// The ticket of a visit: its number, an entry for the device's calendar, and a sheet to print.
import * as dates from "../app/dates.js";
import { button, h, problem } from "../app/dom.js";
import { extension } from "../app/fhir.js";
import { t } from "../app/language.js";
import { Refusal, offers } from "../app/session.js";
import { saveFile } from "./files.js";

const FILES = [["TO_CALENDAR", "ics", "text/calendar"], ["TICKET_PDF", "pdf", "application/pdf"]];

function saving(visit, [text, end, contentType], row) {
  const title = `${dates.clinicDay(visit.start)}.${end}`;
  return button(t(text), { class: "second slim" }, async () => {
    row.querySelector(".problem")?.remove();
    try {
      await saveFile({ url: `Appointment/${visit.id}/$ticket?_format=${end}`, contentType, title });
    } catch (error) {
      const shown = problem(error instanceof Refusal ? error.message : t("FILE_FAILED"));
      row.append(shown);
      shown.focus();
    }
  });
}

/** What a card of a booked visit has of it; files where the server gives them. */
export function ticket(visit) {
  const number = (extension(visit, "ticket-number") || {}).valueString;
  const row = h("div", { class: "answers ticket" });
  offers("Appointment", "ticket").then((given) => given && row.append(...FILES.map((each) => saving(visit, each, row)))).catch(() => {});
  return [number && h("p", { class: "number" }, t("TICKET", { n: number })), row];
}
