// What happened to my account lately.

import { get } from "../api.js";
import { agent, ago, exactly } from "../format.js";
import { button, byId, element } from "../ui.js";
import { attempt } from "../attempt.js";
import { words } from "../words.js";

const FEW = 8;
const list = byId("audit");
let all = false;

export const mount = refresh;

export async function refresh() {
  const entries = await attempt(byId("audit-error"), () => get("/auth/audit"));
  if (entries) show(entries);
}

function show(entries) {
  const rows = (all ? entries : entries.slice(0, FEW)).map(row);
  if (entries.length === 0) rows.push(element("li", { class: "empty-row" }, "Nothing happened yet."));
  if (entries.length > rows.length) rows.push(more(entries));
  list.replaceChildren(...rows);
}

function more(entries) {
  const reveal = () => {
    all = true;
    show(entries);
    list.children[FEW]?.focus();
  };
  return element("li", { class: "row" }, button(`Show all ${entries.length}`, null, { class: "quiet", onclick: reveal }));
}

function row({ at, event, address, detail }) {
  return element(
    "li",
    { class: "row", "data-testid": "audit-row", "data-event": event, tabindex: "-1" },
    element("div", { class: "what" }, element("span", {}, words(event)), detail && element("span", { class: "faint", title: detail }, about(detail))),
    address && element("span", { class: "address mono" }, address),
    element("time", { class: "when", datetime: at, title: exactly(at) }, ago(at)),
  );
}

// What a session was revoked of is told by its User-Agent.
const about = (detail) => (detail.startsWith("Mozilla/") ? agent(detail) : detail);
