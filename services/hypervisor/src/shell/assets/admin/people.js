// Who has an account here, and what an admin does about it.

import { act } from "../acts.js";
import { get } from "../api.js";
import { attempt } from "../attempt.js";
import { ago, exactly } from "../format.js";
import { facts, listRow } from "../rows.js";
import { list, query } from "../search.js";
import { reveal } from "../secret.js";
import { busy, button, byId, element } from "../ui.js";
import { choose } from "./person.js";

let me;
let after;

export const refresh = list("people", {
  load: (search) => get(query("/api/users", search)),
  row,
  none: "Nobody has an account yet.",
});

export function mount(user, all) {
  me = user;
  after = all;
}

function row(user) {
  const { username, display_name: name, admin, disabled_at: disabled, last_seen_at: seen, passkeys, sessions, workspaces } = user;
  return listRow(
    { "data-testid": "person-row", "data-id": user.id, "data-username": username },
    [
      element(
        "p",
        { class: "name", title: `Since ${exactly(user.created_at)}` },
        username,
        name !== username && element("span", { class: "faint" }, name),
        admin && element("span", { class: "chip" }, "admin"),
        disabled && element("span", { class: "chip bad" }, "disabled"),
        user.id === me.user_id && element("span", { class: "chip" }, "you"),
      ),
      facts([
        seen ? `seen ${ago(seen)}` : "never seen",
        workspaces.length ? workspaces.join(", ") : "no workspace",
        `${passkeys} passkey${passkeys === 1 ? "" : "s"}`,
        `${sessions} session${sessions === 1 ? "" : "s"}`,
      ]),
    ],
    button("Manage…", null, { class: "quiet", "aria-label": `Manage ${username}…`, "data-testid": "person-manage", onclick: (click) => manage(click.currentTarget, user) }),
  );
}

async function manage(pressed, user) {
  const chosen = await choose(user, user.id === me.user_id);
  if (!chosen) return;
  await attempt(byId("people-error"), async () => {
    const result = await busy(pressed, "Under way…", () => act(chosen.act, { user_id: user.id, ...chosen.more }));
    byId("people-told").textContent = chosen.done(result);
    reveal(byId("people-made"), result);
    await after();
  });
}
