// Elements made by calls, never of markup in strings: what a record says stays text.

/**
 * @param {Element} element
 * @param {Record<string, any>} props attributes; `on…` is a listener, true and false set or
 *   leave out an attribute
 * @param {any[]} children elements, texts, lists of these; what is null or false is left out
 */
function filled(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  for (const each of children.flat(Infinity)) {
    if (each !== null && each !== undefined && each !== false && each !== "") element.append(each);
  }
  return element;
}

/** @returns {HTMLElement} */
export function h(tag, props = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), props, children));
}

export function svg(tag, props = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/** Tell a screen reader what changed elsewhere on the page. */
export function say(text) {
  const place = document.getElementById("said");
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 50);
}

/** A button that cannot be pressed again until what it does is done. */
export function button(text, props, act) {
  const made = h("button", { type: "button", ...props }, text);
  made.addEventListener("click", async () => {
    if (made.getAttribute("aria-disabled") === "true") return;
    made.setAttribute("aria-disabled", "true");
    try {
      await act(made);
    } finally {
      made.removeAttribute("aria-disabled");
    }
  });
  return made;
}

/** What went wrong, where it is read out and has the focus. */
export function problem(text, ...more) {
  return h("div", { class: "problem", role: "alert", tabindex: "-1" }, h("p", {}, text), ...more);
}

/** Let one of several be chosen; the index of it, or -1 for none.
 * @returns {Promise<number>} */
export function choice(question, options, none) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "choice" },
      h("h2", { id: "choice" }, question),
      h("div", { class: "answers wide" },
        options.map((each, index) => h("button", { type: "button", class: "second", onclick: () => dialog.close(String(index)) }, each)),
        h("button", { type: "button", class: "second", onclick: () => dialog.close("") }, none)));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue ? Number(dialog.returnValue) : -1);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Ask before something that cannot be undone; whether the answer is yes. */
export function asked(question, yes, no, ...more) {
  return new Promise((resolve) => {
    // With more to read the focus is at the beginning: buttons below would scroll it away.
    const first = more.length ? { tabindex: "-1", autofocus: true } : {};
    const dialog = h("dialog", { "aria-labelledby": "asked" },
      h("h2", { id: "asked", ...first }, question), ...more,
      h("div", { class: "answers" },
        h("button", { type: "button", class: "main", onclick: () => dialog.close("yes") }, yes),
        h("button", { type: "button", class: "second", onclick: () => dialog.close("") }, no)));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
