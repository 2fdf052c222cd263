// A patient shares the record, hides a part of it, lets a relative act, and takes it back; what a
// doctor's app finds meanwhile.
"use strict";

const { drive } = require("../browser/drive.cjs");
const { view, enter, asked } = require("./cabinet.cjs");

const found = async (given, token, search) => (await asked(given, token, "GET", search)).body.total;

const card = (page, text) => page.locator("section > ul.choices > li.consent", { hasText: text });

/** What the form says will be saved, and saving it. */
async function given_(page) {
  await page.locator("main .form .answers button.main").click();
  await page.locator("dialog[open]").waitFor();
  const said = await page.locator("dialog").innerText();
  return { said, save: async () => {
    await page.locator("dialog button.main").click();
    await page.waitForURL("**#/access");
    await page.locator("li.consent").first().waitFor();
  } };
}

async function withdrawn(page, text) {
  await card(page, text).locator("button.danger").click();
  await page.locator("dialog[open]").waitFor();
  const said = await page.locator("dialog").innerText();
  await page.locator("dialog button.main").click();
  await card(page, text).waitFor({ state: "detached" });
  return said;
}

async function choose(page, name) {
  await page.locator("main input[type=search]:visible").fill(name.split(" ")[0]);
  await page.keyboard.press("Enter");
  await page.locator(".people:visible label.choice", { hasText: name }).first().click();
}

