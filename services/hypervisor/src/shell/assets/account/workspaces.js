// The workspaces that I am a member of, which of them I am led to, and who else is in them.

import { act } from "../acts.js";
import { get, post } from "../api.js";
import { attempt } from "../attempt.js";
import { listRow } from "../rows.js";
import { list } from "../search.js";
import { ask, busy, button, byId, confirm, element, field } from "../ui.js";
import * as audit from "./audit.js";

const error = byId("workspaces-error");

let me;
let after;
let mine = [];

// `changed` shows everything anew.
export async function mount(user, changed) {
  me = user;
  after = changed;
  await refresh();
}

const refresh = list("workspaces", {
  load: () => get("/api/workspaces"),
  row,
  none: "You are a member of none.",
  found: (all) => {
    mine = all;
    byId("workspaces-section").hidden = mine.length === 0;
  },
});

function row(workspace) {
  const { name, chosen: isChosen, members, urls } = workspace;
  const others = members.filter(({ user_id: id }) => id !== me.user_id);
  const mayChange = me.admin && !workspace.members_declared;
  return listRow(
    { "data-testid": "workspace-row", "data-id": name, "data-workspace": name, "data-chosen": String(isChosen) },
    [
      element("p", { class: "name" }, element("a", { href: urls.live }, name), isChosen && mine.length > 1 && element("span", { class: "chip" }, "yours by default")),
      element("p", { class: "faint" }, others.length ? "With:" : "You are its only member."),
      others.length > 0 && element("ul", { class: "members" }, others.map((member) => memberRow(workspace, member, mayChange))),
      me.admin && workspace.members_declared && element("p", { class: "faint" }, "The server's configuration says who its members are."),
    ],
    mine.length > 1 && !isChosen && button("Lead me here", null, { class: "quiet", "aria-label": `Lead me to ${name}`, "data-testid": "workspace-choose", onclick: (click) => choose(click.currentTarget, workspace) }),
    mayChange && button("Add somebody…", null, { class: "quiet", "aria-label": `Add somebody to ${name}…`, "data-testid": "member-add", onclick: (click) => add(click.currentTarget, workspace) }),
  );
}

function memberRow(workspace, member, mayChange) {
  return element(
    "li",
    { "data-testid": "member-row" },
    element("span", {}, member.username),
    mayChange && button("Remove", null, { class: "quiet", "aria-label": `Remove ${member.username} from ${workspace.name}`, "data-testid": "member-remove", onclick: (click) => remove(click.currentTarget, workspace, member) }),
  );
}

async function choose(pressed, { name }) {
  await changed(pressed, "One moment…", () => post(`/api/workspaces/${name}/choose`));
}

async function add(pressed, { name }) {
  const username = field("Username", { required: true, "data-testid": "member-username" });
  const meaning = element("p", { class: "muted" }, "They see its sandboxes and data, and can do with it all that you can. They need an account here.");
  if (!(await ask(`Add somebody to ${name}`, [username.node, meaning], "Add them"))) return;
  await changed(pressed, "Adding…", () => act("add_member", { workspace: name, username: username.input.value.trim() }));
}

async function remove(pressed, { name }, { user_id: user, username }) {
  if (!(await confirm(`Remove ${username} from ${name}?`, "What they have open there ends at once.", "Remove them"))) return;
  await changed(pressed, "Removing…", () => act("remove_member", { workspace: name, user_id: user }));
}

async function changed(pressed, label, work) {
  await attempt(error, async () => {
    await busy(pressed, label, work);
    await refresh();
    await Promise.all([after(), audit.refresh()]);
  });
}
