// Drives Chromium through one scenario: `node drive.cjs '{"scenario": …}'`, JSON on the output.
"use strict";

const { chromium } = require("playwright-core");

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 }, small: { width: 360, height: 740 } };
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** A page that notes what goes wrong in it, and where apps are sent. */
async function opened(browser, given) {
  const context = await browser.newContext({
    viewport: SIZES[given.size],
    locale: given.locale,
    javaScriptEnabled: given.scripts !== false,
    isMobile: given.size !== "desktop",
    hasTouch: given.size !== "desktop",
  });
  const page = await context.newPage();
  const seen = { errors: [], widths: [], back: null };
  page.on("console", (each) => each.type() === "error" && seen.errors.push(each.text()));
  page.on("pageerror", (each) => seen.errors.push(String(each)));
  // The app is nowhere: that the browser goes there is all that matters.
  const away = page.waitForRequest("https://app.example/**").then(
    (request) => { seen.back = request.url(); },
    () => {},
  );
  const shot = async (name) => {
    if (given.scripts !== false) {
      // A phone shows a page that is too wide as a whole, so its window is as wide as that.
      await page.waitForLoadState("domcontentloaded");
      const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
      if (wide > SIZES[given.size].width) seen.widths.push(name);
    }
    await page.screenshot({ path: shot.path(name), fullPage: true });
  };
  shot.path = (name) => (
    `${given.shots}/${given.scenario}-${given.size}-${given.locale}-${name}.png`
  );
  return { page, seen, shot, context, away };
}

async function signIn(page, email, password) {
  await page.fill("#email", email);
  await page.fill("#password", password);
  await page.click("button.main");
}

const scenarios = {
  async launch({ page, seen, shot, away }, given) {
    await page.goto(given.authorize);
    await signIn(page, given.email, "not the password");
    seen.refused = await page.locator(".problems").innerText();
    await shot("refused");
    await signIn(page, given.email, given.password);
    await shot("consent");
    await page.check('input[name="patient"][value="ben"]');
    await page.uncheck('input[name="write-0"]');
    await page.check('input[name="span-0"][value="chosen"]');
    await page.check('input[name="part-0"][value$="|laboratory"]');
    await shot("narrowed");
    await page.selectOption("#duration", "30");
    await page.click('button[value="allow"]');
    await away;
  },

  async visit({ page, seen, shot, away }, given) {
    await page.goto(given.authorize);
    await signIn(page, given.email, given.password);
    const second = page.locator('input[name="encounter-anna"][value="v2"]');
    seen.hidden = [await second.isHidden()];
    await page.check('input[name="patient"][value="ben"]');
    seen.hidden.push(await second.isHidden());
    await shot("of-another");
    await page.check('input[name="patient"][value="anna"]');
    await second.check();
    await shot("chosen");
    await page.click('button[value="allow"]');
    await away;
  },

  async tap({ page, seen, shot }, given) {
    await page.goto(given.link);
    seen.heading = await page.locator("h1").innerText();
    await shot(`${given.name}-open`);
    const places = page.locator('input[name="slot"]');
    if (await places.count()) await places.first().check();
    await page.click("button.main");
    const said = page.locator(".done, .problems");
    await said.waitFor();
    seen.said = await said.innerText();
    await shot(`${given.name}-done`);
    await page.goto(given.link);
    seen.again = await page.locator("h1").innerText();
    await shot(`${given.name}-again`);
  },

  async revoke({ page, seen, shot }, given) {
    await page.goto(`${given.base}/auth/sign-in`);
    await shot("sign-in");
    await signIn(page, given.email, given.password);
    await shot("account");
    seen.before = await page.locator(".grant").count();
    await page.locator(".grant button").first().click();
    await page.locator(".done").waitFor();
    seen.after = await page.locator(".grant").count();
    await shot("revoked");
    await page.goto(`${given.base}/auth/authenticator`);
    await shot("authenticator");
    await page.click("header button");
    await shot("signed-out");
  },

  async forms({ page, shot }, given) {
    await page.goto(`${given.base}/auth/sign-up`);
    await shot("sign-up");
    await page.fill("#email", "nobody@mail.example");
    await page.fill("#family", "Nobody");
    await page.fill("#given", "No");
    await page.fill("#birth", "1980-02-03");
    await page.click("button.main");
    await page.fill("#email", "nobody@mail.example");
    await page.fill("#code", "ABCDE-FGHJK");
    await page.fill("#password", "short");
    await page.fill("#again", "shorter");
    await page.click("button.main");
    await shot("confirm");
    await page.goto(`${given.base}/auth/recover`);
    await shot("recover");
    await page.goto(`${given.base}/auth/sign-in?request=gone`);
    await shot("gone");
  },

  async keyboard({ page, seen, away }, given) {
    await page.goto(given.authorize);
    await page.keyboard.type(given.email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(given.password);
    await page.keyboard.press("Enter");
    await page.locator("#consent").waitFor();
    for (let steps = 0; steps < 80; steps += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement.value === "allow")) break;
    }
    seen.outline = await page.evaluate(
      () => getComputedStyle(document.activeElement).outlineStyle,
    );
    await page.keyboard.press("Enter");
    await away;
  },

  async passkey({ page, seen, shot, context }, given) {
    const cdp = await context.newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2", transport: "internal", hasResidentKey: true,
        hasUserVerification: true, isUserVerified: true,
      },
    });
    await page.goto(`${given.base}/auth/sign-in`);
    await signIn(page, given.email, given.password);
    await page.fill("#key-current", given.password);
    await page.click('form[data-passkey="create"] button');
    await page.locator(".done").waitFor();
    await shot("added");
    await page.click("header button");
    await page.goto(`${given.base}/auth/sign-in`);
    await shot("sign-in");
    await page.click('form[data-passkey="get"] button');
    await page.waitForURL("**/auth/account");
    seen.heading = await page.locator("h1").innerText();
    seen.keys = await page.locator('form[action="/auth/passkeys/remove"]').count();
  },
};

async function main(known) {
  const given = JSON.parse(process.argv[2]);
  const browser = await chromium.launch({ executablePath: given.chromium, args: FLAGS });
  try {
    const tools = await opened(browser, given);
    await known[given.scenario](tools, given);
    process.stdout.write(JSON.stringify(tools.seen));
  } finally {
    await browser.close();
  }
}

/** Run the scenario that the command line names. */
function drive(known) {
  main(known).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  });
}

module.exports = { drive, signIn };
if (require.main === module) drive(scenarios);
