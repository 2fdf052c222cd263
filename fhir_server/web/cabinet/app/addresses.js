// Which addresses a request may go to. Pure.

/** The absolute address of a path or a link, if it is below the FHIR base; a record may name
 * any other, and the token must not go there.
 * @returns {string | null} */
export function within(base, address) {
  const root = `${base.replace(/\/$/, "")}/`;
  const found = URL.canParse(address, root) ? new URL(address, root).href : "";
  return found.startsWith(root) ? found : null;
}

const ANSWER = ["code", "state", "error", "error_description"];

/** Of the query only what an authorization server answers. fhirclient reads the query once and
 * lets it overrule what the page says: a link with `iss` would choose the server. */
export function answer(search) {
  const given = new URLSearchParams(search);
  const kept = new URLSearchParams(ANSWER.filter((each) => given.has(each)).map((each) => [each, given.get(each)]));
  return kept.size ? `?${kept}` : "";
}

/** The parts of a view's address: `#/book/doctor/1`. What cannot be read is the beginning. */
export function parts(hash) {
  try {
    return hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    return [""];
  }
}
