// Consents that the page writes, and what it tells of any: `node --test tests/cabinet/pure`.
import assert from "node:assert/strict";
import { test } from "node:test";

const { directive, isOver, proxy, rules, sort, unnamed } = await import(
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
  assert.deepEqual([made.performer, made.dateTime, made.provision.period], [[{ reference: "Patient/p" }], NOW, { end: "2027-01-31" }]);
  assert.equal(sharing({ giver: null }).performer, undefined);
});

for (const [writes, actions] of [[false, ["access"]], [true, ["access", "collect", "correct"]]]) {
  test(`a relative may ${writes ? "act" : "read"}`, () => {
    const made = proxy({ patient: "p", who: BOB, writes, until: "" }, NOW);
    assert.equal(sort(made), "proxy");
    assert.deepEqual(rules(made).map((each) => each.actions), [actions]);
    assert.deepEqual(made.performer, [{ reference: "Patient/p" }]);
  });
}

const rule = (code) => ({ policyRule: { coding: [{ code }] } });
for (const [name, consent, expected] of [
  ["nothing", {}, []],
  ["a policy alone", rule("OPTIN"), ["+|||"]],
  ["a rule of its own", { provision: { type: "deny" } }, ["-|||"]],
  ["opted in, but for", { ...rule("OPTIN"), provision: { type: "deny", purpose: [{ code: "HRESCH" }] } }, ["+|||-||HRESCH|"]],
  ["opted in, for what is named alone", { ...rule("OPTIN"), provision: { provision: [{ type: "permit", actor: [{ reference: ANN }] }] } }, ["+|ann||"]],
  ["opted out", { ...rule("OPTOUT"), provision: { period: {} } }, ["-|||"]],
  ["an exception without a type denies", { provision: { type: "permit", provision: [{}] } }, ["+|||-|||"]],
]) {
  test(`any Consent is told as the server reads it: ${name}`, () => {
    assert.deepEqual(rules(consent).map(short), expected);
    assert.equal(sort(consent), "other");
  });
}

test("what the page does not know is said", () => {
  assert.deepEqual([{ type: "permit" }, { type: "permit", news: 1 }].map((provision) => rules({ provision })[0].unclear), [false, true]);
});

test("names that are missing are asked for, at any depth", () => {
  assert.deepEqual(unnamed(rules(hiding({ kinds: ["Condition"], from: [ANN], but: [BOB] }))), ["Practitioner/bob"]);
});

for (const [end, over] of [
  ["2026-11-28", true], ["2026-11-29", false], ["2026-10", true], ["2026-11", false], ["2025", true], ["2026", false],
  ["2026-11-29T12:00:00Z", true], ["2026-11-29T12:00:01Z", false], [undefined, false],
]) {
  test(`a Consent until ${end} is ${over ? "" : "not "}over`, () => {
    assert.equal(isOver({ provision: { period: { end } } }, Date.parse(NOW)), over);
  });
}
