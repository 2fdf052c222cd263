// Keeps the shell of this version, and nothing else: answers about people are never in here.
// The server writes two constants before this: VERSION, and SHELL, the page and its parts.
const NAME = `cabinet ${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(SHELL)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(
    names.filter((name) => name.startsWith("cabinet ") && name !== NAME)
      .map((name) => caches.delete(name)),
  )));
});

/** The page itself is asked for first, so that a new version shows; without a network, or on
 * a slow one, the kept one is good. */
async function page(request) {
  const kept = await caches.match(SHELL[0]);
  const fresh = fetch(request);
  if (!kept) return fresh;
  const late = new Promise((resolve) => { setTimeout(resolve, 2000, kept.clone()); });
  return Promise.race([fresh.catch(() => kept), late]);
}

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  if (event.request.method !== "GET") return;
  if (pathname === SHELL[0]) event.respondWith(page(event.request));
  else if (SHELL.includes(pathname)) {
    event.respondWith(caches.match(pathname).then((found) => found || fetch(event.request)));
  }
});
