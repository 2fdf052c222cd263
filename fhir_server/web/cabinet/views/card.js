// My card: what the record holds, a list a kind.
import * as dates from "../app/dates.js";
import { button, h, problem } from "../app/dom.js";
import { matches, nextPage, quantity, words } from "../app/fhir.js";
import { t } from "../app/language.js";
import { Refusal, patientId, read } from "../app/session.js";
import { saveFile } from "./files.js";

const display = (reference) => (reference && reference.display) || "";
const displays = (list) => [...new Set((list || []).map(display))].filter(Boolean).join(", ");

const STATES = {
  active: "RX_ACTIVE", completed: "RX_COMPLETED", stopped: "RX_STOPPED", cancelled: "RX_STOPPED", "on-hold": "RX_HOLD", draft: "RX_DRAFT",
};

function dose(instruction) {
  const amount = (instruction.doseAndRate || []).map((each) => quantity(each.doseQuantity)).filter(Boolean)[0];
  return [amount, instruction.text || words((instruction.timing || {}).code), instruction.patientInstruction].filter(Boolean).join(", ");
}

/** Kinds of the card: where they are, and what a row of one says. */
const KINDS = {
  encounters: {
    title: "ENCOUNTERS", path: "Encounter?_sort=-date",
    row: (each) => ({
      title: dates.day((each.period || {}).start), text: displays((each.participant || []).map((one) => one.individual)),
      lines: [(each.reasonCode || []).map(words).join(", ") || (each.type || []).map(words).join(", "), display(each.serviceProvider)],
    }),
  },
  prescriptions: {
    title: "PRESCRIPTIONS", path: "MedicationRequest?_sort=-authoredon",
    row: (each) => ({
      title: words(each.medicationCodeableConcept) || display(each.medicationReference), badge: STATES[each.status],
      text: (each.dosageInstruction || []).map(dose).join("; "),
      lines: [each.authoredOn && t("PRESCRIBED", { when: dates.day(each.authoredOn), who: display(each.requester) })],
    }),
  },
  vaccinations: {
    title: "VACCINATIONS", path: "Immunization?_sort=-date",
    row: (each) => ({
      title: words(each.vaccineCode), text: dates.day(each.occurrenceDateTime) || each.occurrenceString,
      badge: each.status === "not-done" ? "NOT_DONE" : "",
      lines: [(each.statusReason && words(each.statusReason)) || "", each.lotNumber && t("LOT", { lot: each.lotNumber }), displays((each.performer || []).map((one) => one.actor))],
    }),
  },
  documents: {
    title: "DOCUMENTS", path: "DocumentReference?status=current&_sort=-date",
    row: (each) => ({
      title: each.description || words(each.type), text: dates.day(each.date),
      lines: [words(each.type), display(each.custodian)],
      files: (each.content || []).map((one) => one.attachment),
    }),
  },
  reports: {
    title: "REPORTS", path: "DiagnosticReport?_sort=-date",
    row: (each) => ({
      title: words(each.code), text: dates.day(each.effectiveDateTime || (each.effectivePeriod || {}).start || each.issued),
      badge: each.status === "preliminary" ? "PRELIMINARY" : "",
      lines: [each.conclusion, displays(each.resultsInterpreter)], files: each.presentedForm,
    }),
  },
  conditions: {
    title: "CONDITIONS", path: "Condition?_sort=-recorded-date",
    row: (each) => ({
      title: words(each.code), text: dates.day(each.onsetDateTime || each.recordedDate), lines: [words(each.clinicalStatus) === "resolved" ? t("RESOLVED") : "", (each.note || []).map((one) => one.text).join(" ")],
    }),
  },
  allergies: {
    title: "ALLERGIES", path: "AllergyIntolerance?_sort=-date",
    row: (each) => ({
      title: words(each.code), badge: each.criticality === "high" ? "SEVERE" : "",
      text: (each.reaction || []).flatMap((one) => one.manifestation || []).map(words).join(", "), lines: [],
    }),
  },
};

function fileButton(attachment, row) {
  const name = attachment.title || t("FILE");
  return button(t("SAVE_FILE", { name }), { class: "second slim" }, async () => {
    row.querySelector(".problem")?.remove();
    try {
      await saveFile(attachment);
    } catch (error) {
      const shown = problem(error instanceof Refusal ? error.message : t("FILE_FAILED"));
      row.append(shown);
      shown.focus();
    }
  });
}

function drawn(kind, resource) {
  const said = kind.row(resource);
  const row = h("li", { class: "card" },
    h("div", { class: "row" }, h("h2", { class: "name" }, said.title || t("UNNAMED")), said.badge && h("span", { class: "badge" }, t(said.badge))),
    said.text && h("p", {}, said.text),
    said.lines.filter(Boolean).map((line) => h("p", { class: "hint" }, line)));
  row.append(...(said.files || []).filter((each) => each.url || each.data).map((each) => fileButton(each, row)));
  return row;
}

/** A page of a list with a button for the next one. */
function more(kind, list, next) {
  return next && button(t("MORE_ROWS"), { class: "second" }, async (pressed) => {
    const bundle = await read(next);
    const rows = matches(bundle).map((each) => drawn(kind, each));
    list.append(...rows);
    const following = more(kind, list, nextPage(bundle));
    if (following) pressed.replaceWith(following);
    else pressed.remove();
    rows[0].querySelector("h2").setAttribute("tabindex", "-1");
    rows[0].querySelector("h2").focus();
  });
}

async function ofKind(kind) {
  const bundle = await read(`${kind.path}&patient=${patientId()}&_count=30`);
  const list = h("ul", { class: "choices" }, matches(bundle).map((each) => drawn(kind, each)));
  return {
    title: t(kind.title),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/card" }, `← ${t("CARD")}`)),
      h("h1", { tabindex: "-1" }, t(kind.title)),
      list.childElementCount ? list : h("p", { class: "card" }, t("NOTHING_HERE")),
      more(kind, list, nextPage(bundle)),
    ].filter(Boolean),
  };
}

export async function show(which) {
  if (KINDS[which]) return ofKind(KINDS[which]);
  const rows = [["#/results", "RESULTS"], ...Object.entries(KINDS).map(([key, kind]) => [`#/card/${key}`, kind.title])];
  return {
    title: t("CARD"),
    content: [
      h("h1", { tabindex: "-1" }, t("CARD")),
      h("ul", { class: "choices two" }, rows.map(([href, title]) => h("li", {}, h("a", { class: "card link", href }, h("strong", {}, t(title)))))),
    ],
  };
}
