// One change of my workspace at a time: under way, done, or why not.

import { act } from "../acts.js";
import { get } from "../api.js";
import { told } from "../outcomes.js";
import { busy, byId, element } from "../ui.js";
import { attempt } from "../attempt.js";

const error = byId("pair-error");
const progress = byId("progress");
const outcomeNote = byId("told");

let userId;
let after;
let seen = 0;
let toldAt = 0;
let watched = false;

// `refresh` shows everything anew.
export function mount(me, refresh) {
  userId = me.user_id;
  after = refresh;
}

export const generation = () => seen;
export const workspace = () => get(`/admin/workspaces/${userId}`);
export const path = (role, action) => `/admin/sandboxes/${userId}/${role}/${action}`;
export const tried = (work) => attempt(error, work);

// An older response that arrives late changes nothing; a newer generation ends what was said of the
// one before.
export function turned(now) {
  if (now < seen) return;
  seen = now;
  if (toldAt === now) return;
  outcomeNote.hidden = true;
  if (watched) tell("Live was changed again while it was watched; the history says why.");
  watched = false;
}

// Does one, once the passkey is given. `says` is what happens meanwhile, `undo` makes the button
// that takes it back, and `mend` one that helps after a failure.
export async function change(name, order, { pressed, label, says, undo, mend }) {
  outcomeNote.hidden = true;
  watched = false;
  const begun = () => (progress.textContent = says);
  const call = () => act(name, { user_id: userId, expect_generation: seen, ...order }, begun);
  const outcome = await attempt(error, () => busy(pressed, label, call), mend);
  progress.textContent = "";
  if (outcome) {
    turned(outcome.generation);
    tell(told(outcome), undo?.(outcome));
    watched = outcome.probation != null;
  }
  await after();
  return outcome;
}

// What was done, while it is so.
export function tell(text, undo) {
  toldAt = seen;
  outcomeNote.replaceChildren(element("span", {}, text), undo ?? "");
  outcomeNote.hidden = false;
}
