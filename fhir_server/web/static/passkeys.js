// Passkeys: the only thing here that needs a script. Without one the forms stay hidden.
"use strict";

const bytes = (text) => {
  const padded = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(padded), (each) => each.charCodeAt(0));
};
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const read = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  ...(options.user ? { user: { ...options.user, id: bytes(options.user.id) } } : {}),
  ...["allowCredentials", "excludeCredentials"].reduce((found, name) => {
    if (options[name]) {
      found[name] = options[name].map((each) => ({ ...each, id: bytes(each.id) }));
    }
    return found;
  }, {}),
});

const written = (credential) => {
  const answer = credential.response;
  const response = { clientDataJSON: text(answer.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (answer[name]) response[name] = text(answer[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
};

const submit = async (form) => {
  const kind = form.dataset.passkey;
  const fields = new URLSearchParams(new FormData(form));
  const asked = await fetch("/auth/passkeys/options", {
    method: "POST", body: new URLSearchParams({ csrf: fields.get("csrf"), kind }),
  });
  if (!asked.ok) return;
  const publicKey = read(await asked.json());
  const credential = await navigator.credentials[kind]({ publicKey });
  form.elements.credential.value = JSON.stringify(written(credential));
  form.submit();
};

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(form).catch(() => form.querySelector("button").focus());
    });
  }
}
