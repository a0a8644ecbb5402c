// The two sandboxes of my workspace, as they are now, and what changes them.

import { act as perform } from "../acts.js";
import { get, post } from "../api.js";
import { sentence } from "../sentences.js";
import { byId, element } from "../ui.js";
import * as audit from "./audit.js";
import * as change from "./change.js";
import * as lists from "./lists.js";
import * as promote from "./promote.js";
import * as swap from "./swap.js";
import { isLoggedOut, logIn } from "../attempt.js";
import { sandboxCard } from "./sandbox-card.js";
import { forkButton } from "./volumes.js";

const EVERY_MS = 3000;

const generation = element("p", { class: "generation" });

let me;
let cards;
let polling = false;

export async function mount(user, loading) {
  me = user;
  change.mount(me, () => Promise.all([refresh(), audit.refresh(), lists.renew()]));
  lists.mount();
  const steer = (role, action) => change.tried(() => post(change.path(role, action)).finally(() => refresh()));
  cards = { live: sandboxCard("live", steer, open), dev: sandboxCard("dev", steer, open) };
  const between = element("div", { class: "between" }, promote.promoteButton, promote.promoteText);
  byId("pair").replaceChildren(cards.live.node, between, cards.dev.node);
  byId("pair-acts").append(generation, forkButton, swap.swapButton);
  await refresh(loading);
  setInterval(poll, EVERY_MS);
  document.addEventListener("visibilitychange", poll);
}

// Says who may look at a role; true once it is changed.
function open(role, access) {
  return change.tried(async () => {
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

export async function refresh(loading = get("/admin/sandboxes")) {
  try {
    const all = await loading;
    byId("lost").textContent = "";
    show(all.filter((sandbox) => sandbox.user_id === me.user_id && sandbox.chosen));
    await lists.follow();
  } catch (failure) {
    if (failure.code === "no_workspace") show([]);
    else if (failure.status === 401 && (await isLoggedOut())) logIn();
    else if (failure.status !== 401) byId("lost").textContent = sentence(failure);
  }
}

function show(mine) {
  const has = mine.length > 0;
  for (const part of ["pair", "pair-acts", "lists"]) byId(part).hidden = !has;
  byId("no-workspace").hidden = has;
  if (!has) return;
  const [live, dev] = ["live", "dev"].map((role) => mine.find((sandbox) => sandbox.role === role));
  change.turned(live.generation);
  // An older response that arrives late changes nothing.
  if (live.generation < change.generation()) return;
  cards.live.update(live);
  cards.dev.update(dev);
  promote.update(live, dev);
  swap.update(live);
  byId("workspace").textContent = `workspace ${live.workspace}`;
  generation.replaceChildren("generation ", element("b", {}, String(live.generation)));
  forkButton.hidden = promote.promoteButton.hidden;
}
