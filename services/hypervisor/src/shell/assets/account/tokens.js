// What lets programs in, in my name.

import { act } from "../acts.js";
import { get } from "../api.js";
import { attempt } from "../attempt.js";
import { ago, exactly } from "../format.js";
import { reveal } from "../secret.js";
import { ask, busy, button, byId, choice, confirm, element } from "../ui.js";
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

async function refresh() {
  const tokens = await attempt(error, () => get("/api/tokens"));
  if (!tokens) return;
  const rows = tokens.map(row);
  if (rows.length === 0) rows.push(element("li", { class: "empty-row" }, "No program is let in. A token is for scripts and CI."));
  byId("tokens").replaceChildren(...rows);
}

async function make(pressed) {
  const field = (label, input) => element("div", { class: "field" }, element("label", { for: input.id }, label), input);
  const name = element("input", { class: "input", id: "token-name", value: "", maxlength: "64", autocomplete: "off", "data-testid": "token-name" });
  const days = element("input", { class: "input", id: "token-days", type: "number", min: "1", max: "365", value: "90", "data-testid": "token-days" });
  const workspace = element("input", { class: "input", id: "token-workspace", placeholder: "all of mine", autocomplete: "off", spellcheck: "false", "data-testid": "token-workspace" });
  const scopes = SCOPES.filter(([, , everybodys]) => everybodys || me.admin).map(([scope, meaning]) => [scope, choice(scope, meaning, { "data-testid": `token-scope-${scope}` })]);
  const parts = [field("Name", name), ...scopes.map(([, box]) => box.node), field("For the workspace", workspace), field("Good for so many days", days)];
  if (!(await ask("New token", parts, "Make it"))) return;
  const order = { name: name.value.trim(), days: Number(days.value), scopes: scopes.filter(([, box]) => box.input.checked).map(([scope]) => scope) };
  if (workspace.value.trim()) order.workspace = workspace.value.trim();
  await attempt(error, async () => {
    reveal(byId("token-made"), await busy(pressed, "Making it…", () => act("create_token", order)));
    await Promise.all([refresh(), audit.refresh()]);
  });
}

function row(token) {
  const { name, scopes, workspace, expires_at: end, last_used_at: used } = token;
  const facts = [workspace && `for ${workspace}`, used ? `used ${ago(used)}` : "never used", `until ${exactly(end)}`];
  return element(
    "li",
    { class: "row", "data-testid": "token-row" },
    element("div", { class: "what" }, element("p", { class: "name" }, name), element("p", { class: "faint mono" }, scopes.join(" ")), element("p", { class: "faint" }, facts.filter(Boolean).join(" · "))),
    element(
      "span",
      { class: "row-actions" },
      button("Revoke", null, { class: "quiet", "aria-label": `Revoke the token ${name}`, "data-testid": "token-revoke", onclick: (click) => revoke(click.currentTarget, token) }),
    ),
  );
}

async function revoke(pressed, { id, name }) {
  if (!(await confirm(`Revoke the token ${name}?`, "Whatever uses it is refused from now on.", "Revoke it"))) return;
  await attempt(error, async () => {
    await busy(pressed, "Revoking…", () => act("revoke_token", { token_id: id }));
    await Promise.all([refresh(), audit.refresh()]);
  });
}