drive({
  /** What is sensitive is closed to the doctor, opened for her, and closed again. */
  async share({ page, seen, shot }, given) {
    const secret = () => found(given, given.doctor, `Condition?patient=${given.patient}&code=F32.1&_total=accurate`);
    const others = () => found(given, given.doctor, `Immunization?patient=${given.patient}&_total=accurate`);
    await enter(page, given);
    seen.before = [await secret(), await others()];
    await view(page, "#/share");
    seen.people = await page.locator(".people:visible").innerText();
    await page.locator("main .form .answers button.main").click();
    seen.missing = await page.locator("[role=alert]").innerText();
    await choose(page, "Соколова");
    await page.locator("label.choice", { hasText: "вместе с деликатными" }).click();
    await page.fill("#until", "2099-12-31");
    await shot("form");
    const asking = await given_(page);
    seen.said = asking.said;
    await shot("check");
    await asking.save();
    seen.card = await card(page, "Соколова").innerText();
    await shot("access");
    seen.shared = [await secret(), await others()];
    seen.follows = await withdrawn(page, "Соколова");
    seen.after = [await secret(), await others()];
    seen.past = await page.locator("details li.consent", { hasText: "Соколова" }).locator(".badge").textContent();
  },

  /** A section is hidden from everybody, and shown again; the rest stays. */
  async hide({ page, seen, shot }, given) {
    const counts = async (...kinds) => Promise.all(kinds.map((kind) => found(given, given.doctor, `${kind}?patient=${given.patient}&_total=accurate`)));
    await enter(page, given);
    seen.before = await counts("Immunization", "AllergyIntolerance");
    await view(page, "#/share/hide");
    await page.locator("label.choice", { hasText: "прививки" }).click();
    await page.locator("label.choice", { hasText: "психическое" }).click();
    await shot("form");
    const asking = await given_(page);
    seen.said = asking.said;
    await shot("check");
    await asking.save();
    await shot("access");
    seen.hidden = await counts("Immunization", "AllergyIntolerance");
    await view(page, "#/card/vaccinations");
    seen.own = await page.locator("main").innerText();
    await view(page, "#/access");
    seen.follows = await withdrawn(page, "прививки");
    await view(page, "#/share/hide");
    await page.locator("label.choice", { hasText: "прививки" }).click();
    await page.locator("label.choice", { hasText: "кроме некоторых" }).click();
    await choose(page, "Соколова");
    await shot("but");
    const but = await given_(page);
    seen.but = but.said;
    await but.save();
    seen.excepted = await counts("Immunization");
    await withdrawn(page, "прививки");
  },

  /** A relative may act, as the server says; given by keyboard alone. */
  async entrust({ page, seen, shot }, given) {
    await enter(page, given);
    await view(page, "#/share/entrust");
    await shot("form");
    for (const key of ["Tab", "Tab", "ArrowDown"]) await page.keyboard.press(key); // who; what: look, and act
    await page.locator("main .form .answers button.main").focus();
    await page.keyboard.press("Enter");
    await page.locator("dialog[open]").waitFor();
    seen.said = await page.locator("dialog").innerText();
    await page.keyboard.press("Tab"); // from the question to the answer
    await page.keyboard.press("Enter");
    await page.waitForURL("**#/access");
    await page.locator("li.consent").first().waitFor();
    seen.focused = await page.evaluate(() => document.activeElement.tagName);
    seen.listed = await page.locator(".listed").innerText();
    await shot("access");
    seen.follows = await withdrawn(page, "Ваш представитель");
    seen.after = await page.locator(".listed").innerText();
  },

  /** The log by day and person: own acts folded away, emergencies first, every entry to be opened. */
  async journal({ page, seen, shot }, given) {
    const look = (kind, token = given.doctor) => found(given, token, `${kind}?patient=${given.patient}`);
    for (const kind of ["Observation", "Observation", "Encounter"]) await look(kind);
    await look("Immunization", given.app);
    await enter(page, given);
    await view(page, "#/journal");
    const cards = page.locator("li.log");
    const of = (name) => cards.filter({ has: page.locator("h3", { hasText: name }) });
    await shot("folded");
    seen.first = await cards.first().innerText();
    seen.doctor = await of("Соколова").nth(1).innerText();
    await of("Соколова").nth(1).locator("summary").click();
    await of("Соколова").nth(1).locator("li").first().waitFor();
    seen.entries = await of("Соколова").nth(1).locator("li").count();
    seen.app = await of("Вы, через").count();
    seen.own = await of(/^Вы$/).count();
    await page.locator("label[for=own]").click();
    seen.unfolded = await of(/^Вы$/).count();
    await shot("unfolded");
    await page.selectOption("#by-kind", { label: "посещения" });
    seen.encounters = await page.locator("li.log h3").allInnerTexts();
    await page.selectOption("#by-who", { label: "Вы, через Demo app" });
    seen.none = await page.locator("main").innerText();
    await page.route("**/AuditEvent?**", (route) => route.continue({ url: route.request().url().replace("_count=200", "_count=3") }));
    await view(page, "#/journal");
    const own = async () => Number(/\((\d+)/.exec(await page.locator("label[for=own]").innerText())[1]);
    seen.loaded = [await own()];
    await page.locator("main > div > button.second").click();
    await page.waitForFunction((before) => !document.querySelector("label[for=own]").textContent.includes(`(${before} `), seen.loaded[0]);
    seen.loaded.push(await own());
  },

  /** How notices come is changed, and the rest of the record is not. */
  async notices({ page, seen, shot }, given) {
    const patient = async () => (await asked(given, given.system, "GET", `Patient/${given.patient}`)).body;
    await enter(page, given);
    const before = await patient();
    await view(page, "#/notices");
    seen.before = await page.inputValue("#of-reminder");
    await page.selectOption("#of-reminder", "sms");
    await page.selectOption("#of-visit", "both");
    await page.selectOption("#spoken", "uk");
    await shot("form");
    await page.locator(".form button.main").click();
    await page.locator(".saved").waitFor();
    await shot("saved");
    seen.after = await page.evaluate(() => ["of-visit", "of-reminder", "of-waitlist", "spoken"].map((id) => document.getElementById(id).value));
    const after = await patient();
    seen.wishes = after.extension.map((each) => each.extension.map((part) => part.valueCode).join(" "));
    seen.spoken = after.communication;
    seen.rest = ["name", "birthDate", "telecom"].every((each) => JSON.stringify(before[each]) === JSON.stringify(after[each]));
    await page.selectOption("#of-reminder", "usual");
    await page.selectOption("#of-visit", "usual");
    await page.locator(".form button.main").click();
    await page.waitForFunction(() => document.querySelector(".saved") && document.getElementById("of-visit").value === "usual");
    seen.left = (await patient()).extension || [];
  },
});
