// For an admin: a link with which one more person can sign up.

import { act } from "../acts.js";
import { attempt } from "../attempt.js";
import { reveal } from "../secret.js";
import { busy, button, byId } from "../ui.js";
import * as audit from "./audit.js";

const error = byId("invite-error");

export function mount() {
  byId("invite").hidden = false;
  byId("invite-action").append(button("Invite someone", "plus", { "data-testid": "invite-button", onclick: invite }));
}

async function invite(event) {
  const pressed = event.currentTarget;
  await attempt(error, async () => {
    reveal(byId("invite-made"), await busy(pressed, "Making a link…", () => act("invite")));
    await audit.refresh();
  });
}
