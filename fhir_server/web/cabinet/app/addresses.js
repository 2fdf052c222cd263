// Which addresses a request may go to. Pure.

/** The absolute address of a path or a link, if it is below the FHIR base; a record may name
 * any other, and the token must not go there.
 * @returns {string | null} */
export function within(base, address) {
  const root = `${base.replace(/\/$/, "")}/`;
  const found = URL.canParse(address, root) ? new URL(address, root).href : "";
  return found.startsWith(root) ? found : null;
}

/** The parts of a view's address: `#/book/doctor/1`. What cannot be read is the beginning. */
export function parts(hash) {
  try {
    return hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    return [""];
  }
}
