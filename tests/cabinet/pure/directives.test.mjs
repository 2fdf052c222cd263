// Consents that the page writes, and what it tells of any: `node --test tests/cabinet/pure`.
import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "Europe/Kyiv";
const { directive, here, isClosing, isOver, isReplaced, isUnclear, proxy, referred, rules, sort } = await import(
  new URL("../../../fhir_server/web/cabinet/app/directives.js", import.meta.url));

const NOW = "2026-11-29T12:00:00Z";
const ANN = { reference: "Practitioner/ann", display: "Ann" };
const BOB = { reference: "Practitioner/bob" };
const base = { patient: "p", giver: { reference: "Patient/p" }, until: "" };
const hiding = (more) => directive({ ...base, hides: true, subjects: [], kinds: [], from: [], but: [], urgent: false, ...more }, NOW);
const sharing = (more) => directive({ ...base, hides: false, what: "all", kinds: [], who: [ANN], ...more }, NOW);
const codes = (list) => (list || []).map((each) => each.code);
/** A rule in short: `-` hides, `+` shows, then what, to whom, for what, exceptions. */
const short = (rule) => [
  `${rule.type === "deny" ? "-" : "+"}${[...codes(rule.labels), ...codes(rule.kinds)].join()}`,
  rule.who.map((each) => each.reference.split("/")[1]).join(), codes(rule.purposes).join(), rule.exceptions.map(short).join(" "),
].join("|");

for (const [name, made, expected] of [
  ["everything", sharing({}), ["+|ann||"]],
  ["without what is sensitive", sharing({ what: "normal" }), ["+N|ann||"]],
  ["some sections", sharing({ what: "kinds", kinds: ["Condition", "Encounter"] }), ["+Condition,Encounter|ann||"]],
  ["a subject from all", hiding({ subjects: ["PSY"] }), ["-PSY|||"]],
  ["subjects and sections, a rule each", hiding({ subjects: ["PSY", "HIV"], kinds: ["Condition"] }), ["-PSY,HIV|||", "-Condition|||"]],
  ["from one", hiding({ kinds: ["Condition"], from: [BOB] }), ["-Condition|bob||"]],
  ["from all but one", hiding({ kinds: ["Condition"], but: [ANN] }), ["-Condition|||+|ann||"]],
  ["but for emergencies", hiding({ kinds: ["Condition"], but: [ANN], urgent: true }), ["-Condition|||+|ann|| +||BTG|"]],
]) {
  test(`a Consent of the page: ${name}`, () => {
    assert.deepEqual(rules(made).map(short), expected);
    assert.equal(sort(made), made.provision.provision[0].type === "deny" ? "hide" : "share");
    assert.equal(made.policyRule.coding[0].code, "as-usual");
    assert.equal(made.provision.type, undefined); // of the root, so that the rest stays as it is
    assert.equal(made.provision.period, undefined);
  });
}

test("a Consent says who gave it, when and until when", () => {
  const made = sharing({ until: "2027-01-31" });
  assert.deepEqual([made.performer, made.dateTime], [[{ reference: "Patient/p" }], NOW]);
  assert.equal(sharing({ giver: null }).performer, undefined);
});

for (const [day, end] of [["2027-01-31", "2027-01-31T23:59:59+02:00"], ["2027-07-31", "2027-07-31T23:59:59+03:00"]]) {
  test(`the last day is over where the person is, and not in UTC: ${day}`, () => {
    assert.deepEqual(sharing({ until: day }).provision.period, { end });
    assert.deepEqual(proxy({ patient: "p", who: BOB, writes: false, until: day }, NOW).provision.period, { end });
  });
}

test("what is hidden can still be recorded, and is changed by nobody who may not see it", () => {
  const actions = rules(hiding({ subjects: ["PSY"], kinds: ["Condition"] })).map((each) => each.actions);
  assert.deepEqual(actions, [["access", "correct"], ["access", "correct"]]);
});

test("a Consent that names a subject is under the labels of that subject itself", () => {
  const labels = (made) => made.meta && made.meta.security.map(({ system, code }) => `${system.split("/").at(-1)}|${code}`);
  assert.deepEqual(labels(hiding({ subjects: ["PSY", "HIV"] })), ["v3-ActCode|PSY", "v3-ActCode|HIV", "v3-Confidentiality|R"]);
  assert.equal(labels(hiding({ kinds: ["Condition"] })), undefined);
  assert.equal(labels(sharing({ what: "normal" })), undefined);
});

