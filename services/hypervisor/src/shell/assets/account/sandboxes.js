// The two sandboxes of my workspace, as they are now, and the swap between them.

import { act as perform } from "../acts.js";
import { get, post } from "../api.js";
import { sentence } from "../sentences.js";
import { busy, button, byId, confirm, element } from "../ui.js";
import * as audit from "./audit.js";
import { sandboxCard } from "./sandbox-card.js";
import { attempt, isLoggedOut, logIn } from "./attempt.js";

const EVERY_MS = 3000;

const swapButton = button("Swap", "swap", {
  class: "swap",
  "data-testid": "swap-button",
  "aria-describedby": "swap-says",
  onclick: swap,
});
const generation = element("p", { class: "generation" });
const undoButton = button("Undo", "undo", { "data-testid": "undo-button", onclick: undo });
const forceButton = button("Swap anyway", "swap", { "data-testid": "force-button", onclick: force });
const swappedText = element("span");
const error = byId("pair-error");

let me;
let cards;
let polling = false;
let seen = 0;
let undoFrom = null;

export async function mount(user, loading) {
  me = user;
  const path = (role, action) => `/admin/sandboxes/${me.user_id}/${role}/${action}`;
  const act = (role, action) => attempt(error, () => post(path(role, action)).finally(() => refresh()));
  cards = { live: sandboxCard("live", act, change), dev: sandboxCard("dev", act, change) };
  const between = element("div", { class: "between" }, swapButton, generation);
  byId("pair").replaceChildren(cards.live.node, between, cards.dev.node);
  byId("swapped").append(swappedText, undoButton);
  await refresh(loading);
  setInterval(poll, EVERY_MS);
  document.addEventListener("visibilitychange", poll);
}

// True once it is changed.
function change(role, access) {
  return attempt(error, async () => {
    await perform("set_access", { user_id: me.user_id, role, access });
    await audit.refresh();
    return true;
  });
}

// Nobody is asked for a page that nobody sees, nor again before the last response.
async function poll() {
  if (polling || document.visibilityState !== "visible") return;
  polling = true;
  await refresh();
  polling = false;
}

async function refresh(loading = get("/admin/sandboxes")) {
  try {
    const all = await loading;
    byId("lost").textContent = "";
    show(all.filter((sandbox) => sandbox.user_id === me.user_id));
  } catch (failure) {
    if (failure.code === "no_workspace") show([]);
    else if (failure.status === 401 && (await isLoggedOut())) logIn();
    else if (failure.status !== 401) byId("lost").textContent = sentence(failure);
  }
}

function show(mine) {
  const has = mine.length > 0;
  byId("pair").hidden = !has;
  byId("swap-says").hidden = !has;
  byId("no-workspace").hidden = has;
  if (!has) return;
  for (const sandbox of mine) cards[sandbox.role].update(sandbox);
  byId("workspace").textContent = `workspace ${mine[0].workspace}`;
  turned(mine[0].generation);
}

// An older response that arrives late changes nothing; a newer generation ends what can be undone.
function turned(now) {
  if (now < seen) return;
  seen = now;
  generation.replaceChildren("generation ", element("b", {}, String(now)));
  if (undoFrom !== now) byId("swapped").hidden = true;
}

function swap() {
  return exchange(swapButton, "Swapping", { expect_generation: seen }, swapped);
}

function swapped(outcome) {
  undoFrom = outcome.undo.expect_generation;
  swappedText.textContent = `${outcome.live} is live now, and ${outcome.dev} is dev.`;
  byId("swapped").hidden = false;
  turned(outcome.generation);
}

// A dev sandbox that is not healthy may still be better than what is live.
async function force() {
  const text = "The dev sandbox did not answer its probe. Whoever uses live meets it as it is.";
  if (!(await confirm("Swap to an unhealthy sandbox?", text, "Swap anyway"))) return;
  await exchange(swapButton, "Swapping", { expect_generation: seen, force: true }, swapped);
}

function undo() {
  return exchange(undoButton, "Undoing", { expect_generation: undoFrom }, (outcome) => {
    undoFrom = null;
    turned(outcome.generation);
    swapButton.focus();
  });
}

async function exchange(pressed, label, order, done) {
  const call = () => perform("swap", { user_id: me.user_id, ...order });
  const work = async () => done(await busy(pressed, label, call));
  await attempt(error, work, (failure) => failure.code === "dev_unhealthy" && forceButton);
  await Promise.all([refresh(), audit.refresh()]);
}
