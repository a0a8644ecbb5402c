// What lets programs in, in my name.

import { act } from "../acts.js";
import { get } from "../api.js";
import { attempt } from "../attempt.js";
import { ago, exactly } from "../format.js";
import { facts, listRow } from "../rows.js";
import { list } from "../search.js";
import { reveal } from "../secret.js";
import { ask, busy, button, byId, choice, confirm, element, field } from "../ui.js";
import * as audit from "./audit.js";

const error = byId("tokens-error");

const SCOPES = [
  ["sandboxes:read", "Sees the sandboxes, what they use, and their logs.", true],
  ["sandboxes:promote", "Promotes, forks, restores, swaps, starts and stops.", true],
  ["sandbox:open", "Opens a sandbox as I do, and sends it requests.", true],
  ["admin", "Does what I may as an admin: people, invites, every workspace.", false],
];

let me;

export async function mount(user) {
  me = user;
  byId("tokens-action").append(button("New token…", "plus", { "data-testid": "token-new", onclick: (click) => make(click.currentTarget) }));
  await refresh();
}

const refresh = list("tokens", { load: () => get("/api/tokens"), row, none: "No program is let in. A token is for scripts and CI." });

async function make(pressed) {
  const name = field("Name", { required: true, maxlength: "64", "data-testid": "token-name" });
  const workspace = field("For the workspace", { placeholder: "all of mine", "data-testid": "token-workspace" });
  const days = field("Good for so many days", { type: "number", required: true, min: "1", max: "365", value: "90", "data-testid": "token-days" });
  const scopes = SCOPES.filter(([, , everybodys]) => everybodys || me.admin).map(([scope, meaning]) => [scope, choice(scope, meaning, { "data-testid": `token-scope-${scope}` })]);
  const parts = [name, ...scopes.map(([, box]) => box), workspace, days].map(({ node }) => node);
  if (!(await ask("New token", parts, "Make it"))) return;
  const order = { name: name.input.value.trim(), days: Number(days.input.value), scopes: scopes.filter(([, box]) => box.input.checked).map(([scope]) => scope) };
  if (workspace.input.value.trim()) order.workspace = workspace.input.value.trim();
  await attempt(error, async () => {
    reveal(byId("token-made"), await busy(pressed, "Making it…", () => act("create_token", order)));
    await Promise.all([refresh(), audit.refresh()]);
  });
}

function row(token) {
  const { id, name, scopes, workspace, expires_at: end, last_used_at: used } = token;
  return listRow(
    { "data-testid": "token-row", "data-id": id },
    [
      element("p", { class: "name" }, name),
      element("p", { class: "faint mono" }, scopes.join(" ")),
      facts([workspace && `for ${workspace}`, used ? `used ${ago(used)}` : "never used", `until ${exactly(end)}`]),
    ],
    button("Revoke", null, { class: "quiet", "aria-label": `Revoke the token ${name}`, "data-testid": "token-revoke", onclick: (click) => revoke(click.currentTarget, token) }),
  );
}

async function revoke(pressed, { id, name }) {
  if (!(await confirm(`Revoke the token ${name}?`, "Whatever uses it is refused from now on.", "Revoke it"))) return;
  await attempt(error, async () => {
    await busy(pressed, "Revoking…", () => act("revoke_token", { token_id: id }));
    await Promise.all([refresh(), audit.refresh()]);
  });
}
