// The last lines that a sandbox wrote, and those that it writes now.

import { at } from "./api.js";
import { button, dialog, element } from "./ui.js";

const LINES = 200;
const MOST = 2000;

export function showLog(workspace, role) {
  const said = element("p", { class: "faint", role: "status" }, "Waiting for the first line…");
  const lines = element("pre", { class: "log", tabindex: "0", "aria-label": `Log of ${role} of ${workspace}`, "data-testid": "log" });
  const source = new EventSource(at(`/api/sandboxes/${workspace}/${role}/log?lines=${LINES}&follow=true`));
  let waiting = [];
  let begins = false;
  let paused = false;
  source.addEventListener("message", ({ data }) => {
    waiting.push(`${JSON.parse(data).line}\n`);
    if (waiting.length > MOST) waiting.shift();
    if (!paused) show();
  });
  // Whenever it is connected the last lines come first, those that are here already among them.
  source.addEventListener("open", () => {
    said.textContent = "New lines appear as they are written.";
    waiting = [];
    begins = true;
  });
  source.addEventListener("error", () => {
    said.textContent = source.readyState === EventSource.CLOSED ? "There is no log to be had, or your session has ended. Reload the page." : "The connection was lost; trying again…";
  });

  function show() {
    const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 4;
    if (begins) lines.replaceChildren();
    begins = false;
    lines.append(...waiting);
    waiting = [];
    while (lines.childNodes.length > MOST) lines.firstChild.remove();
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  }

  const pause = button("Pause", null, { "data-testid": "log-pause", "aria-pressed": "false", onclick: toggle });
  function toggle() {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    if (!paused && waiting.length) show();
  }

  const content = (close) =>
    element("div", {}, element("h2", {}, `${workspace} ${role}`), said, lines, element("div", { class: "dialog-actions" }, pause, button("Close", null, { "data-testid": "log-close", onclick: () => close() })));
  return dialog(`Log of ${role} of ${workspace}`, content, { class: "wide" }).finally(() => source.close());
}
