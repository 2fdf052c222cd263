// A patient's way through the page, step by step: what a step saw is noted by its name, and
// the way ends at the first that fails.
"use strict";

const fs = require("fs");
const { drive, signIn } = require("../browser/drive.cjs");
const { ready, view, asked, slotOf, calendar, confirmed, letter } = require("./cabinet.cjs");

const DAY = 86_400_000;
const HALF_HOUR = 1_800_000;
const NEW_PASSWORD = "correct horse battery";

const alert = (page) => page.locator("[role=alert]");
const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("role"));
const card = (page, kind, text) => page.locator(`.visit.${kind}`, { hasText: text });

/** The other patient's app. */
const other = (given, method, path, resource) => asked(given, given.taker, method, path, resource);

const joining = (practitioner) => ({
  resourceType: "Parameters",
  parameter: [{ name: "practitioner", valueReference: { reference: `Practitioner/${practitioner}` } }],
});

/** The clinic opens a place of the busy doctor, some days from now. */
async function opens(given, id, days) {
  const start = new Date(Date.now() + days * DAY);
  return (await asked(given, given.system, "PUT", `Slot/${id}`, {
    resourceType: "Slot", id, schedule: { reference: "Schedule/dr-busy" }, status: "free",
    start: start.toISOString(), end: new Date(start.getTime() + HALF_HOUR).toISOString(),
  })).status;
}

/** Look at the visits again until there is one of the kind. */
async function until(page, kind, text) {
  for (let tries = 0; tries < 100 && !(await card(page, kind, text).count()); tries += 1) {
    await page.waitForTimeout(200);
    await view(page, "#/visits");
  }
  await card(page, kind, text).waitFor();
}

async function cancelled(page, text) {
  await card(page, "coming", text).first().locator("button.danger").click();
  await page.locator("dialog button.main").click();
}

async function joins(page) {
  await view(page, "#/book/doctor/dr-busy");
  await page.locator(".times button.main").first().click();
  await page.waitForURL("**#/visits");
  await card(page, "waiting", "Занятая").waitFor();
}

/** What a place in the queue says of itself: that comes by a request of its own. */
const told = async (page, line) => {
  const found = card(page, "waiting", "Занятая").locator(line).filter({ hasText: /\d/ });
  await found.waitFor();
  return found.innerText();
};

