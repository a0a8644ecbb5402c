// For an admin: a link with which one more person can sign up.

import { act } from "../acts.js";
import { exactly } from "../format.js";
import { busy, button, byId, copy, element } from "../ui.js";
import * as audit from "./audit.js";
import { attempt } from "./attempt.js";

const error = byId("invite-error");

export function mount() {
  byId("invite").hidden = false;
  byId("invite-action").append(button("Invite someone", "plus", { "data-testid": "invite-button", onclick: invite }));
}

async function invite(event) {
  const pressed = event.currentTarget;
  await attempt(error, async () => {
    const { url, expires_at: end } = await busy(pressed, "Making a link…", () => act("invite"));
    const link = element("input", { class: "input", readonly: true, value: url, "aria-label": "Invite link", "data-testid": "invite-link", onfocus: () => link.select() });
    byId("invite-made").replaceChildren(
      link,
      button("Copy", "copy", { onclick: (click) => copy(click.currentTarget, url) }),
      element("p", { class: "faint" }, `Works once, until ${exactly(end)}.`),
    );
    byId("invite-made").hidden = false;
    link.focus();
    await audit.refresh();
  });
}
