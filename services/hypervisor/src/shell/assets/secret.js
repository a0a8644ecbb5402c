// What is shown once: a link, a code or a token.

import { exactly } from "./format.js";
import { button, copy, element } from "./ui.js";

// What a person has to keep of an act's result, or nothing.
export function secret(result) {
  const { url, code, token, username, expires_at: end } = result ?? {};
  if (token) return shown("Token", "token-made", token, `Keep it now: it is not shown again. Good until ${exactly(end)}.`);
  if (code) return shown(`Recovery link for ${username}`, "recovery-link", url, `Give it to ${username} alone: it lets whoever opens it make a passkey. Works once, until ${exactly(end)}.`);
  if (url) return shown("Invite link", "invite-link", url, `${username ? `Only ${username} can use it. ` : ""}Works once, until ${exactly(end)}.`);
  return null;
}

function shown(label, testId, text, note) {
  const field = element("input", { class: "input", readonly: true, value: text, "aria-label": label, "data-testid": testId, onfocus: () => field.select() });
  return element(
    "div",
    { class: "secret" },
    field,
    button("Copy", "copy", { onclick: (click) => copy(click.currentTarget, text) }),
    element("p", { class: "faint" }, note),
  );
}

// Puts it where it is read at once.
export function reveal(place, result) {
  const node = secret(result);
  place.replaceChildren(...(node ? [node] : []));
  place.hidden = !node;
  node?.querySelector("input").focus();
}
