// Nobody is logged in here, and the gateway answers in the place of this sandbox's service worker:
// one that serves every page from its cache would keep a person from logging in again. This one
// leaves, and lets the pages come from the network. What the sandbox keeps in the browser stays.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(leave()));

async function leave() {
  await self.registration.unregister();
  for (const page of await self.clients.matchAll({ type: "window" })) page.navigate(page.url);
}
