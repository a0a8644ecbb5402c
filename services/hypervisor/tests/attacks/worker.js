// Answers every page with its own.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate") event.respondWith(new Response("<h1 id=taken>taken over</h1>", { headers: { "content-type": "text/html" } }));
});
