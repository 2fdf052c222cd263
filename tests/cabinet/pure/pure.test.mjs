// What the page computes without a browser: `node --test tests/cabinet/pure`.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const app = (name) => import(new URL(`../../../fhir_server/web/cabinet/app/${name}.js`, import.meta.url));

const { answer, parts, within } = await app("addresses");
const { isLastOffer, sorted } = await app("appointments");
const { grouped, reached, summed, told } = await app("audit");
const calendar = await app("calendar");
const dates = await app("dates");
const fhir = await app("fhir");
const { n, preferred, t, use } = await app("language");
const { granted } = await app("scopes");
const messages = await app("messages");
const { fitting } = await app("referrals");
const { laid, series } = await app("series");
const { TEXTS } = await app("texts");
await app("texts-sharing");

beforeEach(() => { use("en"); dates.useClinicZone("Europe/Kyiv"); });

for (const [address, good] of [
  ["Patient/1", true], ["https://a.example/fhir/Patient?_cursor=x", true], ["", true],
  ["https://a.example/fhirs/Patient", false], ["https://evil.example/fhir/Patient", false], ["../auth/token", false],
  ["//evil.example/fhir/x", false], ["javascript:alert(1)", false], ["https://a.example/fhir@evil.example/", false],
]) {
  test(`a request for "${address}" ${good ? "stays" : "does not stay"} below the base`, () => {
    assert.equal(within("https://a.example/fhir", address) !== null, good);
  });
}

test("of a query only an answer is kept", () => {
  assert.equal(answer("?code=1&state=2&iss=https://evil.example&launch=3"), "?code=1&state=2");
  assert.equal(answer("?iss=x"), "");
});

test("an address that cannot be read is the beginning", () => {
  assert.deepEqual(parts("#/book/speciality/%D0%A2"), ["book", "speciality", "Т"]);
  assert.deepEqual(parts("#/book/%E0%A4%A"), [""]);
});

test("every text is there in three languages, with the same places", () => {
  const places = (text) => [...new Set(text.match(/\{\w+\}/g) || [])].sort().join();
  for (const [key, row] of Object.entries(TEXTS)) {
    assert.equal(row.length, 3, key);
    const said = row.map((each) => (typeof each === "string" ? [each] : Object.values(each))).flat();
    for (const each of said) {
      assert.ok(each.trim(), key);
      assert.equal(places(each), places(said[0]), key);
    }
  }
});

for (const [language, said] of [
  ["en", ["1 doctor", "2 doctors", "5 doctors", "21 doctors"]],
  ["ru", ["1 врач", "2 врача", "5 врачей", "21 врач"]],
  ["uk", ["1 лікар", "2 лікарі", "5 лікарів", "21 лікар"]],
]) {
  test(`plural forms of ${language}`, () => {
    use(language);
    assert.deepEqual([1, 2, 5, 21].map((each) => n("DOCTORS", each)), said);
  });
}

test("the language that was chosen goes before the browser's", () => {
  assert.equal(preferred("uk", ["ru-RU"]), "uk");
  assert.equal(preferred(null, ["de", "ru-RU", "en"]), "ru");
  assert.equal(preferred(null, ["de"]), "en");
});

test("a day has no zone, and a part of a date stays one", () => {
  assert.equal(dates.day("2026-01-31"), "31 January 2026");
  assert.equal(dates.day("2026-01"), "January 2026");
  assert.equal(dates.day("2026"), "2026");
});

test("a visit is told by the clock at the clinic, on both sides of the change of clocks", () => {
  assert.equal(dates.time("2026-10-24T06:00:00Z"), "09:00");
  assert.equal(dates.time("2026-10-26T06:00:00Z"), "08:00");
  assert.equal(dates.clinicDay("2026-03-01T22:30:00Z"), "2026-03-02");
});

