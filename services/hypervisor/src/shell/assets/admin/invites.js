// Links with which people sign up: made, listed and revoked.

import { act } from "../acts.js";
import { get } from "../api.js";
import { attempt } from "../attempt.js";
import { ago, exactly } from "../format.js";
import { list } from "../search.js";
import { reveal } from "../secret.js";
import { ask, busy, button, byId, choice, element } from "../ui.js";

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
  const username = element("input", { class: "input", id: "invite-username", autocomplete: "off", spellcheck: "false", placeholder: "anybody who has the link", "data-testid": "invite-username" });
  const workspace = element("input", { class: "input", id: "invite-workspace", autocomplete: "off", spellcheck: "false", placeholder: "a new one of their own", "data-testid": "invite-workspace" });
  const hours = element("input", { class: "input", id: "invite-hours", type: "number", min: "1", max: "8760", value: "72", "data-testid": "invite-hours" });
  const admin = choice("As an admin", "They see and steer every workspace, and can invite and remove people.", { "data-testid": "invite-admin" });
  const field = (label, input) => element("div", { class: "field" }, element("label", { for: input.id }, label), input);
  const parts = [field("For the username", username), field("Workspace", workspace), field("Good for so many hours", hours), admin.node];
  if (!(await ask("Invite someone", parts, "Make the link"))) return;
  const order = { admin: admin.input.checked, hours: Number(hours.value) };
  if (username.value.trim()) order.username = username.value.trim();
  if (workspace.value.trim()) order.workspace = workspace.value.trim();
  await attempt(byId("invites-error"), async () => {
    reveal(byId("invite-made"), await busy(pressed, "Making a link…", () => act("invite", order)));
    await after();
  });
}

function row(made) {
  const { username, workspace, admin, state, created_by: by, created_at: at, expires_at: end, used_at: used, used_by: user } = made;
  const facts = [
    `by ${by ?? "the operator"} ${ago(at)}`,
    state === "used" && `used ${user ? `by ${user} ` : ""}${ago(used)}`,
    state === "open" && `until ${exactly(end)}`,
  ];
  return element(
    "li",
    { class: "row", "data-testid": "invite-row", "data-state": state },
    element(
      "div",
      { class: "what" },
      element("p", { class: "name" }, username ?? "Anybody", element("span", { class: "chip" }, state), admin && element("span", { class: "chip" }, "admin")),
      element("p", { class: "faint" }, workspace ? `to ${workspace}` : "to a workspace of their own", " · ", facts.filter(Boolean).join(" · ")),
    ),
    state === "open" &&
      element(
        "span",
        { class: "row-actions" },
        button("Revoke", null, { class: "quiet", "aria-label": `Revoke the invite for ${username ?? "anybody"}`, "data-testid": "invite-revoke", onclick: (click) => revoke(click.currentTarget, made) }),
      ),
  );
}

async function revoke(pressed, { id }) {
  await attempt(byId("invites-error"), async () => {
    await busy(pressed, "Revoking…", () => act("revoke_invite", { invite_id: id }));
    await after();
  });
}
