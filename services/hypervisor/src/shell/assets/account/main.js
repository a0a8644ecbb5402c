// The page of one's account.

import { at, get } from "../api.js";
import { sentence } from "../sentences.js";
import { byId, byTestId } from "../ui.js";
import * as audit from "./audit.js";
import * as codes from "./codes.js";
import * as invite from "./invite.js";
import * as notices from "./notices.js";
import * as passkeys from "./passkeys.js";
import * as sandboxes from "./sandboxes.js";
import * as sessions from "./sessions.js";
import * as tokens from "./tokens.js";
import * as workspaces from "./workspaces.js";
import { logIn } from "../attempt.js";

// All that the page shows is asked for at once: on a slow line each call is a second.
async function start() {
  const [whoAmI, pair] = [get("/auth/me"), get("/admin/sandboxes")];
  pair.catch(() => {}); // It is told where it is waited for.
  const lists = [passkeys.mount(), sessions.mount(), audit.mount()];
  const me = await whoAmI;
  if (!me.authenticated) return void logIn();
  if (me.kind === "recovery") return void location.assign(at("/recovery"));
  byId("user").textContent = me.display_name || me.username;
  byId("user").title = me.username;
  byId("admin").hidden = !me.admin;
  notices.mount(me);
  codes.mount(me);
  if (me.admin) invite.mount();
  await Promise.all([sandboxes.mount(me, pair), ...lists]);
  return me;
}

// What is further down, and seldom needed, is asked for when the rest is there.
async function more(me) {
  await Promise.all([workspaces.mount(me, sandboxes.refresh), tokens.mount(me)]);
}

let shown;
try {
  shown = await start();
} catch (error) {
  byId("lost").textContent = sentence(error);
}
byTestId("account-page").ariaBusy = "false";
if (shown) await more(shown);
