// What an app was granted, in words. Pure.
// https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
const KINDS = {
  "*": "KIND_ALL", Patient: "KIND_PATIENT", Observation: "RESULTS", Condition: "CONDITIONS", AllergyIntolerance: "ALLERGIES",
  Immunization: "VACCINATIONS", MedicationRequest: "PRESCRIPTIONS", DiagnosticReport: "REPORTS", DocumentReference: "DOCUMENTS",
  Encounter: "ENCOUNTERS", Appointment: "VISITS", Communication: "MESSAGES", Consent: "CONSENTS", AppointmentResponse: "OF_AppointmentResponse",
};

/**
 * @param {string} text scopes, parted by spaces
 * @returns {{kind: string, text: string, reads: boolean, writes: boolean, part: boolean}[]}
 *   `text` names a sentence, or is empty where the kind has none
 */
export function granted(text) {
  const found = new Map();
  for (const scope of text.split(" ")) {
    const read = /^(?:patient|user)\/([A-Za-z*]+)\.([a-z*]+)(\?.*)?$/.exec(scope);
    if (!read) continue;
    const [, kind, letters, query] = read;
    const old = { read: "rs", write: "cud", "*": "cruds" }[letters] || letters;
    const one = found.get(kind) || { kind, text: KINDS[kind] || "", reads: false, writes: false, part: true };
    one.reads ||= /[rs]/.test(old);
    one.writes ||= /[cud]/.test(old);
    one.part &&= Boolean(query);
    found.set(kind, one);
  }
  return [...found.values()];
}
