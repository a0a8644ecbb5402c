// What every section of a page shares: how its calls fail.

import { at, get } from "./api.js";
import { sentence } from "./sentences.js";
import { element } from "./ui.js";

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

// A log-in in another tab renews the session: a call that was under way meanwhile fails without
// meaning it.
export async function isLoggedOut() {
  const me = await get("/auth/me").catch(() => null);
  return me?.authenticated === false;
}

export function logIn() {
  location.assign(`${at("/login")}?next=${encodeURIComponent(location.pathname)}`);
}
