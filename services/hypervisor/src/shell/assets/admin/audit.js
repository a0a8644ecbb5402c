// What happened on this server, newest first.

import { at as path, get } from "../api.js";
import { attempt } from "../attempt.js";
import { agent, ago, exactly } from "../format.js";
import { query } from "../search.js";
import { button, byId, element } from "../ui.js";
import { words } from "../words.js";

const PAGE = 50;
const list = byId("log");
const filter = byId("log-search");

let oldest = null;
let timer;

export function mount() {
  byId("log-export").href = path("/api/audit/export");
  filter.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 200);
  });
}

export async function refresh() {
  oldest = null;
  await load((rows) => list.replaceChildren(...rows));
}

async function load(place) {
  const parameters = new URLSearchParams({ limit: PAGE });
  if (oldest) parameters.set("before", oldest);
  const entries = await attempt(byId("log-error"), () => found(parameters, filter.value.trim()));
  if (!entries) return;
  oldest = entries.at(-1)?.id ?? oldest;
  const rows = entries.map(row);
  if (entries.length === PAGE) rows.push(more());
  if (rows.length === 0) rows.push(element("li", { class: "empty-row" }, "Nothing happened."));
  place(rows);
}

async function found(parameters, username) {
  if (!username) return get(`/api/audit?${parameters}`);
  const people = await get(query("/api/users", username));
  const person = people.find((one) => one.username === username);
  if (!person) return [];
  parameters.set("user", person.id);
  return get(`/api/audit?${parameters}`);
}

function more() {
  const pressed = button("Load more", null, { class: "quiet", "data-testid": "audit-more", onclick: next });
  const node = element("li", { class: "row" }, pressed);
  async function next() {
    await load((rows) => node.replaceWith(...rows));
  }
  return node;
}

function row({ at, event, actor, address, detail, passkey }) {
  const about = [detail && (detail.startsWith("Mozilla/") ? agent(detail) : detail), actor && `by ${actor}`, passkey && `with the passkey ${passkey}`];
  return element(
    "li",
    { class: "row", "data-testid": "audit-row", "data-event": event },
    element("div", { class: "what" }, element("span", {}, words(event)), element("span", { class: "faint", title: detail }, about.filter(Boolean).join(" · "))),
    address && element("span", { class: "address mono" }, address),
    element("time", { class: "when", datetime: at, title: exactly(at) }, ago(at)),
  );
}
