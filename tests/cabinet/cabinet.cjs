// The patient's page in Chromium, as a patient uses it. Scenarios that take a test further are
// in `more.cjs`; both use what is here.
"use strict";

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

const cancel = async (page) => {
  await page.locator(".visit.coming button.danger").first().click();
  await page.locator("dialog button.main").click();
};

const scenarios = {
  /** A time is lost to another, another one booked, moved, and cancelled. */
  async booking({ page, seen, shot }, given) {
    await enter(page, given);
    await shot("home");
    await page.locator("main a.button[href='#/book']").click();
    await page.locator(".choices a", { hasText: "Терапия" }).click();
    await page.locator(".choices a", { hasText: "Соколова" }).click();
    const time = page.locator(".time").nth(2);
    await time.waitFor();
    await shot("calendar");
    const lost = await time.getAttribute("data-slot");
    seen.taken = (await asked(given, given.taker, "POST", "Appointment/$book", slotOf(lost))).status;
    await time.click();
    await page.locator("[role=alert]").waitFor();
    seen.lost = await page.locator("[role=alert]").innerText();
    seen.focused = await page.evaluate(() => document.activeElement.getAttribute("role"));
    seen.gone = await page.locator(`[data-slot="${lost}"]`).count();
    await shot("lost");
    await page.locator("[role=alert] .time").first().click();
    await page.locator(".clock").waitFor();
    await shot("confirm");
    await confirmed(page);
    seen.booked = await page.locator("h1").innerText();
    await shot("booked");
    await view(page, "#/visits");
    await shot("visits");
    seen.before = await page.locator(".visit.coming h3").first().innerText();
    await page.locator(".visit.coming a.button").first().click();
    await page.locator(".day").nth(1).click();
    await page.locator(".time").last().click();
    await page.locator("dialog").waitFor();
    await shot("move");
    await page.locator("dialog button.main").click();
    await page.waitForURL("**#/visits");
    await page.locator(".visit.coming").first().waitFor();
    seen.after = await page.locator(".visit.coming h3").first().innerText();
    await cancel(page);
    await page.locator(".visit.past .state.cancelled").nth(1).waitFor({ state: "attached" });
    seen.coming = await page.locator(".visit.coming").count();
    await shot("cancelled");
  },

  /** The clinic's rule says that it is too late. */
  async late({ page, seen, shot }, given) {
    await enter(page, given);
    await calendar(page, "dr-strict");
    await page.locator(".time").first().click();
    await confirmed(page);
    await view(page, "#/visits");
    await cancel(page);
    await page.locator("[role=alert]").waitFor();
    seen.refused = await page.locator("[role=alert]").innerText();
    seen.focused = await page.evaluate(() => document.activeElement.getAttribute("role"));
    await shot("too-late");
  },

  /** A hold is let go, and the time is free for others at once. */
  async hold({ page, seen }, given) {
    await enter(page, given);
    await calendar(page, "dr-sokolova");
    const time = page.locator(".time").last();
    const id = await time.getAttribute("data-slot");
    await time.click();
    await page.locator(".clock").waitFor();
    seen.held = (await asked(given, given.taker, "POST", "Appointment/$hold", slotOf(id))).status;
    await page.locator("main button.second").click();
    await page.locator(".time").first().waitFor();
    const again = await asked(given, given.taker, "POST", "Appointment/$hold", slotOf(id));
    seen.free = again.status;
    await asked(given, given.taker, "POST", `Appointment/${again.body.entry[0].resource.id}/$cancel`);
  },

  /** The queue, where the server has one: join, be offered a place, take it. */
  async queue({ page, seen, shot }, given) {
    await enter(page, given);
    await view(page, "#/book/doctor/dr-busy");
    seen.offered = await page.locator(".times button.main").count();
    if (!seen.offered) return;
    await shot("nothing-free");
    await page.locator(".times button.main").first().click();
    await page.waitForURL("**#/visits");
    await page.locator(".visit.waiting").waitFor();
    await shot("waiting");
    const start = new Date(Date.now() + 5 * 86_400_000);
    seen.opened = (await asked(given, given.system, "PUT", "Slot/freed", {
      resourceType: "Slot", id: "freed", schedule: { reference: "Schedule/dr-busy" }, status: "free",
      start: start.toISOString(), end: new Date(start.getTime() + 1_800_000).toISOString(),
    })).status;
    for (let tries = 0; tries < 100 && !(await page.locator(".visit.offers").count()); tries += 1) {
      await page.waitForTimeout(200);
      await view(page, "#/visits");
    }
    await shot("offer");
    await page.locator(".visit.offers button.main").click();
    await page.locator(".visit.coming").waitFor();
    seen.accepted = await page.locator(".visit.coming").innerText();
  },

  /** An app's access is ended; the log says who was here. */
  async revoke({ page, seen, shot }, given) {
    await enter(page, given);
    await view(page, "#/access");
    await shot("access");
    seen.before = (await asked(given, given.app, "GET", "Patient")).status;
    const app = page.locator("li.card", { hasText: "Demo app" });
    seen.apps = await app.count();
    await app.locator("button.danger").first().click();
    await page.locator("dialog button.main").click();
    await page.waitForFunction((count) => [...document.querySelectorAll("li.card")]
      .filter((each) => each.textContent.includes("Demo app")).length < count, seen.apps);
    await page.waitForTimeout(1000); // what is revoked is refused within a second
    seen.after = (await asked(given, given.app, "GET", "Patient")).status;
    await view(page, "#/journal");
    seen.journal = await page.locator("main").innerText();
    await shot("journal");
  },

  /** A mother opens the record of her child. */
  async people({ page, seen, shot }, given) {
    await enter(page, given, given.patient);
    await view(page, "#/people");
    await shot("people");
    seen.own = await page.locator(".big").innerText();
    await page.locator("main button.main").click();
    await page.locator("#consent").waitFor();
    await shot("picker");
    await page.check(`input[name="patient"][value="${given.child}"]`);
    await page.click('button[value="allow"]');
    await page.locator("#tabs:not([hidden])").waitFor();
    await ready(page);
    seen.child = await page.locator("h1").innerText();
    seen.address = page.url();
  },

  /** A new patient registers by the code of a letter, and comes in. */
  async register({ page, seen, shot }, given) {
    await page.goto(`${given.root}/cabinet/`);
    await page.locator("a[href='/auth/sign-up']").click();
    for (const [id, value] of Object.entries(given.person)) await page.fill(`#${id}`, value);
    await page.click("button.main");
    await page.locator("#code").waitFor();
    await page.fill("#email", given.person.email);
    await page.fill("#code", await given.letter());
    await page.fill("#password", "correct horse battery");
    await page.fill("#again", "correct horse battery");
    await page.click("main button.main");
    await page.waitForTimeout(500);
    await shot("registered");
    await page.goto(`${given.root}/cabinet/`);
    await page.locator("main button.main").click();
    if (await page.locator("#password").count()) {
      await signIn(page, given.person.email, "correct horse battery");
    }
    await page.locator("#consent, #tabs:not([hidden])").first().waitFor();
    if (await page.locator("#consent").count()) await page.click('button[value="allow"]');
    await page.locator("#tabs:not([hidden])").waitFor();
    await ready(page);
    seen.heading = await page.locator("h1").innerText();
  },
};

module.exports = { scenarios, ready, view, enter, calendar, confirmed };