test("moments in a sentence of the server are said in words", () => {
  assert.equal(dates.inWords("Until 2026-10-03 18:00 this could be cancelled."), "Until 3 October 2026, 18:00 this could be cancelled.");
  assert.equal(dates.inWords("Lot 12026-10-03 18:00"), "Lot 12026-10-03 18:00");
});

test("another zone than one's own is named", () => {
  const summer = "2026-07-01T00:00:00Z";
  dates.useClinicZone("Asia/Kathmandu");
  assert.match(dates.zoneNote([summer]), /Nepal/);
  dates.useClinicZone("UTC");
  assert.match(dates.zoneNote(["2026-07-01T00:00:00+11:15"]), /UTC\+11:15/);
  dates.useClinicZone(Intl.DateTimeFormat().resolvedOptions().timeZone);
  assert.equal(dates.zoneNote([summer]), "");
  assert.equal(dates.zoneNote([]), "");
});

test("a visit is read by the clock of its own clinic, where it says which", () => {
  assert.equal(dates.time("2026-10-24T08:00:00+03:00"), "08:00");
  assert.equal(dates.time("2026-10-24T08:00:00+10:00"), "08:00");
  assert.equal(dates.clinicHour("2026-10-24T23:30:00-05:00"), 23);
  assert.equal(dates.clinicDay("2026-10-24T23:30:00-05:00"), "2026-10-24");
  assert.equal(dates.time("2026-10-24T06:00:00+00:00"), "09:00");
});

const place = (start) => ({ id: start, start });

test("places are days and parts of a day of the clinic", () => {
  const found = calendar.days([place("2026-12-02T15:00:00Z"), place("2026-12-01T22:30:00Z"), place("2026-12-02T06:00:00Z")], dates);
  assert.deepEqual(found.map((each) => [each.day, each.places.length]), [["2026-12-02", 3]]);
  const names = calendar.parts(found[0].places, dates).map(([name, list]) => [name, list.length]);
  assert.deepEqual(names, [["MORNING", 2], ["EVENING", 1]]);
});

test("the nearest places to one that is gone, in the order of time", () => {
  const all = ["08", "10", "11", "14", "18"].map((hour) => place(`2026-12-02T${hour}:00:00Z`));
  const found = calendar.nearest(all, "2026-12-02T10:30:00Z");
  assert.deepEqual(found.map((each) => each.start.slice(11, 13)), ["08", "10", "11"]);
});

const visit = (status, start, more = {}) => ({ status, start, end: start, ...more });
const extended = (name, value) => ({ extension: [{ url: `https://x.example/${name}`, ...value }] });

test("visits by what one has to know of them", () => {
  const now = Date.parse("2026-12-01T00:00:00Z");
  const found = sorted([
    visit("booked", "2026-12-09T08:00:00Z"), visit("booked", "2026-12-02T08:00:00Z"), visit("booked", "2026-11-02T08:00:00Z"),
    visit("cancelled", "2026-12-05T08:00:00Z"), visit("entered-in-error", "2026-12-05T08:00:00Z"),
    visit("pending", "2026-12-05T08:00:00Z", extended("hold-expires", { valueInstant: "2026-12-01T00:05:00Z" })),
    visit("pending", "2026-12-05T08:00:00Z", extended("hold-expires", { valueInstant: "2026-11-30T00:00:00Z" })),
    visit("waitlist"), visit("proposed", "2026-12-05T08:00:00Z", extended("waitlist", { extension: [] })),
  ], now);
  assert.deepEqual(Object.entries(found).map(([kind, list]) => [kind, list.length]),
    [["offers", 1], ["held", 1], ["coming", 2], ["waiting", 1], ["past", 2]]);
  assert.equal(found.coming[0].start, "2026-12-02T08:00:00Z");
});

const result = (at, value, more = {}) => ({
  id: at, status: "final", code: { text: "TSH", coding: [{ system: "l", code: "1" }] }, effectiveDateTime: at,
  valueQuantity: { value, unit: "mU" }, referenceRange: [{ low: { value: 1 }, high: { value: 4 } }], ...more,
});

