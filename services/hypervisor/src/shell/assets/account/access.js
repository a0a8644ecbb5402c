// Who may look at a sandbox: shown on its card, and changed there.

import { confirm, element } from "../ui.js";

const WHO = {
  members: "members of the workspace",
  users: "anyone who is logged in",
  public: "anyone, without logging in",
};

const WARNINGS = {
  users: "Everybody with an account on this server can open it.",
  public: "Everybody on the internet can open it, and can send it requests. It is not told who they are.",
};

// `change(role, access)` asks for the passkey; without a true answer nothing was changed.
export function accessControl(role, change) {
  const select = element(
    "select",
    { class: "input", "aria-label": `Who may look at ${role}`, "data-testid": "access-select", onchange: choose },
    Object.entries(WHO).map(([value, words]) => element("option", { value }, words)),
  );
  const fixed = element("span", { hidden: true }, `${WHO.members}: this server has one address for all sandboxes`);
  const warning = element("p", { class: "note warn", "data-testid": "access-warning" });
  const node = element("div", { class: "access" }, element("span", { class: "faint" }, "open to"), select, fixed, warning);
  let asking = false;
  let present = "members";

  async function choose() {
    const wanted = select.value;
    asking = true;
    select.disabled = true;
    if ((await agrees(wanted)) && (await change(role, wanted))) present = wanted;
    select.disabled = false;
    asking = false;
    show();
    select.focus();
  }

  async function agrees(wanted) {
    if (!WARNINGS[wanted]) return true;
    return confirm(`Open ${role} to ${WHO[wanted].split(",")[0]}?`, WARNINGS[wanted], "Open it");
  }

  function show() {
    select.value = present;
    warning.textContent = WARNINGS[present] ?? "";
  }

  // Where all sandboxes have one address, theirs is a path.
  function update({ access, url }) {
    select.hidden = url.startsWith("/");
    fixed.hidden = !select.hidden;
    if (asking) return;
    present = access;
    show();
  }

  return { node, update };
}
