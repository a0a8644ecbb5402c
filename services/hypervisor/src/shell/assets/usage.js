// What a sandbox uses, beside what it may.

import { size, span } from "./format.js";
import { element } from "./ui.js";

export function usage(used) {
  if (!used) return null;
  const rows = [
    ["memory", used.memory_bytes, used.memory_max_bytes, size],
    ["disk", used.disk_bytes, used.disk_max_bytes, size],
    ["files", used.files, used.files_max, String],
    ["tasks", used.tasks, used.tasks_max, String],
  ];
  const shown = rows.filter(([, now]) => now != null).map(bar);
  if (used.cpu_secs != null) shown.push(element("p", { class: "faint", "data-usage": "cpu" }, `CPU ${span(used.cpu_secs)}`));
  return element("div", { class: "usage" }, shown);
}

function bar([what, now, most, words]) {
  const text = most == null ? `${what} ${words(now)}` : `${what} ${words(now)} of ${words(most)}`;
  const meter = most != null && element("meter", { min: "0", max: String(most), value: String(now), high: String(most * 0.9), optimum: "0", "aria-label": what });
  return element("p", { class: "faint", "data-usage": what }, text, meter);
}
