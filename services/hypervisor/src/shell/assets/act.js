// The page on which an act is confirmed, where no script of a sandbox can see it.

import { finishAct } from "./acts.js";
import { at } from "./api.js";
import { codeList } from "./codes.js";
import { putAway, told } from "./outcomes.js";
import { finishPasskey } from "./passkeys.js";
import { secret } from "./secret.js";
import { sentence } from "./sentences.js";
import { busy, byId, element } from "./ui.js";
import { assert, obstacle } from "./webauthn.js";

const act = JSON.parse(byId("act").textContent);
const errors = byId("error");
const confirmButton = byId("confirm");

async function confirm() {
  errors.textContent = "";
  try {
    const result = await busy(confirmButton, "Waiting for your passkey…", perform);
    confirmButton.hidden = true;
    byId("title").textContent = "Done";
    byId("result").replaceChildren(...shown(result ?? {}));
    byId("title").focus();
  } catch (error) {
    errors.textContent = sentence(error);
    // The challenge is used up once the server has seen its answer, or has ended.
    if (error.name === "ApiError" && error.status !== 0) confirmButton.hidden = true;
  }
}

// A new passkey that the device did not make can be tried again, without the old one.
let creation = act.create;

async function perform() {
  if (creation) return make();
  const credential = await assert(act.publicKey);
  confirmButton.lastChild.textContent = "Under way…";
  const result = await finishAct(act.id, credential);
  if (act.act !== "add_passkey") return result;
  creation = result.publicKey;
  return make();
}

async function make() {
  const result = await finishPasskey(creation);
  // Who came with a recovery code is logged out by now.
  if (act.create) {
    byId("back").href = at("/login");
    byId("back").textContent = "Log in with it";
  }
  return result;
}

// What a person has to keep or to know, or that there is nothing.
function shown(result) {
  const { recovery_codes: codes } = result;
  if (result.generation) return [element("p", { class: "note good" }, told(result))];
  if (codes) {
    const text = "Each lets you in once to make a new passkey. They are not shown again.";
    return [element("p", { class: "muted" }, text), ...codeList(codes, act.username)];
  }
  const made = secret(result);
  if (made) return [made];
  const said = putAway(result);
  return said ? [element("p", { class: "note good" }, said)] : [];
}

if (act.error) {
  byId("title").textContent = "This cannot be confirmed";
  errors.textContent = act.error;
} else {
  byId("summary").textContent = act.summary;
  byId("account").textContent = act.username;
  byId("asked").hidden = false;
  confirmButton.hidden = false;
  confirmButton.addEventListener("click", confirm);
  const blocked = obstacle();
  if (blocked) errors.textContent = sentence(blocked);
}
byId("card").classList.remove("pending");
