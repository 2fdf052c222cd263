// Names of doctors whom a visit names by reference alone.
import { matches, name, target } from "./fhir.js";
import { read } from "./session.js";

const KINDS = {
  Practitioner: { elements: "name", of: (each) => name(each.name) },
  PractitionerRole: { elements: "practitioner", of: (each) => (each.practitioner || {}).display || "" },
};

async function found(kind, ids) {
  if (!ids.length) return [];
  const bundle = await read(`${kind}?_id=${ids.join(",")}&_elements=${KINDS[kind].elements}&_count=${ids.length}`);
  return matches(bundle).map((each) => /** @type {[string, string]} */ ([`${kind}/${each.id}`, KINDS[kind].of(each)]));
}

/** The same visits, with a display for each doctor who has none. What cannot be read stays out. */
export async function named(visits) {
  const unnamed = visits.flatMap((visit) => visit.participant || []).map((each) => each.actor)
    .filter((actor) => actor && !actor.display).map(target);
  const ids = (kind) => [...new Set(unnamed)].filter((each) => each.startsWith(`${kind}/`)).map((each) => each.split("/")[1]).sort();
  const names = new Map((await Promise.all(Object.keys(KINDS).map((kind) => found(kind, ids(kind)).catch(() => [])))).flat());
  const filled = (each) => {
    const said = each.actor && !each.actor.display && names.get(target(each.actor));
    return said ? { ...each, actor: { ...each.actor, display: said } } : each;
  };
  return visits.map((visit) => ({ ...visit, participant: (visit.participant || []).map(filled) }));
}
