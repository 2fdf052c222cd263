// What was last seen, to be read without a network: in memory always, on the device where the
// person says so. Nothing is written to the device before that, and all of it goes at
// sign-out, when somebody else signs in, and by itself after a week.

const NAME = "cabinet";
const STORE = "seen";
const SWITCH = "cabinet.keep";
const WEEK = 7 * 24 * 3600 * 1000;

const memory = new Map();
/** Whose record it is that is seen: the logical id of the patient. */
let owner = "";
/** Who is signed in. */
let person = "";

const isOn = () => localStorage.getItem(SWITCH) === "1";
export const isKept = isOn;

/** @returns {Promise<IDBDatabase>} */
function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function inStore(mode, act) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** Whose pages are shown to whom from now on; those of anybody else are forgotten. Who had pages
 * kept has said so for the own sign-ins: whoever comes next is asked anew.
 * @param {string} patient logical id
 * @param {string} user who is signed in, as `Person/1` */
export async function belongTo(patient, user) {
  owner = patient;
  person = user;
  if (!isOn()) return;
  const [known, by] = [await kept("owner"), await kept("by")];
  if (by !== user) await forget();
  else {
    if (known !== patient) await inStore("readwrite", (store) => store.clear());
    await sign();
  }
}

const kept = (name) => inStore("readonly", (store) => store.get(name));

/** Write down whose pages are kept, and who said so. */
async function sign() {
  await inStore("readwrite", (store) => store.put(owner, "owner"));
  await inStore("readwrite", (store) => store.put(person, "by"));
}

/** Whose pages are on the device, if any are that are not too old. */
export async function lastOwner() {
  if (!isOn()) return "";
  owner = (await inStore("readonly", (store) => store.get("owner"))) || "";
  return owner;
}

/** Remember an answer as it was just seen. */
export async function put(path, data) {
  const seen = { at: Date.now(), data };
  memory.set(path, seen);
  if (isOn() && owner) await inStore("readwrite", (store) => store.put(seen, `${owner} ${path}`));
}

/** @returns {Promise<{at: number, data: any} | undefined>} */
export async function get(path) {
  let found = memory.get(path);
  if (!found && isOn() && owner) found = await inStore("readonly", (store) => store.get(`${owner} ${path}`));
  return found && Date.now() - found.at < WEEK ? found : undefined;
}

/** Begin to keep: what was seen since the sign-in goes to the device too. */
export async function keep() {
  localStorage.setItem(SWITCH, "1");
  await sign();
  for (const [path, seen] of memory) {
    await inStore("readwrite", (store) => store.put(seen, `${owner} ${path}`));
  }
}

/** Nobody is signed in any more: what is in memory goes. */
export const lapse = () => memory.clear();

/** Forget everything, and keep nothing from now on. */
export async function forget() {
  memory.clear();
  localStorage.removeItem(SWITCH);
  await new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = resolve;
    request.onerror = resolve;
    request.onblocked = resolve;
  });
}