test("results of one test are a series, errors left out", () => {
  const [one, ...others] = series([result("2026-03-01", 5), result("2026-02-01", 9, { status: "entered-in-error" }), result("2026-01-01", 2)]);
  assert.equal(others.length, 0);
  assert.deepEqual(one.rows.map((each) => [each.value, each.deviation]), [["5 mU", "high"], ["2 mU", ""]]);
  assert.deepEqual(one.lines.get("").map((each) => each.value), [2, 5]);
});

test("a chart holds the normal range, and leaves out values of another unit", () => {
  const [one] = series([result("2026-03-01", 5), result("2026-02-01", 900, { valueQuantity: { value: 900, unit: "nU" } }), result("2026-01-01", 3)]);
  const found = laid([one.lines.get("")]);
  assert.deepEqual([found.least, found.most], [1, 5]);
  assert.deepEqual(found.lines[0].map((each) => [each.x, each.y]), [[0, 0.5], [1, 0]]);
  assert.deepEqual(found.band, { top: 0.25, bottom: 1 });
});

for (const [given, said] of [
  [{ interpretation: [{ coding: [{ code: "N" }] }], valueQuantity: { value: 9 } }, ""],
  [{ interpretation: [{ coding: [{ code: "LL" }] }] }, "low"],
  [{ valueQuantity: { value: 4 } }, ""], [{ valueQuantity: { value: 4.1 } }, "high"], [{ valueQuantity: { value: 0.9 } }, "low"],
]) {
  test(`the laboratory's word goes before the range: ${JSON.stringify(given)}`, () => {
    assert.equal(fhir.deviation({ referenceRange: [{ low: { value: 1 }, high: { value: 4 } }], ...given }), said);
  });
}

test("units that are bare codes are said in the person's language", () => {
  use("ru");
  assert.equal(fhir.quantity({ value: 1000.5, unit: "kg", code: "kg" }), "1\u00a0000,5 кг");
  assert.equal(fhir.quantity({ value: 2, unit: "таб.", code: "{tbl}" }), "2 таб.");
});

for (const reference of ["Patient/1", "https://a.example/fhir/Patient/1", "Patient/1/_history/2", "https://a.example/Patient/1/_history/2"]) {
  test(`the target of ${reference}`, () => {
    assert.equal(fhir.target({ reference }), "Patient/1");
  });
}

test("scopes of both versions in words", () => {
  assert.deepEqual(granted("openid patient/Observation.rs?category=x patient/Task.cud patient/*.read"), [
    { kind: "Observation", text: "RESULTS", reads: true, writes: false, part: true },
    { kind: "Task", text: "", reads: false, writes: true, part: false },
    { kind: "*", text: "KIND_ALL", reads: true, writes: false, part: false },
  ]);
});

const event = (recorded, name, more = {}) => ({
  recorded, action: "R", outcome: "0", entity: [{ what: { reference: "Patient/1" } }, { description: "Observation?code=x" },
    { what: { reference: "Consent/why" }, type: { system: "http://hl7.org/fhir/resource-types", code: "Consent" } }],
  agent: [{ who: { reference: "Device/app", display: "App" } }, { requestor: true, name, who: { reference: `Practitioner/${name}` } }], ...more,
});

