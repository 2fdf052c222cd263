// The rest: people, access, the account, what is kept on this device, and the way out.
import { button, h, say } from "../app/dom.js";
import { isKept, forget, keep } from "../app/kept.js";
import { t } from "../app/language.js";
import { isIn, signOut } from "../app/session.js";

const LINKS = [["#/people", "PEOPLE"], ["#/access", "ACCESS"], ["#/journal", "JOURNAL"], ["#/notices", "NOTICES"], ["/auth/account", "ACCOUNT"]];

function keeping() {
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: "keep", checked: isKept(), "aria-describedby": "keep-hint" }));
  box.addEventListener("change", async () => {
    box.disabled = true;
    if (box.checked) await keep();
    else await forget();
    box.disabled = false;
    box.focus();
    say(t(box.checked ? "KEEPS" : "FORGOT"));
  });
  return h("section", { class: "card" },
    h("label", { class: "choice", for: "keep" }, box, h("span", {}, t("KEEP"))),
    h("p", { class: "hint", id: "keep-hint" }, t("KEEP_HINT")));
}

export async function show() {
  return {
    title: t("MORE"),
    content: [
      h("h1", { tabindex: "-1" }, t("MORE")),
      h("ul", { class: "choices two" }, LINKS.map(([href, title]) => h("li", {}, h("a", { class: "card link", href }, h("strong", {}, t(title)))))),
      h("h2", {}, t("THIS_DEVICE")),
      keeping(),
      isIn() && h("p", {}, button(t("SIGN_OUT"), { class: "danger" }, () => signOut())),
      isIn() && h("p", { class: "hint" }, t("SIGN_OUT_HINT")),
    ].filter(Boolean),
  };
}
