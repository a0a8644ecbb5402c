// The page at /auth/account.

import { at, get } from "../api.js";
import { sentence } from "../sentences.js";
import { byId, byTestId } from "../ui.js";
import * as audit from "./audit.js";
import * as codes from "./codes.js";
import * as invite from "./invite.js";
import * as passkeys from "./passkeys.js";
import * as sandboxes from "./sandboxes.js";
import * as sessions from "./sessions.js";
import { identify, logIn } from "./step-up.js";

async function start() {
  const me = await get("/auth/me");
  if (!me.authenticated) return logIn();
  if (me.kind === "recovery") return location.assign(at("/recovery"));
  identify(me.username);
  byId("user").textContent = me.display_name || me.username;
  byId("user").title = me.username;
  byId("admin").hidden = !me.admin;
  codes.mount(me);
  if (me.admin) invite.mount();
  await Promise.all([sandboxes.mount(me), passkeys.mount(me), sessions.mount(), audit.mount()]);
  byTestId("account-page").classList.remove("pending");
}

start().catch((error) => {
  byId("lost").textContent = sentence(error);
  byTestId("account-page").classList.remove("pending");
});
