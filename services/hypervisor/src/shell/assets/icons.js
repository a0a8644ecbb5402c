// Line icons on a 16 by 16 grid.

const PATHS = {
  key: "M9.7 6.3 14 2m-2.6 2.6 1.9 1.9M2 10.8a3.2 3.2 0 1 0 6.4 0 3.2 3.2 0 1 0-6.4 0M7.5 8.5l2.2-2.2",
  swap: "M4.5 5.5h8m0 0L10 3m2.5 2.5L10 8M11.5 11h-8m0 0L6 8.5M3.5 11 6 13.5",
  promote: "M13 8H3.5m0 0L7.5 4M3.5 8l4 4",
  fork: "M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2",
  undo: "M6 3.5 3 6.5l3 3M3.4 6.5H9a3.5 3.5 0 0 1 0 7H6.5",
  play: "M5 3.2v9.6l7.6-4.8z",
  stop: "M4 4h8v8H4z",
  open: "M6.5 3.5h-3v9h9v-3M9 2.8h4.2V7M13 3 7.5 8.5",
  copy: "M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2",
  check: "M3 8.5 6.3 12 13 4.5",
  download: "M8 2.5v7.5m0 0L5 7.2M8 10l3-2.8M3 13.5h10",
  plus: "M8 3v10M3 8h10",
  pen: "m3 13 .6-2.7 7.2-7.2 2.1 2.1-7.2 7.2zM9.3 4.6l2.1 2.1",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
};

export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
