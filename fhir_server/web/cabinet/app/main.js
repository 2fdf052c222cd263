// The beginning: language, sign-in, and the view that the address names.
import { parts } from "./addresses.js";
import * as dates from "./dates.js";
import { h, problem } from "./dom.js";
import * as idle from "./idle.js";
import { begin as beginLanguage, t } from "./language.js";
import * as session from "./session.js";
import * as shell from "./shell.js";
import * as unread from "./unread.js";
import * as whose from "./whose.js";

/** Views by the first part of the address; a module gives `show(...parts)`. */
const VIEWS = {
  "": () => import("../views/home.js"),
  card: () => import("../views/card.js"),
  results: () => import("../views/results.js"),
  book: () => import("../views/booking.js"),
  confirm: () => import("../views/confirm.js"),
  visits: () => import("../views/visits.js"),
  people: () => import("../views/people.js"),
  messages: () => import("../views/messages.js"),
  write: () => import("../views/writing.js"),
  access: () => import("../views/access.js"),
  notices: () => import("../views/notices.js"),
  share: () => import("../views/sharing.js"),
  journal: () => import("../views/journal.js"),
  more: () => import("../views/more.js"),
};

const main = document.getElementById("content");
let current = 0;

function shown(title, content) {
  document.title = `${title} — ${session.title()}`;
  main.replaceChildren(...content);
  main.setAttribute("aria-busy", "false");
}

/** What stands there instead of a view that failed. */
function failed(error) {
  if (error instanceof session.Offline) return [h("h1", { tabindex: "-1" }, t("OFFLINE")), h("p", {}, t("OFFLINE_NOTHING"))];
  const text = error instanceof session.Refusal ? error.message : t("FAILED");
  return [h("h1", { tabindex: "-1" }, t("FAILED_TITLE")), problem(text), h("p", {}, h("a", { href: "#/" }, t("TO_HOME")))];
}

/** Show the view of the address; the heading takes the focus unless the page just began. */
async function route({ focus = true } = {}) {
  const turn = ++current;
  const [first, ...rest] = parts(location.hash);
  shell.mark(first);
  main.setAttribute("aria-busy", "true");
  let view;
  try {
    const load = VIEWS[first] || VIEWS[""];
    view = await (await load()).show(...rest);
  } catch (error) {
    if (!(error instanceof session.Refusal || error instanceof session.Offline)) console.error(error);
    view = { title: t("FAILED_TITLE"), content: failed(error) };
  }
  if (turn !== current || !(session.isIn() || session.isOffline())) return;
  shown(view.title, view.content);
  if (!first || !focus) unread.tell();
  if (focus) {
    window.scrollTo(0, 0);
    main.querySelector("h1")?.focus({ preventScroll: true });
  }
}

/** The page of who is not signed in. */
function welcome(why, level = "") {
  current += 1;
  shell.draw({ signedIn: false, again: start });
  shown(t("WELCOME"), [h("section", { class: "card welcome" },
    h("h1", { tabindex: "-1" }, t("WELCOME")),
    why && problem(why),
    h("p", { class: "lead" }, t("WELCOME_LEAD")),
    h("div", { class: "answers wide" },
      h("button", { type: "button", class: "main", onclick: () => session.signIn(level).catch(() => welcome(t("SIGN_IN_FAILED"))) }, t("SIGN_IN")),
      h("a", { class: "button second", href: "/auth/sign-up" }, t("REGISTER"))))]);
  if (why) main.querySelector("[role=alert]").focus();
}

function start() {
  if (session.isIn() || session.isOffline()) {
    shell.draw({ signedIn: true, again: start });
    whose.tell();
    route({ focus: false });
  } else welcome("");
}

async function begin() {
  beginLanguage();
  dates.useClinicZone(session.clinicZone());
  session.listen({ over: welcome, stale: shell.stale });
  const why = await session.begin();
  if (why) welcome(why);
  else start();
  idle.watch(session, () => welcome(t("IDLE_OVER")));
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address is the view's
    main.focus();
  });
  window.addEventListener("hashchange", () => {
    shell.fresh();
    if (session.isIn() || session.isOffline()) route();
  });
  // The browser's memory of pages may hold one of before the sign-out.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  window.addEventListener("unhandledrejection", (event) => {
    shell.warn(t(event.reason instanceof session.Offline ? "OFFLINE_ACT" : "FAILED"));
  });
  window.addEventListener("online", () => { if (session.isOffline()) location.reload(); });
  if (session.isOffline()) shell.stale(Date.now());
  const scripts = window.trustedTypes?.createPolicy("cabinet", { createScriptURL: () => "/cabinet/worker.js" });
  navigator.serviceWorker?.register(scripts ? scripts.createScriptURL("") : "/cabinet/worker.js");
}

begin();