const STEPS = {
  async register({ page, seen, shot }, given) {
    await page.goto(`${given.root}/`);
    await page.locator(".welcome").waitFor();
    seen.home = new URL(page.url()).pathname;
    await shot("welcome");
    await page.locator("a[href='/auth/sign-up']").click();
    for (const [id, value] of Object.entries(given.person)) await page.fill(`#${id}`, value);
    await page.click("button.main");
    await page.locator("#code").waitFor();
    await page.fill("#email", given.person.email);
    await page.fill("#code", await letter(given.mails));
    await page.fill("#password", NEW_PASSWORD);
    await page.fill("#again", NEW_PASSWORD);
    await page.click("main button.main");
    await page.locator("#code").waitFor({ state: "detached" });
    seen.heading = await page.locator("h1").innerText();
    await shot("registered");
  },

  async signs_in({ page, seen, shot }, given) {
    await page.goto(`${given.root}/cabinet/`);
    await page.locator("main button.main").click();
    await page.locator("#password").waitFor();
    await shot("sign-in");
    await signIn(page, given.person.email, NEW_PASSWORD);
    await page.locator("#consent").waitFor();
    await shot("asked-once");
    await page.click('button[value="allow"]');
    await page.locator("#tabs:not([hidden])").waitFor();
    await ready(page);
    seen.heading = await page.locator("h1").innerText();
    await shot("home");
  },

  async books({ page, seen, shot }) {
    await page.locator("main a.button[href='#/book']").click();
    await page.locator(".choices a", { hasText: "Терапия" }).waitFor();
    await shot("specialities");
    await page.locator(".choices a", { hasText: "Терапия" }).click();
    await page.locator(".choices a", { hasText: "Соколова" }).waitFor();
    seen.doctors = await page.locator(".choices a").allInnerTexts();
    await shot("doctors");
    await page.locator(".choices a", { hasText: "Соколова" }).click();
    const time = page.locator(".time").nth(2);
    await time.waitFor();
    await shot("calendar");
    seen.chosen = await time.innerText();
    await time.click();
    await page.locator(".clock").waitFor();
    await shot("confirm");
    await confirmed(page);
    seen.booked = await page.locator("h1").innerText();
    const saved = async (index) => {
      const down = page.waitForEvent("download");
      await page.locator(".ticket button").nth(index).click();
      return fs.readFileSync(await (await down).path(), "utf8");
    };
    await page.locator(".ticket button").first().waitFor();
    seen.number = await page.locator(".number").innerText();
    seen.calendar = await saved(0);
    seen.sheet = (await saved(1)).slice(0, 5);
    await shot("booked");
    await page.locator("main .button[href='#/visits']").click();
    await card(page, "coming", "Соколова").waitFor();
    seen.visit = await card(page, "coming", "Соколова").locator("h3").innerText();
    await shot("visits");
  },

  async writes({ page, seen, shot }) {
    await view(page, "#/messages");
    await page.locator("main a.button[href='#/write']").click();
    await page.locator("#to").waitFor();
    await page.selectOption("#to", { label: "Соколова Елена" });
    await page.fill("#topic", "Перед приёмом");
    await page.fill("#text", "Нужно ли прийти натощак?");
    await shot("write");
    await page.locator("form.answer button").click();
    await page.locator("li.message.mine").waitFor();
    seen.mine = await page.locator("li.message.mine").innerText();
  },

  async reads({ page, seen, shot }, given) {
    const patient = { reference: await page.evaluate(() => `Patient/${JSON.parse(sessionStorage.getItem(JSON.parse(sessionStorage.getItem("SMART_KEY")))).tokenResponse.patient}`) };
    const made = await asked(given, given.system, "POST", "Communication", {
      resourceType: "Communication", status: "completed", subject: patient, recipient: [patient], sent: new Date().toISOString(),
      sender: { reference: "Practitioner/dr-sokolova", display: "Соколова Елена" }, payload: [{ contentString: "Нет, завтракайте как обычно." }],
    });
    await view(page, "#/");
    await page.locator("#tabs .count").waitFor();
    seen.count = await page.locator("#tabs [data-view=messages]").innerText();
    await shot("unread");
    await view(page, "#/messages");
    seen.marked = await page.locator("li.message .badge.new").count();
    await shot("messages");
    await page.locator("#tabs .count").waitFor({ state: "detached" });
    seen.received = (await asked(given, given.system, "GET", `Communication/${made.body.id}`)).body.received;
    await view(page, "#/messages");
    seen.after = await page.locator("li.message .badge.new").count();
  },

  async loses({ page, seen, shot }, given) {
    await calendar(page, "dr-sokolova");
    await page.locator(".day").nth(1).click();
    const time = page.locator(".time").nth(3);
    const lost = await time.getAttribute("data-slot");
    seen.taken = (await other(given, "POST", "Appointment/$book", slotOf(lost))).status;
    await time.click();
    await alert(page).waitFor();
    seen.said = await alert(page).innerText();
    seen.focused = await focused(page);
    seen.left = await page.locator(`[data-slot="${lost}"]`).count();
    seen.others = await alert(page).locator(".time").count();
    await shot("lost");
  },

  async moves({ page, seen, shot }) {
    await view(page, "#/visits");
    const visit = card(page, "coming", "Соколова").first();
    seen.before = await visit.locator("h3").innerText();
    await visit.locator("a.button[href*='/move/']").click();
    await page.locator(".day").nth(1).click();
    await page.locator(".time").last().click();
    await page.locator("dialog").waitFor();
    await shot("move");
    await page.locator("dialog button.main").click();
    await page.waitForURL("**#/visits");
    await card(page, "coming", "Соколова").waitFor();
    seen.after = await card(page, "coming", "Соколова").locator("h3").innerText();
  },

  async cancels({ page, seen, shot }) {
    await cancelled(page, "Соколова");
    await card(page, "coming", "Соколова").waitFor({ state: "detached" });
    seen.states = await card(page, "past", "Соколова").locator(".state").allInnerTexts();
    await shot("cancelled");
  },

  async waits({ page, seen, shot }, given) {
    const before = await other(given, "POST", "Appointment/$waitlist-join", joining("dr-busy"));
    await view(page, "#/book/doctor/dr-busy");
    await shot("nothing-free");
    await joins(page);
    seen.second = await told(page, ".position");
    await shot("waiting");
    seen.twice = await view(page, "#/book/doctor/dr-busy").then(async () => {
      await page.locator(".times button.main").first().click();
      await alert(page).waitFor();
      return alert(page).innerText();
    });
    await other(given, "POST", `Appointment/${before.body.id}/$cancel`);
    await view(page, "#/visits");
    seen.first = await told(page, ".position");
  },

  async leaves({ page, seen }) {
    await card(page, "waiting", "Занятая").locator("button.danger").click();
    await page.locator("dialog button.main").click();
    await card(page, "waiting", "Занятая").waitFor({ state: "detached" });
    seen.past = await card(page, "past", "Занятая").count();
  },

  async refuses({ page, seen, shot }, given) {
    await joins(page);
    const next = await other(given, "POST", "Appointment/$waitlist-join", joining("dr-busy"));
    seen.opened = await opens(given, "freed-1", 5);
    await until(page, "offers", "Занятая");
    await shot("offer");
    await view(page, "#/");
    seen.home = await card(page, "offers", "Занятая").count();
    await card(page, "offers", "Занятая").locator("button.second").click();
    await page.locator("dialog").waitFor();
    await shot("refuse");
    await page.locator("dialog button.main").click();
    await card(page, "offers", "Занятая").waitFor({ state: "detached" });
    await view(page, "#/visits");
    seen.waiting = await card(page, "waiting", "Занятая").count();
    seen.offers = await told(page, ".offered");
    seen.next = (await other(given, "GET", `Appointment/${next.body.id}`)).body.status;
  },

  async accepts({ page, seen, shot }, given) {
    seen.opened = await opens(given, "freed-2", 6);
    await until(page, "offers", "Занятая");
    await card(page, "offers", "Занятая").locator("button.main").click();
    await card(page, "coming", "Занятая").waitFor();
    seen.slot = (await asked(given, given.system, "GET", "Slot/freed-2")).body.status;
    await shot("accepted");
  },

  async comes_too_late({ page, seen, shot }) {
    await calendar(page, "dr-strict");
    await page.locator(".time").first().click();
    await confirmed(page);
    await view(page, "#/visits");
    await cancelled(page, "Строгий");
    await alert(page).waitFor();
    seen.refused = await alert(page).innerText();
    seen.focused = await focused(page);
    seen.kept = await card(page, "coming", "Строгий").count();
    await shot("too-late");
  },

  async ends_an_app({ page, seen, shot }, given) {
    const isAnswer = (url) => url.href.startsWith(given.app.redirect);
    await page.route(isAnswer, (route) => route.fulfill({ body: "the app" }));
    await page.goto(given.app.authorize);
    await page.locator("#consent").waitFor();
    await page.click('button[value="allow"]');
    await page.waitForURL(isAnswer);
    const code = new URL(page.url()).searchParams.get("code");
    const form = new URLSearchParams({ ...given.app.form, code });
    const token = (await (await fetch(`${given.root}/auth/token`, { method: "POST", body: form })).json()).access_token;
    seen.before = (await asked(given, token, "GET", "Patient")).status;
    await page.goto(`${given.root}/cabinet/`);
    await ready(page);
    await view(page, "#/access");
    await shot("access");
    const app = page.locator("li.card", { hasText: "Demo app" });
    await app.locator("button.danger").click();
    await page.locator("dialog button.main").click();
    await app.waitFor({ state: "detached" });
    await page.waitForTimeout(1000); // what is revoked is refused within a second
    seen.after = (await asked(given, token, "GET", "Patient")).status;
    await view(page, "#/journal");
    seen.journal = await page.locator("main").innerText();
    await shot("journal");
  },
};

drive({
  async journey(tools, given) {
    const steps = {};
    tools.seen.steps = steps;
    for (const [name, step] of Object.entries(STEPS)) {
      steps[name] = {};
      try {
        await step({ ...tools, seen: steps[name] }, given);
      } catch (error) {
        steps[name].failed = error.stack;
        await tools.shot(`failed-${name}`);
        return;
      }
    }
  },
});
