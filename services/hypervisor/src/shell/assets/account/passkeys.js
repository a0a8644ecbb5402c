// My passkeys: add, rename, revoke.

import { act } from "../acts.js";
import { get } from "../api.js";
import { ago, exactly } from "../format.js";
import { addPasskey, deviceName } from "../passkeys.js";
import { busy, button, byId, confirm, element } from "../ui.js";
import * as audit from "./audit.js";
import { attempt } from "../attempt.js";

const list = byId("passkeys");
const error = byId("passkeys-error");

export async function mount() {
  byId("passkeys-action").append(button("Add", "plus", { "data-testid": "passkey-add", onclick: add }));
  await refresh();
}

async function refresh() {
  const passkeys = await attempt(error, () => get("/auth/passkeys"));
  if (passkeys) list.replaceChildren(...passkeys.map((passkey) => row(passkey, passkeys.length === 1)));
}

async function add(event) {
  const pressed = event.currentTarget;
  await attempt(error, async () => {
    await busy(pressed, "Waiting for your passkey…", () => addPasskey(deviceName()));
    await Promise.all([refresh(), audit.refresh()]);
  });
}

function row(passkey, only) {
  const node = element("li", { class: "row", "data-testid": "passkey-row" });
  const rest = () => {
    node.replaceChildren(
      element(
        "div",
        { class: "what" },
        element("p", { class: "name" }, passkey.name, passkey.current && element("span", { class: "chip" }, "used now")),
        element("p", { class: "faint", title: `Added ${exactly(passkey.created_at)}` }, used(passkey)),
      ),
      element(
        "span",
        { class: "row-actions" },
        button("", "pen", { class: "quiet icon-only", "aria-label": `Rename ${passkey.name}`, title: "Rename", "data-testid": "passkey-rename", onclick: () => rename() }),
        button("", "trash", {
          class: "quiet icon-only",
          "aria-label": `Revoke ${passkey.name}`,
          title: only ? "Your only passkey: add another before you revoke it" : "Revoke",
          "data-testid": "passkey-revoke",
          disabled: only,
          onclick: () => revoke(passkey),
        }),
      ),
    );
  };
  const rename = () => {
    node.replaceChildren(renaming(passkey, () => {
      rest();
      node.querySelector("[data-testid=passkey-rename]").focus();
    }));
    node.querySelector("input").select();
  };
  rest();
  return node;
}

function used({ created_at: created, last_used_at: last }) {
  return last ? `Last used ${ago(last)} · added ${ago(created)}` : `Added ${ago(created)}`;
}

function renaming(passkey, done) {
  const input = element("input", { class: "input", value: passkey.name, maxlength: "64", "aria-label": "Name of this passkey", "data-testid": "passkey-name" });
  const save = async (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (name && name !== passkey.name) {
      await attempt(error, async () => {
        await act("rename_passkey", { passkey_id: passkey.id, name });
        passkey.name = name;
      });
    }
    done();
  };
  const escape = (event) => event.key === "Escape" && done();
  return element(
    "form",
    { class: "rename", onsubmit: save, onkeydown: escape },
    input,
    element("button", { class: "button", type: "submit" }, "Save"),
    button("Cancel", null, { class: "quiet", onclick: done }),
  );
}

async function revoke(passkey) {
  const text = `“${passkey.name}” will no longer log you in. The device may go on offering it; remove it there too.`;
  if (!(await confirm("Revoke this passkey?", text, "Revoke"))) return;
  await attempt(error, async () => {
    await act("remove_passkey", { passkey_id: passkey.id });
    await Promise.all([refresh(), audit.refresh()]);
  });
}
