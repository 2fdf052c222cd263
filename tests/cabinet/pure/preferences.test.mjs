// How notices come: `node --test tests/cabinet/pure`.
import assert from "node:assert/strict";
import { test } from "node:test";

const { changes, inForce, spoken } = await import(new URL("../../../fhir_server/web/cabinet/app/preferences.js", import.meta.url));

const URL_ = "https://fhir-server.example/StructureDefinition/notification-preference";
const wish = (channel, ...topics) => ({ url: URL_, extension: [{ url: "channel", valueCode: channel }, ...topics.map((valueCode) => ({ url: "topic", valueCode }))] });
const speaks = (code, preferred) => ({ language: { coding: [{ code }] }, ...(preferred ? { preferred } : {}) });
const USUAL = { visit: "usual", reminder: "usual", waitlist: "usual", result: "usual" };
const other = { url: "urn:x", valueCode: "y" };

for (const [wishes, expected] of [
  [[], "usual"], [[wish("sms", "visit")], "sms"], [[wish("sms")], "sms"], [[wish("sms"), wish("email", "visit")], "email"],
  [[wish("sms", "visit"), wish("email", "reminder", "visit")], "both"], [[wish("sms", "visit"), wish("none", "visit")], "none"],
  [[wish("sms", "reminder")], "usual"], [[{ url: URL_ }], "none"], [[other], "usual"],
]) {
  test(`of visits is told by: ${expected} ${JSON.stringify(wishes)}`, () => {
    assert.equal(inForce({ extension: wishes }, "visit"), expected);
  });
}

for (const [name, patient, chosen, expected] of [
  ["nothing is another", { extension: [wish("sms", "visit")] }, { ways: { ...USUAL, visit: "sms" }, language: "" }, []],
  ["the first wish", {}, { ways: { ...USUAL, visit: "both" }, language: "" },
    [{ op: "add", path: "/extension", value: [wish("email", "visit"), wish("sms", "visit")] }]],
  ["what is no wish, or of a single kind, stays", { extension: [other, wish("none", "visit-booked", "visit"), wish("sms")] }, { ways: { ...USUAL, waitlist: "email" }, language: "" },
    [{ op: "add", path: "/extension", value: [other, wish("none", "visit-booked"), wish("email", "waitlist")] }]],
  ["the last wish", { extension: [wish("sms")] }, { ways: USUAL, language: "" }, [{ op: "remove", path: "/extension" }]],
  ["a language", { communication: [speaks("en", true)] }, { ways: USUAL, language: "uk" },
    [{ op: "add", path: "/communication", value: [{ language: { coding: [{ system: "urn:ietf:bcp:47", code: "uk" }] }, preferred: true }, speaks("en")] }]],
  ["a language that is there", { communication: [speaks("en", true), speaks("uk-UA")] }, { ways: USUAL, language: "uk" },
    [{ op: "add", path: "/communication", value: [speaks("en"), speaks("uk-UA", true)] }]],
]) {
  test(`a change of notices: ${name}`, () => {
    assert.deepEqual(changes(patient, chosen), expected);
  });
}

test("the language that is preferred, of those that there are", () => {
  assert.equal(spoken({ communication: [speaks("de", true), speaks("ru"), speaks("uk", true)] }), "uk");
  assert.equal(spoken({}), "");
});
