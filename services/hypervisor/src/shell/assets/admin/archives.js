// Workspaces of people who are gone, until they are restored or deleted.

import { act } from "../acts.js";
import { get } from "../api.js";
import { attempt } from "../attempt.js";
import { ago, exactly, size } from "../format.js";
import { list } from "../search.js";
import { ask, busy, button, byId, confirm, element } from "../ui.js";

let after;

export const refresh = list("archives", {
  load: () => get("/api/archives"),
  row,
  none: "There are no archives. A workspace becomes one when its last member is removed.",
});

export function mount(all) {
  after = all;
}

function row(archive) {
  const { workspace, members, archived_at: at, delete_at: end, bytes } = archive;
  const facts = [members.length && `of ${members.join(", ")}`, size(bytes), `archived ${ago(at)}`, end ? `deleted on ${exactly(end)}` : "kept until somebody deletes it"];
  return element(
    "li",
    { class: "row", "data-testid": "archive-row", "data-workspace": workspace },
    element("div", { class: "what" }, element("p", { class: "name" }, workspace), element("p", { class: "faint" }, facts.filter(Boolean).join(" · "))),
    element(
      "span",
      { class: "row-actions" },
      button("Restore…", null, { class: "quiet", "aria-label": `Restore ${workspace}…`, "data-testid": "archive-restore", onclick: (click) => restore(click.currentTarget, archive) }),
      button("Delete…", null, { class: "quiet danger", "aria-label": `Delete ${workspace}…`, "data-testid": "archive-delete", onclick: (click) => remove(click.currentTarget, archive) }),
    ),
  );
}

async function restore(pressed, { id, workspace }) {
  const username = element("input", { class: "input", id: "archive-username", required: true, autocomplete: "off", spellcheck: "false", "data-testid": "archive-username" });
  const field = element("div", { class: "field" }, element("label", { for: username.id }, "For the username"), username);
  if (!(await ask(`Restore ${workspace}`, [field], "Restore it"))) return;
  await order(pressed, "Restoring…", "restore_archive", { archive_id: id, username: username.value.trim() });
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
