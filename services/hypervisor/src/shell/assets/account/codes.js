// How many recovery codes are left, and new ones.

import { act } from "../acts.js";
import { codeList } from "../codes.js";
import { busy, button, byId, confirm, dialog, element } from "../ui.js";
import * as audit from "./audit.js";
import { attempt } from "../attempt.js";

const error = byId("codes-error");

export function mount(me) {
  left(me.recovery_codes_left);
  const make = button("Make new ones", null, { "data-testid": "codes-new", onclick: () => renew(make, me.username) });
  byId("codes-action").append(make);
}

function left(number) {
  // The server does not always know.
  if (number === null) return;
  byId("codes-left").textContent = number ? `${number} of 10 left` : "None left: make new ones";
}

async function renew(pressed, username) {
  const text = "The codes that you have now stop working at once.";
  if (!(await confirm("Make new recovery codes?", text, "Make new ones"))) return;
  await attempt(error, async () => {
    const work = () => act("renew_recovery_codes");
    const { recovery_codes: codes } = await busy(pressed, "Making…", work);
    left(codes.length);
    await reveal(codes, username);
    await audit.refresh();
  });
}

function reveal(codes, username) {
  const title = "Keep these codes";
  return dialog(title, (close) =>
    element(
      "div",
      {},
      element("h2", {}, title),
      element("p", { class: "muted" }, "Each lets you in once to make a new passkey. They are not shown again."),
      codeList(codes, username),
      element("div", { class: "dialog-actions" }, button("I kept them", null, { class: "primary", onclick: () => close() })),
    ),
  );
}
