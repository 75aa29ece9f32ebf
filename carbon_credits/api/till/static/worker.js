/* Keeps the page itself, so that it opens while the network is away; never an answer of the API. */
const CACHE = "till-page";
const FILES = [
  "/till", "/till/app.js", "/till/camera.js", "/till/counter.js", "/till/entering.js", "/till/icon.svg", "/till/link.js",
  "/till/page.js", "/till/queue.js", "/till/signed.js", "/till/state.js", "/till/store.js", "/till/till.css", "/till/today.js",
  "/till/words.js",
];

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const asked = new URL(event.request.url);
  if (event.request.method !== "GET" || asked.origin !== location.origin || !FILES.includes(asked.pathname)) return;
  event.respondWith(fresh(event.request));
});

/* The server's, where it answers; what was kept, where it does not. */
async function fresh(request) {
  const cache = await caches.open(CACHE);
  const kept = () => cache.match(request, { ignoreSearch: true });
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer.status >= 500 ? ((await kept()) ?? answer) : answer;
  } catch (error) {
    const found = await kept();
    if (found === undefined) throw error;
    return found;
  }
}
