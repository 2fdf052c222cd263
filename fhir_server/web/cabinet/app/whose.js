// Whose record is open: asked once, told above every view, so that a parent does not book for the
// wrong child.
import { name } from "./fhir.js";
import { patientId, read } from "./session.js";
import * as shell from "./shell.js";

let known = { id: "", asked: Promise.resolve({}) };

/** The Patient whose record is open. */
export function patient() {
  const id = patientId();
  if (known.id !== id) {
    known = { id, asked: read(`Patient/${id}`) };
    known.asked.catch(() => { known = { id: "", asked: Promise.resolve({}) }; });
  }
  return known.asked;
}

/** Say whose it is at the top; where the page may not see it, nothing. */
export const tell = () => patient().then((found) => shell.whose(name(found.name))).catch(() => {});
