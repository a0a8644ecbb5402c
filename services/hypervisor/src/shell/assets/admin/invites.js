// Links with which people sign up: made, listed and revoked.

import { act } from "../acts.js";
import { get } from "../api.js";
import { attempt } from "../attempt.js";
import { ago, exactly } from "../format.js";
import { facts, listRow } from "../rows.js";
import { list } from "../search.js";
import { reveal } from "../secret.js";
import { ask, busy, button, byId, choice, element, field } from "../ui.js";

let after;

export const refresh = list("invites", {
  load: () => get("/api/invites"),
  row,
  none: "There are no invites. Make one, and give its link to whom you want here.",
});

export function mount(all) {
  after = all;
  byId("invites-action").append(button("Invite someone", "plus", { "data-testid": "invite-button", onclick: (click) => invite(click.currentTarget) }));
}

async function invite(pressed) {
  const username = field("For the username", { placeholder: "anybody who has the link", "data-testid": "invite-username" });
  const workspace = field("Workspace", { placeholder: "a new one of their own", "data-testid": "invite-workspace" });
  const hours = field("Good for so many hours", { type: "number", required: true, min: "1", max: "8760", value: "72", "data-testid": "invite-hours" });
  const admin = choice("As an admin", "They see and steer every workspace, and can invite and remove people.", { "data-testid": "invite-admin" });
  const parts = [username, workspace, hours, admin].map(({ node }) => node);
  if (!(await ask("Invite someone", parts, "Make the link"))) return;
  const order = { admin: admin.input.checked, hours: Number(hours.input.value) };
  if (username.input.value.trim()) order.username = username.input.value.trim();
  if (workspace.input.value.trim()) order.workspace = workspace.input.value.trim();
  await attempt(byId("invites-error"), async () => {
    reveal(byId("invite-made"), await busy(pressed, "Making a link…", () => act("invite", order)));
    await after();
  });
}

function row(made) {
  const { id, username, workspace, admin, state, created_by: by, created_at: at, expires_at: end, used_at: used, used_by: user } = made;
  return listRow(
    { "data-testid": "invite-row", "data-id": id, "data-state": state },
    [
      element("p", { class: "name" }, username ?? "Anybody", element("span", { class: "chip" }, state), admin && element("span", { class: "chip" }, "admin")),
      facts([
        workspace ? `to ${workspace}` : "to a workspace of their own",
        `by ${by ?? "the operator"} ${ago(at)}`,
        state === "used" && `used ${user ? `by ${user} ` : ""}${ago(used)}`,
        state === "open" && `until ${exactly(end)}`,
      ]),
    ],
    state === "open" && button("Revoke", null, { class: "quiet", "aria-label": `Revoke the invite for ${username ?? "anybody"}`, "data-testid": "invite-revoke", onclick: (click) => revoke(click.currentTarget, made) }),
  );
}

async function revoke(pressed, { id }) {
  await attempt(byId("invites-error"), async () => {
    await busy(pressed, "Revoking…", () => act("revoke_invite", { invite_id: id }));
    await after();
  });
}
