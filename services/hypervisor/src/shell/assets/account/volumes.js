// What can be done with the sandboxes' data: copies of it are made and put back.

import { post } from "../api.js";
import { ago, exactly, millis, size } from "../format.js";
import { listRow } from "../rows.js";
import { ask, busy, button, choice, element } from "../ui.js";
import { change, generation, path, tell, tried } from "./change.js";

export const forkButton = button("Fork…", "fork", { "data-testid": "fork-button", onclick: fork });

async function fork() {
  const order = { expect_generation: generation() };
  const text = "Dev's data become a copy of live's, which goes on meanwhile. What dev has now is kept as a snapshot. Releases stay as they are.";
  if (!(await ask("Copy live's data to dev?", [element("p", { class: "muted" }, text)], "Fork"))) return;
  await change("fork", order, { pressed: forkButton, label: "Forking…", says: "Dev gets a copy of live's data." });
}

// The button that takes one; `done` shows it.
export function snapshotButton(role, done) {
  const take = async () => {
    const snapshot = await tried(() => busy(pressed, "Copying…", () => post(path(role, "snapshot"))));
    if (!snapshot) return;
    const stood = snapshot.frozen_ms > 0 ? ` It stood still for ${millis(snapshot.frozen_ms)}.` : "";
    tell(`A snapshot of ${role} is kept: ${size(snapshot.bytes)}.${stood}`);
    await done();
  };
  const pressed = button(`Snapshot ${role}`, "plus", { "data-testid": "snapshot-button", "data-role": role, onclick: take });
  return pressed;
}

const WHY = {
  asked: "asked for",
  promote: "before a promotion",
  fork: "for a fork",
  restore: "for a restore",
  aside: "put aside before another took its place",
  backup: "for a backup",
};

export function snapshotRow(role, snapshot) {
  const { id, at, reason, bytes } = snapshot;
  const pressed = button("Restore…", "undo", { class: "quiet", "aria-label": `Restore ${role} to ${id}`, "data-testid": "restore-button", onclick: () => restore(pressed, role, snapshot) });
  return listRow(
    { "data-testid": "snapshot-row", "data-role": role, "data-id": id },
    [
      element("p", { class: "name" }, element("span", { class: "chip" }, role), WHY[reason] ?? reason),
      element("p", { class: "faint" }, element("time", { datetime: new Date(at).toISOString(), title: exactly(at) }, ago(at)), ` · ${size(bytes)} · `, element("span", { class: "mono" }, id)),
    ],
    pressed,
  );
}

async function restore(pressed, role, { id, at, bytes }) {
  const order = { role, snapshot: id, expect_generation: generation() };
  const rehearse = choice("Rehearse first", "Dev gets these data, and must be well with them. What dev has now is kept as a snapshot.", { "data-testid": "rehearse" });
  const text = `The data of ${role} become what they were ${ago(at)} (${exactly(at)}, ${size(bytes)}). What it has now is kept as a snapshot. Requests wait meanwhile.`;
  const parts = [element("p", { class: "muted" }, text), role === "live" && rehearse.node];
  if (!(await ask(`Restore ${role}?`, parts, "Restore", { class: "danger primary" }))) return;
  if (role === "live") order.rehearse = rehearse.input.checked;
  await change("restore", order, { pressed, label: "Restoring…", says: `The data of the snapshot are put back in ${role}. Requests wait for a moment.` });
}
