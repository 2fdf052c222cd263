// fhirclient in Chromium: an app on another origin, from its launch to the end of its grant.
"use strict";

const { drive, signIn } = require("../browser/drive.cjs");

/** What the app's page posts to the token endpoint, and how often it searches. */
function watched(page, seen) {
  seen.posted = [];
  seen.searches = 0;
  page.on("request", (request) => {
    if (request.method() === "GET" && request.url().includes("/fhir/Observation?")) {
      seen.searches += 1;
    }
    if (request.method() === "POST" && request.url().endsWith("/auth/token")) {
      seen.posted.push(Object.fromEntries(new URLSearchParams(request.postData())));
    }
  });
}

async function narrowed(page) {
  await page.uncheck('input[name^="write-"]');
  const observations = page.locator(".scope", { has: page.locator('input[value$="|laboratory"]') });
  await observations.locator('input[value="chosen"]').check();
  await observations.locator('input[value$="|laboratory"]').check();
}

/** What a page of an origin that no app is registered for can read. */
async function stranger(context, given) {
  const page = await context.newPage();
  await page.goto(`${given.page.replace("localhost", "127.0.0.1")}/app.css`);
  const read = (url, how) => page.evaluate(
    ([place, options]) => fetch(place, options).then((answer) => answer.status, String),
    [url, how],
  );
  const Authorization = "Bearer whatever";
  const found = {
    metadata: await read(`${given.base}/metadata?_summary=true`),
    discovery: await read(`${given.base}/.well-known/smart-configuration`),
    keys: await read(`${given.root}/auth/jwks`),
    record: await read(`${given.base}/Patient/x`, { headers: { Authorization } }),
    token: await read(`${given.root}/auth/token`, { method: "POST", body: new URLSearchParams() }),
    pages: await read(`${given.root}/auth/account`),
  };
  await page.close();
  return found;
}

drive({
  async portal({ page, seen, shot }, given) {
    await page.goto(given.launch);
    await signIn(page, given.email, given.password);
    await page.locator("#consent").waitFor();
    seen.choices = await page.locator('input[name="patient"]').count();
    await shot("consent");
    await page.click('button[value="allow"]');
    await page.waitForURL(`${given.page}/index.html**`);
    seen.opened = await page.evaluate(() => cabinet.open());
  },

  async minutes({ page, seen, shot }, given) {
    await page.goto(given.page);
    await signIn(page, given.email, given.password);
    await page.click('button[value="allow"]');
    await page.locator("li").first().waitFor();
    await shot("app");
    seen.name = await page.locator("h1").innerText();
    seen.results = await page.locator("li").allInnerTexts();
  },

  async cabinet({ page, seen, shot, context }, given) {
    watched(page, seen);
    await page.goto(`${given.page}/launch.html?iss=${encodeURIComponent(given.base)}`);
    await page.locator("#password").waitFor();
    await shot("sign-in");
    await signIn(page, given.email, given.password);
    await page.locator("#consent").waitFor();
    await shot("consent");
    await narrowed(page);
    await shot("narrowed");
    await page.click('button[value="allow"]');
    await page.waitForURL(`${given.page}/**`);
    seen.opened = await page.evaluate(() => cabinet.open());
    await shot("app");
    seen.before = [...seen.errors];
    seen.refused = await page.evaluate(() => cabinet.refusal("Condition?_id=x&nonsense=1"));
    seen.headers = await page.evaluate(() => cabinet.headers(`Patient/${cabinet.client.patient.id}`));
    seen.refreshed = await page.evaluate(() => cabinet.refresh());

    seen.stranger = await stranger(context, given);

    const account = await context.newPage();
    await account.goto(`${given.root}/auth/account`);
    seen.grants = await account.locator(".grant").allInnerTexts();
    await account.screenshot({ path: shot.path("granted"), fullPage: true });
    await account.locator(".grant", { hasText: "Another cabinet" }).locator("button").click();
    await account.locator(".done").waitFor();
    await account.screenshot({ path: shot.path("ended"), fullPage: true });

    await page.bringToFront();
    await page.waitForTimeout(1000); // revoked tokens are refused within a second
    seen.after = await page.evaluate(() => cabinet.after());
    await shot("over");
  },
});