for (const [writes, actions] of [[false, ["access"]], [true, ["access", "collect", "correct"]]]) {
  test(`a relative may ${writes ? "act" : "read"}`, () => {
    const made = proxy({ patient: "p", who: BOB, writes, until: "" }, NOW);
    assert.equal(sort(made), "proxy");
    assert.deepEqual(rules(made).map((each) => each.actions), [actions]);
    assert.deepEqual(made.performer, [{ reference: "Patient/p" }]);
  });
}

const HL7 = "http://terminology.hl7.org/CodeSystem/";
const PRIVACY = { scope: { coding: [{ system: `${HL7}consentscope`, code: "patient-privacy" }] } };
const coded = (...codings) => ({ policyRule: { coding: codings } });
const rule = (...codes) => coded(...codes.map((code) => ({ system: `${HL7}v3-ActCode`, code })));
const beside = { system: "https://fhir-server.example/CodeSystem/consent-policy", code: "as-usual" };
const uri = (end) => ({ policy: [{ uri: `http://hl7.org/fhir/ConsentPolicy/${end}` }] });
const toAnn = { type: "permit", actor: [{ reference: ANN }] };
for (const [name, consent, expected] of [
  ["nothing", {}, []],
  ["a policy alone", rule("OPTIN"), ["+|||"]],
  ["a rule of its own", { provision: { type: "deny" } }, ["-|||"]],
  ["opted in, but for", { ...rule("OPTIN"), provision: { type: "deny", purpose: [{ code: "HRESCH" }] } }, ["+|||-||HRESCH|"]],
  ["opted in, for what is named alone", { ...rule("OPTIN"), provision: { provision: [toAnn] } }, ["+|ann||"]],
  ["opted out", { ...rule("OPTOUT"), provision: { period: {} } }, ["-|||"]],
  ["opted out, but for", { ...rule("OPTOUT"), provision: { provision: [toAnn] } }, ["-|||+|ann||"]],
  ["in and out: out", rule("OPTIN", "OPTOUT"), ["-|||"]],
  ["a code of another system", coded({ system: "urn:x", code: "OPTIN" }), []],
  ["a policy that is known by its address", uri("opt-out"), ["-|||"]],
  ["which counts where no rule does", { ...rule("OPTIN"), ...uri("opt-out") }, ["+|||"]],
  ["nor beside what is usual", { ...coded(beside), ...uri("opt-in"), provision: { provision: [{ ...toAnn, type: "deny" }] } }, ["-|ann||"]],
  ["an exception without a type denies", { provision: { type: "permit", provision: [{}] } }, ["+|||-|||"]],
  ["no directive of privacy", { scope: { coding: [{ system: `${HL7}consentscope`, code: "treatment" }] }, provision: { type: "permit" } }, []],
]) {
  test(`any Consent is told as the server reads it: ${name}`, () => {
    assert.deepEqual(rules({ ...PRIVACY, ...consent }).map(short), expected);
  });
}

for (const [consent, kind] of [
  [{ provision: { type: "permit" } }, "other"], [{ ...coded(beside), provision: { provision: [toAnn] } }, "share"],
  [{ policyRule: { coding: [beside, ...rule("OPTIN").policyRule.coding] }, provision: { provision: [toAnn] } }, "other"],
]) {
  test(`it is one of the page's kinds only if it says nothing of the rest: ${kind}`, () => {
    assert.equal(sort({ ...PRIVACY, ...consent }), kind);
    assert.equal(isClosing({ ...PRIVACY, ...consent }), kind === "other");
  });
}

test("what is about some purposes closes nothing for others, and what says nothing closes nothing", () => {
  assert.equal(isClosing({ ...PRIVACY, provision: { type: "permit", purpose: [{ system: "urn:x", code: "y" }] } }), false);
  assert.equal(isClosing(PRIVACY), false);
});

