// How notices come: by which ways of what, and in which language, as the record says it.
import "../app/texts-sharing.js";
import { button, h, problem, say } from "../app/dom.js";
import { giver } from "../app/giver.js";
import { LANGUAGES, t } from "../app/language.js";
import { TOPICS, changes, inForce, spoken } from "../app/preferences.js";
import { Offline, Refusal, look, patch, patientId } from "../app/session.js";

function choice(id, label, options, value) {
  const box = /** @type {HTMLSelectElement} */ (h("select", { id, class: "field" },
    options.map(([code, text, lang]) => h("option", { value: code, selected: code === value, lang }, text))));
  return { element: h("div", {}, h("label", { for: id }, label), box), value: () => box.value };
}

function form(patient) {
  const ways = Object.entries(TOPICS).map(([topic, offered]) => /** @type {const} */ ([topic,
    choice(`of-${topic}`, t(`NOTICE_${topic}`), offered.map((way) => [way, t(topic === "result" && way === "usual" ? "WAY_usual_result" : `WAY_${way}`)]), inForce(patient, topic))]));
  const known = spoken(patient);
  const language = choice("spoken", t("NOTICE_LANGUAGE"), [...(known ? [] : [["", t("LANGUAGE_OPEN")]]),
    ...Object.entries(LANGUAGES).map(([code, name]) => [code, name, code])], known);
  const box = h("section", { class: "card form" }, ways.map(([, each]) => each.element), h("p", { class: "hint" }, t("NOTICE_RESULT_HINT")), language.element);
  const save = button(t("SAVE"), { class: "main" }, async () => {
    box.querySelectorAll(".problem, .saved").forEach((each) => each.remove());
    try {
      const made = changes(patient, { ways: Object.fromEntries(ways.map(([topic, each]) => [topic, each.value()])), language: language.value() });
      if (made.length) await patch(`Patient/${patientId()}`, made, patient.meta.versionId);
      box.replaceWith(await drawn(h("p", { class: "saved" }, t("SAVED"))));
      say(t("SAVED"));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Offline)) throw error;
      const shown = problem(error instanceof Offline ? t("OFFLINE_ACT") : error.message);
      box.append(shown);
      shown.focus();
    }
  });
  box.append(h("div", { class: "answers" }, save));
  return box;
}

/** The form with what the record says at this moment. */
async function drawn(...more) {
  const box = form(await look(`Patient/${patientId()}`));
  box.append(...more);
  return box;
}

export async function show() {
  const { isOwn } = await giver();
  return {
    title: t("NOTICES"),
    content: [
      h("p", { class: "crumb" }, h("a", { href: "#/more" }, `← ${t("MORE")}`)),
      h("h1", { tabindex: "-1" }, t("NOTICES")),
      h("p", { class: "lead" }, t("NOTICES_LEAD")),
      isOwn ? await drawn() : h("p", { class: "card" }, t("NOTICES_OWN")),
    ],
  };
}
