// What scenarios of the patient's page have in common: ways of its views, and what other apps
// do meanwhile.
"use strict";

const fs = require("fs");
const path = require("path");
const { signIn } = require("../browser/drive.cjs");

/** Until the view stands there. */
const ready = (page) => page.waitForFunction(
  () => document.getElementById("content")?.getAttribute("aria-busy") === "false",
);

/** Go to a view by its address, and wait for it. */
async function view(page, hash) {
  await page.evaluate((to) => {
    document.getElementById("content").setAttribute("aria-busy", "true");
    if (location.hash === to) window.dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = to;
  }, hash);
  await ready(page);
}

/** From the welcome to the first view; `patient` is whose record to open. */
async function enter(page, given, patient) {
  await page.goto(`${given.root}/cabinet/${given.query || ""}`);
  await page.locator("main button.main").click();
  await signIn(page, given.email, given.password);
  await page.locator("#consent, #tabs:not([hidden])").first().waitFor();
  if (await page.locator("#consent").count()) {
    if (patient) await page.check(`input[name="patient"][value="${patient}"]`);
    await page.click('button[value="allow"]');
  }
  await page.locator("#tabs:not([hidden])").waitFor();
  await ready(page);
}

/** What another app does with a token of its own. */
async function asked(given, token, method, path, resource) {
  const answer = await fetch(`${given.base}/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/fhir+json" },
    body: resource && JSON.stringify(resource),
  });
  return { status: answer.status, body: await answer.json() };
}

const slotOf = (id) => ({
  resourceType: "Parameters", parameter: [{ name: "slot", valueReference: { reference: `Slot/${id}` } }],
});

const calendar = async (page, doctor) => {
  await view(page, `#/book/doctor/${doctor}`);
  await page.locator(".time").first().waitFor();
};

const confirmed = async (page) => {
  await page.locator(".clock").waitFor();
  await page.locator("main button.main").click();
  await page.locator("main .button[href='#/visits']").waitFor();
};

/** The code of the letter that registration sends; it comes behind the answer. */
async function letter(folder) {
  for (let tries = 0; tries < 150; tries += 1) {
    const [found] = fs.readdirSync(folder).map((each) => fs.readFileSync(path.join(folder, each), "utf8"))
      .map((text) => (/base64/i.test(text) ? Buffer.from(text.split(/\r?\n\r?\n/).slice(1).join(""), "base64").toString() : text))
      .map((text) => /\b[A-Z2-9]{5}-[A-Z2-9]{5}\b/.exec(text)).filter(Boolean);
    if (found) return found[0];
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  }
  throw new Error("no letter");
}

module.exports = { ready, view, enter, asked, slotOf, calendar, confirmed, letter };
