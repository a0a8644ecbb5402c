// The page for admins: people, invites, everybody's sandboxes, archives, and what happened.

import { at, get } from "../api.js";
import { fault } from "../fault.js";
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
  setInterval(() => document.visibilityState === "visible" && sandboxes.refresh(), EVERY_MS);
}

try {
  await start();
} catch (error) {
  byId("told").replaceChildren(fault(error));
}
byTestId("admin-page").ariaBusy = "false";
