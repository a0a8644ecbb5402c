// The last lines that a sandbox wrote, and those that it writes now.

import { at } from "./api.js";
import { button, dialog, element } from "./ui.js";

const LINES = 200;
const MOST = 2000;

export function showLog(workspace, role) {
  const said = element("p", { class: "faint", role: "status" }, "Waiting for the first line…");
  const lines = element("pre", { class: "log", tabindex: "0", "aria-label": `Log of ${role} of ${workspace}`, "data-testid": "log" });
  const source = new EventSource(at(`/api/sandboxes/${workspace}/${role}/log?lines=${LINES}&follow=true`));
  let held = null;
  source.addEventListener("message", ({ data }) => (held ? held.push(data) : add([data])));
  source.addEventListener("open", () => (said.textContent = "New lines appear as they are written."));
  source.addEventListener("error", () => {
    said.textContent = source.readyState === EventSource.CLOSED ? "There is no log to be had, or your session has ended. Reload the page." : "The connection was lost; trying again…";
    // What comes then begins with the last lines once more.
    lines.replaceChildren();
  });

  function add(events) {
    const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 4;
    lines.append(...events.map((data) => `${JSON.parse(data).line}\n`));
    while (lines.childNodes.length > MOST) lines.firstChild.remove();
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  }

  const pause = button("Pause", null, { "data-testid": "log-pause", "aria-pressed": "false", onclick: toggle });
  function toggle() {
    const waiting = held;
    held = held ? null : [];
    pause.setAttribute("aria-pressed", String(held !== null));
    if (waiting) add(waiting);
  }

  const shown = dialog(`Log of ${role} of ${workspace}`, (close) =>
    element("div", {}, element("h2", {}, `${workspace} ${role}`), said, lines, element("div", { class: "dialog-actions" }, pause, button("Close", null, { "data-testid": "log-close", onclick: () => close() }))),
  );
  lines.closest("dialog").classList.add("wide");
  return shown.finally(() => source.close());
}
