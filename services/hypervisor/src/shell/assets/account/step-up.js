// What every section of the account page shares: who it is for, and how its calls fail.

import { at, get } from "../api.js";
import { login } from "../passkeys.js";
import { sentence } from "../sentences.js";
import { element } from "../ui.js";

let username = "";
export const identify = (name) => {
  username = name;
};

// Does what may need a fresh log-in: when the server asks for one, the passkey prompt opens, and
// the work is done once more.
export async function confirmed(work) {
  try {
    return await work();
  } catch (error) {
    if (error.code !== "step_up_required") throw error;
  }
  await login(username);
  return work();
}

// Does the work, and says in `note` what went wrong with it, with a button if `mend` has one.
export async function attempt(note, work, mend) {
  note.textContent = "";
  try {
    return await work();
  } catch (error) {
    if (error.status === 401 && (await isLoggedOut())) return logIn();
    note.append(element("span", {}, sentence(error)), mend?.(error) || "");
  }
}

// A log-in renews the session: a call that was under way meanwhile fails without meaning it.
export async function isLoggedOut() {
  const me = await get("/auth/me").catch(() => null);
  return me?.authenticated === false;
}

export function logIn() {
  location.assign(`${at("/login")}?next=${encodeURIComponent(location.pathname)}`);
}
