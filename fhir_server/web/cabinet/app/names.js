// Names of who is referred to, as they stand with themselves.
import { matches, name, target } from "./fhir.js";
import { read } from "./session.js";

const KINDS = {
  Practitioner: { elements: "name", of: (each) => name(each.name) },
  PractitionerRole: { elements: "practitioner", of: (each) => (each.practitioner || {}).display || "" },
  Organization: { elements: "name", of: (each) => each.name || "" },
  RelatedPerson: { elements: "name", of: (each) => name(each.name) },
};

async function found(kind, ids) {
  if (!ids.length) return [];
  const bundle = await read(`${kind}?_id=${ids.join(",")}&_elements=${KINDS[kind].elements}&_count=${ids.length}`);
  return matches(bundle).map((each) => /** @type {[string, string]} */ ([`${kind}/${each.id}`, KINDS[kind].of(each)]));
}

/** Reference (`Practitioner/1`) to name. What cannot be read stays out.
 * @param {string[]} references
 * @returns {Promise<Map<string, string>>} */
export async function names(references) {
  const ids = (kind) => [...new Set(references)].filter((each) => each.startsWith(`${kind}/`)).map((each) => each.split("/")[1]).sort();
  return new Map((await Promise.all(Object.keys(KINDS).map((kind) => found(kind, ids(kind)).catch(() => [])))).flat());
}

/** The same visits, with a display for each doctor who has none. */
export async function named(visits) {
  const unnamed = visits.flatMap((visit) => visit.participant || []).map((each) => each.actor)
    .filter((actor) => actor && !actor.display).map(target);
  const known = await names(unnamed);
  const filled = (each) => {
    const said = each.actor && !each.actor.display && known.get(target(each.actor));
    return said ? { ...each, actor: { ...each.actor, display: said } } : each;
  };
  return visits.map((visit) => ({ ...visit, participant: (visit.participant || []).map(filled) }));
}