for (const [provision, unclear] of [
  [{}, false], [toAnn, false], [{ news: 1 }, true],
  [{ actor: [{ role: { coding: [{ system: `${HL7}v3-ParticipationType`, code: "IRCP" }] }, reference: ANN }] }, false],
  [{ actor: [{ role: { coding: [{ system: `${HL7}v3-ParticipationType`, code: "AUT" }] }, reference: ANN }] }, true],
  [{ actor: [{ reference: { identifier: { value: "1" }, display: "Ann" } }] }, true],
  [{ securityLabel: [{ code: "PSY" }] }, true], [{ purpose: [{ code: "TREAT" }] }, true], [{ class: [{ code: "Condition" }] }, true],
  [{ code: [{ text: "flu" }] }, true], [{ action: [{ coding: [{ system: "urn:x", code: "access" }] }] }, true],
  [{ data: [{ meaning: "instance", reference: ANN }] }, false], [{ data: [{ meaning: "all", reference: ANN }] }, true],
]) {
  test(`what the server does not understand is said: ${JSON.stringify(provision)}`, () => {
    assert.equal(rules({ ...PRIVACY, provision: { type: "permit", ...provision } })[0].unclear, unclear);
  });
}

test("of the whole Consent too", () => {
  const given = [{ modifierExtension: [{}] }, { provision: { news: 1 } }, { provision: { type: "deny", news: 1 } }, {}];
  assert.deepEqual(given.map(isUnclear), [true, true, false, false]);
});

test("whom it names is looked up, at any depth, whatever it calls them", () => {
  assert.deepEqual(referred(rules(hiding({ kinds: ["Condition"], from: [ANN], but: [BOB] }))).map((each) => here(each, "https://h/fhir")),
    ["Practitioner/ann", "Practitioner/bob"]);
});

for (const [reference, expected] of [
  ["Practitioner/1", "Practitioner/1"], ["https://h/fhir/Practitioner/1", "Practitioner/1"], ["Practitioner/1/_history/2", "Practitioner/1"],
  ["https://evil/fhir/Practitioner/1", ""], ["https://h/fhir2/Practitioner/1", ""], ["urn:uuid:1", ""], ["#1", ""], [undefined, ""],
]) {
  test(`who is here: ${reference}`, () => assert.equal(here({ reference }, "https://h/fhir"), expected));
}

const dated = (dateTime, ...uris) => ({ ...PRIVACY, status: "active", dateTime, policy: uris.map((each) => ({ uri: each })) });
for (const [name, old, others, replaced] of [
  ["a later one", dated("2026-01-01", "a"), [dated("2026-01-02", "a")], true],
  ["one of the same day", dated("2026-01-01", "a"), [dated("2026-01-01T10:00:00Z", "a")], false],
  ["an earlier one", dated("2026-01-02", "a"), [dated("2026-01-01", "a")], false],
  ["one of another policy", dated("2026-01-01", "a"), [dated("2026-01-02", "b")], false],
  ["one of only some of its policies", dated("2026-01-01", "a", "b"), [dated("2026-01-02", "b")], false],
  ["several of all its policies", dated("2026-01-01", "a", "b"), [dated("2026-01-02", "b"), dated("2026-01-03", "a")], true],
  ["a withdrawn one", dated("2026-01-01", "a"), [{ ...dated("2026-01-02", "a"), status: "inactive" }], false],
  ["one that is over", dated("2026-01-01", "a"), [{ ...dated("2026-01-02", "a"), provision: { period: { end: "2026-01" } } }], false],
  ["one that has not begun", dated("2026-01-01", "a"), [{ ...dated("2026-01-02", "a"), provision: { period: { start: "2027" } } }], false],
  ["what names no policy", dated("2026-01-01"), [dated("2026-01-02")], false],
]) {
  test(`${name} ${replaced ? "takes" : "does not take"} its place`, () => {
    assert.equal(isReplaced(old, [old, ...others], Date.parse(NOW)), replaced);
  });
}

for (const [end, over] of [
  ["2026-11-28", true], ["2026-11-29", false], ["2026-10", true], ["2026-11", false], ["2025", true], ["2026", false],
  ["2026-11-29T11:59:59Z", true], ["2026-11-29T12:00:00Z", false], [undefined, false], // a second is a second long
]) {
  test(`a Consent until ${end} is ${over ? "" : "not "}over`, () => {
    assert.equal(isOver({ provision: { period: { end } } }, Date.parse(NOW)), over);
  });
}
