// By which ways a patient wants to be told of what, and in which language. Pure.
// https://hl7.org/fhir/R4/patient-definitions.html#Patient.communication
import { LANGUAGES } from "./language.js";

const URL = "https://fhir-server.example/StructureDefinition/notification-preference";
const BCP_47 = "urn:ietf:bcp:47";
/** Topics of notices, and the ways that each may take; `usual` is to say nothing. */
export const TOPICS = {
  visit: ["usual", "email", "sms", "both", "none"],
  reminder: ["usual", "email", "sms", "both", "none"],
  waitlist: ["usual", "email", "sms", "both", "none"],
  result: ["usual", "none"],
};

/** Every wish as topic (empty: of everything) and channel. */
function wishes(patient) {
  return (patient.extension || []).filter((each) => each.url === URL).flatMap((each) => {
    const parts = each.extension || [];
    const channel = (parts.find((one) => one.url === "channel") || {}).valueCode || "none";
    const topics = parts.filter((one) => one.url === "topic").map((one) => one.valueCode);
    return (topics.length ? topics : [""]).map((topic) => ({ topic, channel }));
  });
}

/** What holds of a topic: the most exact wish counts. */
export function inForce(patient, topic) {
  const said = wishes(patient);
  const of = (about) => said.filter((each) => each.topic === about).map((each) => each.channel);
  const channels = of(topic).length ? of(topic) : of("");
  if (channels.includes("none")) return "none";
  if (channels.includes("email") && channels.includes("sms")) return "both";
  return ["email", "sms"].find((each) => channels.includes(each)) || "usual";
}

/** The language of notices, of those that there are; empty where the record does not say. */
export function spoken(patient) {
  const all = [...(patient.communication || [])].sort((a, b) => Number(Boolean(b.preferred)) - Number(Boolean(a.preferred)));
  return all.flatMap((each) => (each.language || {}).coding || []).map((coding) => (coding.code || "").slice(0, 2).toLowerCase())
    .find((code) => code in LANGUAGES) || "";
}

const row = (topic, channel) => ({ url: URL, extension: [{ url: "channel", valueCode: channel }, { url: "topic", valueCode: topic }] });

/** All extensions of the patient with these wishes; those of single kinds of notices stay. */
function extensions(patient, chosen) {
  const exact = wishes(patient).filter((each) => each.topic && !(each.topic in TOPICS));
  const wanted = Object.entries(chosen).filter(([, way]) => way !== "usual")
    .flatMap(([topic, way]) => (way === "both" ? ["email", "sms"] : [way]).map((channel) => ({ topic, channel })));
  return [...(patient.extension || []).filter((each) => each.url !== URL), ...[...exact, ...wanted].map((each) => row(each.topic, each.channel))];
}

/** All languages of the patient, with this one preferred. */
function languages(patient, code) {
  const isThis = (each) => ((each.language || {}).coding || []).some((coding) => (coding.code || "").slice(0, 2).toLowerCase() === code);
  const others = (patient.communication || []).map(({ preferred, ...each }) => (isThis(each) ? { ...each, preferred: true } : each));
  return others.some((each) => each.preferred) ? others : [{ language: { coding: [{ system: BCP_47, code }] }, preferred: true }, ...others];
}

/**
 * A JSON Patch that says the wishes in the Patient; empty where nothing is another.
 * @param {any} patient
 * @param {{ways: Record<string, string>, language: string}} chosen by topic; a language, or empty
 */
export function changes(patient, { ways, language }) {
  const set = (name, value) => {
    if (value.length) return [{ op: "add", path: `/${name}`, value }];
    return patient[name] ? [{ op: "remove", path: `/${name}` }] : [];
  };
  return [
    ...(Object.keys(ways).some((topic) => ways[topic] !== inForce(patient, topic)) ? set("extension", extensions(patient, ways)) : []),
    ...(language && language !== spoken(patient) ? set("communication", languages(patient, language)) : []),
  ];
}
