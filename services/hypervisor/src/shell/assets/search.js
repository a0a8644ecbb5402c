// Lists that the server is asked for, again and again, perhaps with a search.

import { attempt } from "./attempt.js";
import { listing } from "./rows.js";
import { byId, element } from "./ui.js";

const MOST = 100;
const PAUSE_MS = 200;

// What loads and shows the list of that id. `load(search)` gets the entries, which `found` hears of,
// and `row(entry)` makes one of the list's.
export function list(id, { load, row, none, found = () => {} }) {
  const input = byId(`${id}-search`);
  const show = listing(byId(id), { most: MOST, none, row });
  const loading = latest();
  // Apart from what goes wrong with somebody's orders, which is to be read until the next one.
  const lost = element("p", { class: "note bad", role: "alert" });
  byId(id).before(lost);
  if (input) typed(input, refresh);

  async function refresh() {
    const search = input?.value.trim() ?? "";
    const all = await loading(() => attempt(lost, () => load(search)));
    if (!all) return;
    found(all);
    show(all, search ? `Nothing is called “${search}”.` : none);
  }

  return refresh;
}

// Has work done once somebody stops typing.
export function typed(input, work) {
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(work, PAUSE_MS);
  });
}

// What gives the result of work, or nothing if other work was begun meanwhile: an older answer that
// arrives late is not shown.
export function latest() {
  let begun = 0;
  return async (work) => {
    const mine = (begun += 1);
    const result = await work();
    return mine === begun ? result : undefined;
  };
}

export const query = (path, search) => (search ? `${path}?search=${encodeURIComponent(search)}` : path);
