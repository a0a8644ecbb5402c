// What happened on this server, newest first.

import { at as path, get } from "../api.js";
import { attempt } from "../attempt.js";
import { eventRow } from "../events.js";
import { latest, query, typed } from "../search.js";
import { button, byId, element } from "../ui.js";

const PAGE = 50;
const list = byId("log");
const filter = byId("log-search");
const loading = latest();

export function mount() {
  byId("log-export").href = path("/api/audit/export");
  typed(filter, refresh);
}

export async function refresh() {
  const rows = await load({});
  if (rows) list.replaceChildren(...rows);
}

// The rows of a page, and the button for the next one.
async function load(before) {
  const username = filter.value.trim().toLowerCase();
  const entries = await loading(() => attempt(byId("log-error"), () => found({ limit: PAGE, ...before }, username)));
  if (!entries) return null;
  const rows = entries.map((event) => eventRow(event, [event.actor && `by ${event.actor}`, event.passkey && `with the passkey ${event.passkey}`]));
  if (entries.length === PAGE) rows.push(more(entries.at(-1).id));
  if (rows.length === 0) rows.push(element("li", { class: "empty-row" }, username ? `There is nothing about “${username}”. Type a whole username.` : "Nothing happened."));
  return rows;
}

async function found(parameters, username) {
  const all = new URLSearchParams(parameters);
  if (username) {
    const people = await get(query("/api/users", username));
    const person = people.find((one) => one.username === username);
    if (!person) return [];
    all.set("user", person.id);
  }
  return get(`/api/audit?${all}`);
}

function more(before) {
  const pressed = button("Load more", null, { class: "quiet", "data-testid": "audit-more", onclick: next });
  const node = element("li", { class: "row" }, pressed);
  async function next() {
    const rows = await load({ before });
    if (!rows) return;
    node.replaceWith(...rows);
    rows[0].focus();
  }
  return node;
}
