// Workspaces of people who are gone, until they are restored or deleted.

import { act } from "../acts.js";
import { get } from "../api.js";
import { attempt } from "../attempt.js";
import { ago, exactly, size } from "../format.js";
import { facts, listRow } from "../rows.js";
import { list } from "../search.js";
import { ask, busy, button, byId, confirm, element, field } from "../ui.js";

const UNDER_WAY = { making: "being put away", restoring: "being restored", deleting: "being deleted" };

let after;
// the look that is to come
let again;

export const refresh = list("archives", {
  load,
  row,
  none: "There are no archives. A workspace becomes one when its last member is removed.",
});

export function mount(all) {
  after = all;
}

// what is under way is over in a moment, and nobody has to ask for the page again
async function load() {
  const archives = await get("/api/archives");
  clearTimeout(again);
  if (archives.some(({ state }) => state !== "kept")) again = setTimeout(() => attempt(byId("archives-error"), refresh), 1000);
  return archives;
}

function row(archive) {
  const { id, workspace, state, members, archived_at: at, delete_at: end, bytes } = archive;
  const isKept = state === "kept";
  return listRow(
    { "data-testid": "archive-row", "data-id": id, "data-workspace": workspace },
    [
      element("p", { class: "name" }, workspace, !isKept && element("span", { class: "chip" }, UNDER_WAY[state])),
      facts([members.length && `of ${members.join(", ")}`, size(bytes), `archived ${ago(at)}`, end ? `deleted on ${exactly(end)}` : "kept until somebody deletes it"]),
    ],
    isKept && button("Restore…", null, { class: "quiet", "aria-label": `Restore ${workspace}…`, "data-testid": "archive-restore", onclick: (click) => restore(click.currentTarget, archive) }),
    isKept && button("Delete…", null, { class: "quiet danger", "aria-label": `Delete ${workspace}…`, "data-testid": "archive-delete", onclick: (click) => remove(click.currentTarget, archive) }),
  );
}

async function restore(pressed, { id, workspace }) {
  const username = field("For the username", { required: true, "data-testid": "archive-username" });
  if (!(await ask(`Restore ${workspace}`, [username.node], "Restore it"))) return;
  await order(pressed, "Restoring…", "restore_archive", { archive_id: id, username: username.input.value.trim() });
}

async function remove(pressed, { id, workspace }) {
  const agreed = await confirm(`Delete ${workspace}?`, "Its data are gone for good then.", "Delete it");
  if (agreed) await order(pressed, "Deleting…", "delete_archive", { archive_id: id });
}

async function order(pressed, label, name, parameters) {
  await attempt(byId("archives-error"), async () => {
    await busy(pressed, label, () => act(name, parameters));
    await after();
  });
}
