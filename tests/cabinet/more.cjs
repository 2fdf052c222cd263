// Scenarios of the patient's page, each by itself: without a network, by keyboard, how it looks
// and weighs. What a patient does from the registration on is in `journey.cjs`.
"use strict";

const fs = require("fs");
const path = require("path");
const { drive, signIn } = require("../browser/drive.cjs");
const { ready, view, enter, asked, slotOf, calendar, confirmed } = require("./cabinet.cjs");

const VIEWS = [
  "", "visits", "card", "results", "card/encounters", "card/prescriptions", "card/vaccinations", "card/documents",
  "card/reports", "card/conditions", "card/allergies", "messages", "more", "people", "access", "share", "share/hide", "share/entrust", "journal", "notices",
  "write", "book", "book/doctor/dr-sokolova", "book/doctor/dr-busy",
];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Tab until an element is reached; how many steps that took. */
async function tabTo(page, selector) {
  for (let steps = 1; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return steps;
  }
  throw new Error(`no Tab leads to ${selector}`);
}

const here = (page) => page.evaluate(async () => ({
  session: Object.keys(sessionStorage), local: Object.keys(localStorage),
  databases: (await indexedDB.databases()).map((each) => each.name),
  caches: (await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map((each) => new URL(each.url).pathname)))).flat(),
}));

