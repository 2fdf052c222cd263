// What `$access-status` says of the record: whether it is open, who acts for the patient, and
// which consents the cabinet demands.
import { target } from "./fhir.js";
import { look, offers, patientId } from "./session.js";

/** The value of a part of a parameter. */
export const part = (parameter, key) => {
  const found = (parameter.part || []).find((each) => each.name === key);
  return found && Object.entries(found).find(([at]) => at.startsWith("value"))?.[1];
};

/** Its parameters, where the server has the operation; else none. */
export async function standing() {
  if (!(await offers("Patient", "access-status").catch(() => false))) return [];
  const found = await look(`Patient/${patientId()}/$access-status`).catch(() => null);
  return (found && found.parameter) || [];
}

/** Ids of the Consents without which the cabinet would be closed. */
export const required = (parameters) => parameters.filter((each) => each.name === "consent")
  .map((each) => target(part(each, "consent")).split("/")[1]).filter(Boolean);
