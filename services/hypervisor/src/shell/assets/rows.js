// Lists of rows, as every page shows them.

import { button, element } from "./ui.js";

// What something is, and what can be done with it. `data-id` tells it from the list's other rows.
export function listRow(properties, what, ...actions) {
  const buttons = actions.filter(Boolean);
  return element(
    "li",
    { tabindex: "-1", ...properties, class: `row ${properties.class ?? ""}`.trim() },
    element("div", { class: "what" }, what),
    buttons.length > 0 && element("span", { class: "row-actions" }, buttons),
  );
}

// What is less important about it, in a line.
export const facts = (all, properties) => element("p", { class: "faint", ...properties }, all.filter(Boolean).join(" · "));

// What shows entries in a list: the first `most`, until a person wants all. `row` makes one of an
// entry, and `none` is said where there is no entry.
export function listing(place, { most, none, row = (made) => made }) {
  let wantsAll = false;
  let present = [];

  function show(entries, empty = none) {
    present = entries;
    const rows = (wantsAll ? entries : entries.slice(0, most)).map(row);
    if (entries.length === 0) rows.push(element("li", { class: "empty-row", "data-id": "none" }, empty));
    if (entries.length > rows.length) rows.push(element("li", { class: "row", "data-id": "more" }, button(`Show all ${entries.length}`, null, { class: "quiet", onclick: showAll })));
    put(place, rows);
  }

  function showAll() {
    wantsAll = true;
    show(present);
    place.children[most]?.focus();
  }

  return show;
}

// A row that is as it was stays, and so does one that has something under way. The focus stays in
// its row, or in the list if that is gone.
function put(place, fresh) {
  const had = new Map([...place.children].filter(idOf).map((row) => [idOf(row), row]));
  const rows = fresh.map((row) => (idOf(row) && kept(had.get(idOf(row)), row)) || row);
  if (rows.length === place.children.length && rows.every((row, index) => row === place.children[index])) return;
  const refocus = focusIn(place);
  place.replaceChildren(...rows);
  refocus();
}

const idOf = (row) => row.dataset.id;
const kept = (old, row) => old && (old.isEqualNode(row) || old.querySelector(".busy")) && old;
const focusable = (row) => [row, ...row.querySelectorAll("a, button, input")];

// What gives the focus back that a list is about to lose.
function focusIn(place) {
  const focused = document.activeElement;
  if (!place.contains(focused)) return () => {};
  const row = [...place.children].find((row) => row.contains(focused));
  const id = row && idOf(row);
  const index = row ? focusable(row).indexOf(focused) : -1;
  return () => {
    const now = id && [...place.children].find((other) => idOf(other) === id);
    if (!now) place.tabIndex = -1;
    const there = now ? focusable(now) : [];
    (there[index] ?? now ?? place).focus();
  };
}