const scenarios = {
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
    await view(page, "#/visits");
    seen.whose = await page.locator("#whose").innerText();
    await shot("of-the-child");
    seen.address = page.url();
  },

  /** Read without a network what was seen; nothing is kept unless the person says so. */
  async offline({ page, seen, shot, context }, given) {
    await enter(page, given);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    await view(page, "#/visits");
    seen.unasked = (await here(page)).databases;
    await view(page, "#/more");
    await page.check("#keep");
    await page.locator("#keep:not([disabled])").waitFor();
    await view(page, "#/results");
    seen.kept = await here(page);
    await context.setOffline(true);
    await page.reload();
    await ready(page);
    seen.results = await page.locator("a.result").count();
    seen.banner = await page.locator("#banner").innerText();
    await shot("results");
    await view(page, "#/messages");
    seen.unseen = await page.locator("h1").innerText();
    const other = await context.newPage();
    await other.goto(`${given.root}/cabinet/#/visits`);
    await ready(other);
    seen.another = await other.locator("h1").innerText();
    await other.close();
    await context.setOffline(false);
    await view(page, "#/more");
    await page.locator("main button.danger").click();
    await page.locator(".welcome").waitFor();
    seen.left = await here(page);
  },

  /** A visit that demands a referral is based on the one that the person chooses. */
  async referred({ page, seen, shot }, given) {
    await enter(page, given);
    await calendar(page, "dr-referred");
    seen.note = await page.locator(".times .note").innerText();
    await page.locator(".time").first().click();
    await page.locator("dialog").waitFor();
    seen.choices = await page.locator("dialog button").allInnerTexts();
    await shot("which");
    await page.locator("dialog button").last().click();
    await page.locator("dialog").waitFor({ state: "detached" });
    seen.stayed = new URL(page.url()).hash;
    await page.locator(".time").first().click();
    await page.locator("dialog button").nth(1).click();
    await confirmed(page);
    seen.visits = (await asked(given, given.system, "GET", "Appointment?based-on=ServiceRequest/pain&status=booked")).body.total;
  },

  /** A visit that demands a stronger sign-in leads to one. */
  async stronger({ page, seen, shot }, given) {
    await enter(page, given);
    await calendar(page, "dr-guarded");
    seen.note = await page.locator(".times .note").innerText();
    await page.locator(".time").first().click();
    await page.locator(".welcome [role=alert]").waitFor();
    seen.said = await page.locator(".welcome [role=alert]").innerText();
    seen.left = (await here(page)).session;
    await shot("asked");
    const asked = page.waitForRequest((each) => each.url().includes("/auth/authorize"));
    await page.locator("main button.main").click();
    seen.level = new URL((await asked).url()).searchParams.get("acr_values");
  },

  /** Who follows a link to a view and is not signed in comes to it by the sign-in. */
  async linked({ page, seen }, given) {
    await enter(page, { ...given, query: "#/results" });
    seen.heading = await page.locator("h1").innerText();
    seen.address = page.url();
    await page.reload();
    await ready(page);
    seen.again = await page.locator("h1").innerText();
  },

  /** Days further ahead come when they are asked for. */
  async later({ page, seen }, given) {
    await enter(page, given);
    await calendar(page, "dr-later");
    seen.before = await page.locator("[data-day]").count();
    await page.locator(".day:not([data-day])").click();
    await page.locator(".day:not([data-day])").waitFor({ state: "detached" });
    seen.after = await page.locator("[data-day]").count();
    seen.focused = await page.evaluate(() => Boolean(document.activeElement.dataset.day));
  },

  /** Whoever goes away is asked, and then signed out. */
  async idle({ page, seen, shot }, given) {
    await page.clock.install();
    await enter(page, given);
    await page.clock.runFor((given.idle - 40) * 1000);
    await page.locator("dialog[open]").waitFor();
    seen.asked = await page.locator("dialog h2").innerText();
    await shot("asked");
    await page.clock.runFor(60_000);
    await page.locator(".welcome [role=alert]").waitFor();
    seen.over = await page.locator(".welcome [role=alert]").innerText();
    seen.left = (await here(page)).session;
  },

  /** A visit is booked without a mouse. */
  async keyboard({ page, seen }, given) {
    await enter(page, given);
    const press = async (selector) => {
      seen.steps += await tabTo(page, selector);
      await page.keyboard.press("Enter");
    };
    seen.steps = 0;
    await press("a.button[href='#/book']");
    await page.locator(".choices a", { hasText: "Терапия" }).waitFor();
    await ready(page);
    seen.heading = await page.evaluate(() => document.activeElement.tagName);
    await press(".choices a[href*='%D0%A2']");
    await page.locator(".choices a", { hasText: "Соколова" }).waitFor();
    await press(".choices a[href$='dr-sokolova']");
    await page.locator(".time").first().waitFor();
    await press(".day:nth-child(2)");
    await press(".time");
    await page.locator(".clock").waitFor();
    await press("main button.main");
    await page.locator("main .button[href='#/visits']").waitFor();
    seen.booked = await page.evaluate(() => document.activeElement.textContent);
    seen.outline = await page.evaluate(() => {
      const link = document.querySelector("main .button");
      link.focus();
      return getComputedStyle(link).outlineStyle;
    });
  },

  /** Every view, as it looks, with what axe says of it and how large its targets are. */
  async look({ page, seen, shot }, given) {
    await enter(page, given);
    const source = fs.readFileSync(path.join(given.axe, "axe.min.js"), "utf8");
    seen.violations = [];
    seen.small = [];
    for (const each of VIEWS) {
      await view(page, `#/${each}`);
      await page.waitForTimeout(200); // the view fades in: contrast is judged of what stands there
      await shot((each || "home").replace(/\//g, "-"));
      await page.evaluate(`${source}; null`);
      const found = await page.evaluate((rules) => axe.run(document, { runOnly: rules }), RULES);
      seen.violations.push(...found.violations.map((one) => `${each}: ${one.impact} ${one.id} ${one.nodes[0].html}`));
      seen.checked = (seen.checked || 0) + found.passes.length;
      seen.small.push(...await page.evaluate(() => [...document.querySelectorAll("main a, main button, nav a, header a, select")]
        .filter((one) => one.getClientRects().length && (one.getBoundingClientRect().height < 44 || one.getBoundingClientRect().width < 44))
        .map((one) => one.outerHTML.slice(0, 120))));
    }
    await page.locator("a.result").first().waitFor({ state: "attached", timeout: 1 }).catch(() => {});
    await view(page, "#/results");
    await page.locator("a.result").first().click();
    await page.locator(".chart").waitFor();
    await shot("chart");
    seen.rows = await page.locator("tbody tr").count();
    seen.label = await page.locator(".chart").getAttribute("aria-label");
    seen.language = await page.evaluate(() => document.documentElement.lang);
  },

  /** A file of the record is opened; one elsewhere is never asked for with the token. */
  async files({ page, seen }, given) {
    await enter(page, given);
    await view(page, "#/card/documents");
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    const saved = async (name) => {
      const down = page.waitForEvent("download");
      await page.locator("li.card", { hasText: name }).locator("button").click();
      return fs.readFileSync(await (await down).path());
    };
    seen.content = (await saved("Выписка 0")).toString("utf8");
    seen.scan = (await saved("Выписка 2")).toString("base64");
    await page.locator("li.card", { hasText: "Выписка 1" }).locator("button").click();
    await page.locator("[role=alert]").waitFor();
    seen.elsewhere = asked.filter((each) => each.includes("elsewhere"));
  },

  /** What the person does not let the page see is said so, and the rest is there. */
  async narrowed({ page, seen, shot }, given) {
    await page.goto(`${given.root}/cabinet/`);
    await page.locator("main button.main").click();
    await signIn(page, given.email, given.password);
    await page.locator("#consent").waitFor();
    await page.locator("input[name^='see-']").last().uncheck();
    await page.click('button[value="allow"]');
    await page.locator("#tabs:not([hidden])").waitFor();
    await ready(page);
    seen.home = await page.locator("h1").innerText();
    await view(page, "#/results");
    seen.refused = await page.locator("[role=alert]").innerText();
    await shot("refused");
  },

  /** A message is answered. */
  async message({ page, seen, shot }, given) {
    await enter(page, given);
    await view(page, "#/messages");
    await page.locator("li.message button").first().click();
    await page.locator("textarea").fill("Спасибо!\nПоняла.");
    await shot("answer");
    await page.locator("form.answer button").click();
    await page.locator("li.message.mine").waitFor();
    seen.mine = await page.locator("li.message.mine .said").first().innerText();
  },

  /** What a first visit weighs on a slow line, and whether the page jumps. */
  async weight({ page, seen, context }, given) {
    await enter(page, given);
    await page.evaluate(() => Promise.all([navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister()))),
      caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))))]));
    const cdp = await context.newCDPSession(page);
    await cdp.send("Network.enable");
    await cdp.send("Network.clearBrowserCache");
    await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 300, downloadThroughput: 50_000, uploadThroughput: 50_000 });
    let bytes = 0;
    cdp.on("Network.loadingFinished", (each) => { bytes += each.encodedDataLength; });
    await page.addInitScript(() => {
      window.shift = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((each) => { window.shift += each.value; })).observe({ type: "layout-shift", buffered: true });
    });
    const began = Date.now();
    await page.reload();
    await page.locator(".visit, main h1").first().waitFor();
    await ready(page);
    seen.seconds = (Date.now() - began) / 1000;
    seen.bytes = bytes;
    seen.shift = await page.evaluate(() => window.shift);
  },
};

drive(scenarios);
