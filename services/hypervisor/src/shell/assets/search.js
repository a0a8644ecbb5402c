// A list that the server searches, and of which a page shows the first hundred.

import { attempt } from "./attempt.js";
import { byId, element } from "./ui.js";

const MOST = 100;
const PAUSE_MS = 200;

// `load(search)` gets the entries, and `row(entry)` makes one of the list's.
export function list(id, { load, row, none, found = () => {} }) {
  const input = byId(`${id}-search`);
  const place = byId(id);
  let timer;
  let asked = 0;

  input?.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, PAUSE_MS);
  });

  // An older answer that arrives late is not shown.
  async function refresh() {
    const now = (asked += 1);
    const search = input?.value.trim() ?? "";
    const all = await attempt(byId(`${id}-error`), () => load(search));
    if (!all || now !== asked) return;
    found(all);
    show(all, search);
  }

  // What has not changed stays, and with it the focus.
  function show(all, search) {
    const rows = all.slice(0, MOST).map(row);
    if (all.length === 0) rows.push(element("li", { class: "empty-row" }, search ? `Nothing is called “${search}”.` : none));
    if (all.length > MOST) rows.push(element("li", { class: "empty-row" }, `${all.length - MOST} more: search for what you need.`));
    const made = element(place.tagName, {}, rows);
    if (made.innerHTML !== place.innerHTML) place.replaceChildren(...rows);
  }

  return refresh;
}

export const query = (path, search) => (search ? `${path}${path.includes("?") ? "&" : "?"}search=${encodeURIComponent(search)}` : path);