test("the access log joins what one person did at a time, and keeps emergencies apart", () => {
  const urgent = { agent: [{ requestor: true, name: "Ann", who: { reference: "Practitioner/Ann" }, purposeOfUse: [{ coding: [{ code: "BTG" }] }] }] };
  const rows = [
    event("2026-01-02T10:05:00Z", "Ann"), event("2026-01-02T10:00:00Z", "Bob"), event("2026-01-02T08:00:00Z", "Ann", { action: "U" }),
    event("2026-01-02T07:59:00Z", "Ann", urgent), event("2026-01-02T07:00:00Z", "Ann"), event("2026-01-01T07:58:00Z", "Bob", { outcome: "4" }),
  ].map((each) => told(each, ["Practitioner/Bob"], "Device/app"));
  const groups = grouped(rows, (at) => at.slice(0, 10));
  assert.deepEqual(groups.map((each) => [each.day, each.first.who, each.rows.length, each.first.emergency, each.first.isMe]), [
    ["2026-01-02", "Ann", 3, false, false], ["2026-01-02", "Bob", 1, false, true],
    ["2026-01-02", "Ann", 1, true, false], ["2026-01-01", "Bob", 1, false, true],
  ]);
  assert.deepEqual(groups.flatMap((each) => each.rows).map((each) => each.at).sort(), rows.map((each) => each.at).sort());
  assert.deepEqual(summed(groups[0].rows), [{ action: "DID_READ", kinds: ["Observation"], count: 2 }, { action: "DID_CHANGE", kinds: ["Observation"], count: 1 }]);
  assert.equal(groups[3].first.action, "DID_TRY");
});

test("the log is read back to the last row of its pages, and an empty page changes nothing", () => {
  const page = (...times) => ({ entry: times.map((recorded) => ({ resource: { recorded }, search: { mode: "match" } })) });
  assert.equal(reached(page("2026-01-02", "2026-01-01"), "2026-01-03"), "2026-01-01");
  assert.equal(reached({}, "2026-01-03"), "2026-01-03");
});

for (const [page, user, here, actor] of [
  ["Device/app", "Practitioner/Ann", true, "me"], ["Device/page", "Practitioner/Ann", false, "me,Device/app"],
  ["Device/app", "Practitioner/Bob", false, "Practitioner/Ann"],
]) {
  test(`an app in the person's name is told apart: ${page}, ${user}`, () => {
    const row = told(event("2026-01-01T10:00:00Z", "Ann"), [user], page);
    assert.deepEqual([row.isHere, row.actor], [here, actor]);
  });
}

test("every place of a sentence is filled", () => {
  assert.equal(t("SURE_MOVE", { before: "a", after: "b" }), "Move the visit? Now: a. Then: b.");
});

const doctor = { reference: "Practitioner/1", display: "Ann" };
const patient = { reference: "Patient/1" };

for (const [given, said] of [
  [{ sender: doctor }, true], [{ status: "in-progress" }, true], [{}, true], [{ sender: doctor, received: "2026-01-01T10:00:00Z" }, false],
  [{ sender: patient }, false], [{ sender: { reference: "RelatedPerson/1" } }, false], [{ sender: doctor, status: "preparation" }, false],
]) {
  test(`a message is ${said ? "" : "not "}unread: ${JSON.stringify(given)}`, () => {
    assert.equal(messages.isUnread({ status: "completed", ...given }), said);
  });
}

test("a letter is of the patient, and an answer says to what", () => {
  const made = messages.letter({ patient: "1", to: doctor, text: "x", answered: "m" }, "2026-01-01T10:00:00Z");
  assert.deepEqual([made.sender, made.subject, made.recipient], [patient, patient, [doctor]]);
  assert.deepEqual(made.inResponseTo, [{ reference: "Communication/m" }]);
  assert.equal("inResponseTo" in messages.letter({ patient: "1", to: doctor, text: "x" }, ""), false);
});

test("all that was read is said in one batch", () => {
  const { entry } = messages.receipts([{ id: "a" }, { id: "b" }], "2026-01-01T10:00:00Z");
  assert.deepEqual(entry.map((each) => each.request), [{ method: "PATCH", url: "Communication/a" }, { method: "PATCH", url: "Communication/b" }]);
  assert.deepEqual(JSON.parse(atob(entry[0].resource.data)), [{ op: "add", path: "/received", value: "2026-01-01T10:00:00Z" }]);
});

