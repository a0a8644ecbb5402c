// The page of everybody's sandboxes, for admins.

import { at, get } from "./api.js";
import { fault } from "./fault.js";
import { byId, byTestId, element } from "./ui.js";

const EVERY_MS = 5000;

const COLUMNS = [
  ["User", ({ username }) => username ?? "nobody yet"],
  ["Workspace", ({ workspace }) => workspace],
  ["Role", ({ role }) => role],
  ["Sandbox", link],
  ["Release", ({ release }) => (release ? String(release) : "–")],
  ["State", state],
  ["Generation", ({ generation }) => String(generation)],
  ["Who may look", ({ access }) => access],
];

// With one origin for all, an address is a path that leads each person to their own sandbox.
function link({ sandbox, url }) {
  if (url.startsWith("/")) return sandbox;
  return element("a", { href: url, target: "_blank", rel: "noopener" }, sandbox);
}

function state({ status, stopped_by: by }) {
  return [element("span", { class: "status" }, status), by && element("p", { class: "faint" }, `by ${by}`)];
}

function row(sandbox) {
  const cells = COLUMNS.map(([label, cell]) => element("td", { "data-label": label }, cell(sandbox)));
  return element("tr", { "data-testid": "admin-row", "data-status": sandbox.status }, cells);
}

// What has not changed stays, and with it the focus.
function show(rows) {
  const made = element("tbody", {}, rows);
  if (made.innerHTML !== byId("rows").innerHTML) byId("rows").replaceChildren(...rows);
}

async function refresh() {
  try {
    const all = await get("/admin/sandboxes");
    show(all.map(row));
    byId("told").textContent = all.length === 0 ? "There is no workspace yet." : "";
    byId("all").hidden = all.length === 0;
  } catch (error) {
    byId("told").replaceChildren(fault(error));
  }
}

async function start() {
  const me = await get("/auth/me");
  if (!me.admin || me.kind !== "full") {
    const account = element("a", { href: at("/auth/account") }, "your account page");
    byId("told").append("This page is for admins. Your own sandboxes are on ", account, ".");
    return;
  }
  await refresh();
  setInterval(() => document.visibilityState === "visible" && refresh(), EVERY_MS);
}

try {
  await start();
} catch (error) {
  byId("told").replaceChildren(fault(error));
}
byTestId("admin-page").ariaBusy = "false";
