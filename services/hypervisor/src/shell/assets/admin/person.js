// What can be done about a person, as a dialog of choices.

import { putAway } from "../outcomes.js";
import { button, confirm, dialog, element } from "../ui.js";

// The act that the admin wants, with what belongs to it; nothing if they want none.
export async function choose(user, isMe) {
  const { username } = user;
  const chosen = await dialog(`Manage ${username}`, (close) => {
    const option = (label, meaning, act, more = {}) =>
      element(
        "div",
        { class: "option" },
        element("p", { class: "faint" }, meaning),
        button(label, null, { "data-testid": `person-${act.replaceAll("_", "-")}`, onclick: () => close({ act, more }) }),
      );
    return element(
      "div",
      {},
      element("h2", {}, username),
      renaming(user, close),
      !isMe && user.disabled_at && option("Enable", "They can log in again.", "enable_user"),
      !isMe && !user.disabled_at && option("Disable", "They are logged out everywhere at once, and cannot log in. Their workspaces stay as they are.", "disable_user"),
      user.admin
        ? option("Take admin away", "They see and steer their own workspaces alone.", "set_admin", { admin: false })
        : option("Make admin", "They see and steer every workspace, and can do all that is on this page.", "set_admin", { admin: true }),
      option("End all sessions", "They have to log in again, in every browser.", "end_user_sessions"),
      option("Recovery link", "For somebody who lost all passkeys: it lets them make a new one, once.", "recovery_link"),
      !isMe && option("Remove…", "Their account goes. Workspaces that are theirs alone are archived.", "remove_user"),
      element("div", { class: "dialog-actions" }, button("Close", null, { onclick: () => close(null) })),
    );
  });
  if (!chosen) return null;
  if (chosen.act === "remove_user" && !(await agrees(user))) return null;
  return { ...chosen, done: (result) => DONE[chosen.act](username, result, chosen.more) };
}

function renaming({ username }, close) {
  const input = element("input", { class: "input", value: username, "aria-label": "Username", autocomplete: "off", spellcheck: "false", "data-testid": "person-username" });
  const send = (submit) => {
    submit.preventDefault();
    close({ act: "rename_user", more: { username: input.value.trim() } });
  };
  return element("form", { class: "rename", onsubmit: send }, input, button("Rename", null, { type: "submit", "data-testid": "person-rename-user" }));
}

function agrees({ username, workspaces }) {
  const theirs = workspaces.length ? ` Of ${workspaces.join(", ")}, those that have no other member are stopped and archived; an admin can restore them until they are deleted.` : "";
  return confirm(`Remove ${username}?`, `They are logged out at once, and their passkeys work no longer.${theirs}`, "Remove them");
}

const DONE = {
  rename_user: (name, _, { username }) => `${name} is called ${username} now.`,
  disable_user: (name) => `${name} is disabled, and logged out everywhere.`,
  enable_user: (name) => `${name} can log in again.`,
  set_admin: (name, _, { admin }) => (admin ? `${name} is an admin now.` : `${name} is no admin any longer.`),
  end_user_sessions: (name) => `${name} is logged out everywhere.`,
  recovery_link: (name) => `A recovery link for ${name}:`,
  remove_user: (name, result) => `${name} is removed. ${putAway(result)}`,
};
