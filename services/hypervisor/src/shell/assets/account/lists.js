// What my workspace has and was: releases, snapshots and history. Asked for when one is opened.

import { ago, exactly, millis } from "../format.js";
import { listRow, listing } from "../rows.js";
import { button, byId, element } from "../ui.js";
import { attempt } from "../attempt.js";
import { generation, workspace } from "./change.js";
import { promote, undoButton } from "./promote.js";
import { snapshotButton, snapshotRow } from "./volumes.js";

const FEW = 6;

const LISTS = {
  releases: { rows: releases, none: "There are no releases: something else runs these sandboxes." },
  snapshots: { rows: snapshots, none: "There are no snapshots yet." },
  history: { rows: history, none: "Nothing was changed yet." },
};
const shows = Object.entries(LISTS).map(([name, { rows, none }]) => {
  const show = listing(byId(name), { most: FEW, none });
  return (view) => show(rows(view));
});

let view = null;

export function mount() {
  for (const name of Object.keys(LISTS)) details(name).addEventListener("toggle", () => details(name).open && refresh());
  byId("snapshots-actions").append(snapshotButton("live", refresh), snapshotButton("dev", refresh));
}

const details = (name) => byId(`${name}-list`);
const isOpen = () => Object.keys(LISTS).some((name) => details(name).open);

// Not for who does not look, and only if something was changed or is being changed.
export async function follow() {
  if (view?.generation !== generation() || view.history[0]?.outcome === null) await renew();
}

export async function renew() {
  if (isOpen()) await refresh();
}

async function refresh() {
  const fresh = await attempt(byId("lists-error"), workspace);
  if (!fresh) return;
  view = fresh;
  for (const show of shows) show(view);
}

const newestFirst = (list) => [...list].reverse();
const time = (at) => element("time", { datetime: at, title: exactly(at) }, ago(at));

function releases({ releases: all, live_release: live, dev_release: dev }) {
  return newestFirst(all).map(({ number, what, added_at: at, added_by: by }) => {
    const pressed = button("Promote this one…", null, { class: "quiet", "aria-label": `Promote release ${number}…`, "data-testid": "promote-this", onclick: () => promote(pressed, number) });
    const chips = [live === number && "live", dev === number && "dev"].filter(Boolean).map((role) => element("span", { class: "chip" }, role));
    return listRow(
      { "data-testid": "release-row", "data-id": String(number), "data-number": String(number) },
      [
        element("p", { class: "name" }, `Release ${number}`, chips),
        element("p", { class: "faint mono" }, what),
        element("p", { class: "faint" }, at && [time(at), " "], by && `by ${by}`),
      ],
      live !== number && pressed,
    );
  });
}

function snapshots({ snapshots: { live, dev } }) {
  const both = [...live.map((one) => ["live", one]), ...dev.map((one) => ["dev", one])];
  both.sort(([, one], [, other]) => new Date(other.at) - new Date(one.at));
  return both.map(([role, snapshot]) => snapshotRow(role, snapshot));
}

const KINDS = {
  swap: () => "Swapped live and dev",
  promote: ({ from_release: from, to_release: to }) => `Promoted live from release ${from} to ${to}`,
  undo: ({ to_release: to }) => `Undid a promotion: live back to release ${to}`,
  fork: () => "Forked: dev got a copy of live's data",
  restore: ({ sandbox }) => `Restored the data of ${sandbox}`,
  give: ({ from_release: from, to_release: to }) => `Gave dev release ${to} in place of ${from}`,
  move: () => "Moved to another machine",
};

const OUTCOMES = { taken_back: "taken back", undone: "undone" };

function history({ history: all, undo }) {
  return all.map((change) => {
    const { id, kind, at, by, outcome, detail, held_ms: held, snapshot } = change;
    const chip = outcome === null ? "under way" : OUTCOMES[outcome];
    const facts = [`by ${by}`, held > 0 && `requests held for ${millis(held)}`, snapshot && `snapshot ${snapshot}`].filter(Boolean);
    return listRow(
      { "data-testid": "history-row", "data-id": String(id), "data-kind": kind, "data-outcome": outcome },
      [
        element("p", { class: "name" }, KINDS[kind]?.(change) ?? kind, chip && element("span", { class: "chip" }, chip)),
        element("p", { class: "faint" }, time(at), ` · ${facts.join(" · ")}`),
        detail && element("p", {}, detail),
      ],
      undo?.change === id && undoButton({ class: "quiet" }),
    );
  });
}
