// The page for admins: people, invites, everybody's sandboxes, archives, and what happened.

import { at, get } from "../api.js";
import { attempt } from "../attempt.js";
import { byId, byTestId, element } from "../ui.js";
import * as archives from "./archives.js";
import * as audit from "./audit.js";
import * as invites from "./invites.js";
import * as people from "./people.js";
import * as sandboxes from "./sandboxes.js";

const EVERY_MS = 5000;

async function start() {
  const me = await get("/auth/me");
  if (!me.admin || me.kind !== "full") {
    const account = element("a", { href: at("/auth/account") }, "your account page");
    byId("told").append("This page is for admins. Your own sandboxes are on ", account, ".");
    return;
  }
  byId("sections").hidden = false;
  const all = () => Promise.all([people.refresh(), invites.refresh(), archives.refresh(), audit.refresh(), sandboxes.refresh()]);
  people.mount(me, all);
  invites.mount(all);
  archives.mount(all);
  audit.mount();
  await all();
  setInterval(() => isLookedAt() && sandboxes.refresh(), EVERY_MS);
}

// Nor does a list change behind a dialog, which gives the focus back to where it was opened.
const isLookedAt = () => document.visibilityState === "visible" && !document.querySelector("dialog[open]");

await attempt(byId("told"), start);
byTestId("admin-page").ariaBusy = "false";