test("one can write to who looks after the patient, each once and by the name that is known", () => {
  const found = messages.correspondents({
    patient: { generalPractitioner: [{ reference: "https://a.example/fhir/Practitioner/1" }] },
    teams: [{ participant: [{ member: { reference: "PractitionerRole/2" } }, { member: patient }, {}] }],
    visits: [{ participant: [{ actor: doctor }, { actor: { reference: "Location/3" } }, { actor: patient }] }],
    messages: [{ sender: patient }, {}],
  });
  assert.deepEqual(found, [{ reference: "Practitioner/1", display: "Ann" }, { reference: "PractitionerRole/2", display: "" }]);
});

test("who refuses the last offer leaves the queue", () => {
  const offer = (made, limit) => ({ extension: [{ url: "https://fhir-server.example/StructureDefinition/waitlist", extension: [
    { url: "offersMade", valueUnsignedInt: made }, { url: "offersLimit", valueUnsignedInt: limit }] }] });
  assert.deepEqual([[1, 3], [2, 3], [9, 0]].map(([made, limit]) => isLastOffer(offer(made, limit))), [false, true, false]);
});

test("a referral is an order of the clinic that is in force then, to this speciality as far as it says", () => {
  const eye = { system: "urn:s", code: "eye" };
  const given = (id, more = {}) => ({ id, status: "active", intent: "order", ...more });
  const found = fitting([
    given("old", { authoredOn: "2026-01-01" }), given("new", { authoredOn: "2026-02-01", performerType: { coding: [eye] } }),
    given("ear", { performerType: { coding: [{ system: "urn:s", code: "ear" }] } }), given("other", { performerType: { coding: [{ system: "urn:t", code: "eye" }] } }),
    given("late", { occurrencePeriod: { end: "2026-02-28" } }), given("early", { occurrencePeriod: { start: "2026-03-02" } }), given("day", { occurrencePeriod: { end: "2026-03-01" } }),
    given("plan", { intent: "plan" }), given("over", { status: "completed" }),
    given("own", { extension: [{ url: "https://fhir-server.example/StructureDefinition/person-entered" }] }),
  ], eye, "2026-03-01T10:00:00+02:00");
  assert.deepEqual(found.map((each) => each.id), ["new", "old", "day"]);
});

/** As much of IndexedDB and localStorage as `kept.js` asks for. */
function device() {
  const [stored, settings] = [new Map(), new Map()];
  const soon = (request) => { queueMicrotask(() => request.onsuccess()); return request; };
  globalThis.localStorage = {
    getItem: (name) => settings.get(name) ?? null,
    setItem: (name, value) => settings.set(name, value),
    removeItem: (name) => settings.delete(name),
  };
  const store = {
    get: (key) => ({ result: stored.get(key) }),
    put: (value, key) => ({ result: stored.set(key, value) }),
    clear: () => ({ result: stored.clear() }),
  };
  const transaction = () => {
    const made = { objectStore: () => store };
    queueMicrotask(() => made.oncomplete());
    return made;
  };
  globalThis.indexedDB = {
    open: () => soon({ result: { transaction, close() {} } }),
    deleteDatabase: () => { stored.clear(); return soon({}); },
  };
  return stored;
}

test("what is kept on a device is of who said so", async () => {
  const stored = device();
  const kept = await app("kept");
  await kept.belongTo("anna", "Patient/anna");
  await kept.put("Patient/anna", 1);
  assert.equal(stored.size, 0);
  await kept.keep();
  await kept.belongTo("child", "Patient/anna");
  await kept.put("Patient/child", 2);
  assert.ok(stored.has("child Patient/child"));
  assert.ok(!stored.has("anna Patient/anna"));
  kept.lapse();
  await kept.belongTo("boris", "Patient/boris");
  await kept.put("Patient/boris", 3);
  assert.deepEqual([stored.size, kept.isKept()], [0, false]);
});

test("the same record opened by another person is not kept for both", async () => {
  const stored = device();
  const kept = await app("kept");
  await kept.belongTo("child", "Person/mother");
  await kept.keep();
  await kept.belongTo("child", "Person/father");
  await kept.put("Patient/child", 1);
  assert.deepEqual([stored.size, kept.isKept()], [0, false]);
});
