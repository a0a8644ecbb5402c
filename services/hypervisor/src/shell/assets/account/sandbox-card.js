// One sandbox as a card. It is updated in place, so that the focus stays where it is.

import { ago, exactly, span } from "../format.js";
import { icon } from "../icons.js";
import { showLog } from "../log.js";
import { busy, button, copy, element } from "../ui.js";
import { accessControl } from "./access.js";

const STOPPABLE = ["starting", "running", "draining"];

// `act(role, action)` starts or stops it, and `change(role, access)` says who may look.
export function sandboxCard(role, act, change) {
  const status = element("span", { class: "status" });
  const name = element("h2");
  const release = element("p", { class: "release", "data-testid": "release" });
  const facts = element("dl", { class: "facts" });
  const cause = element("pre", { class: "cause", tabindex: "0", hidden: true });
  const start = button("Start", "play", { "data-testid": "start-button", onclick: () => press(start, "Starting…", "start") });
  const stop = button("Stop", "stop", { "data-testid": "stop-button", class: "quiet", onclick: () => press(stop, "Stopping…", "stop") });
  const link = element("span");
  const open = element("a", { class: "button", target: "_blank", rel: "noopener", "data-testid": "open-link" }, icon("open"), link);
  const share = button("Copy link", "copy", { "data-testid": "copy-link", class: "quiet", onclick: () => copy(share, open.href) });
  const log = button("Log", null, { class: "quiet", "aria-label": `Log of ${role}`, "data-testid": "log-button", onclick: () => showLog(workspace, role) });
  const access = accessControl(role, change);
  let workspace = "";
  const node = element(
    "article",
    { class: "card sandbox", "data-testid": "sandbox-card", "data-role": role },
    element("div", { class: "ends" }, element("span", { class: "role" }, role), status),
    element("div", { class: "title" }, name, release),
    element("div", { class: "stack" }, facts, access.node, cause),
    element("div", { class: "acts" }, element("div", { class: "ends" }, open, start, stop), element("div", { class: "more" }, share, log)),
  );

  let pressed = null;
  async function press(pushed, label, action) {
    pressed = pushed;
    await busy(pushed, label, () => act(role, action));
    pressed = null;
    buttons();
  }

  // Which of the two buttons there is follows the status, but never while one of them works.
  function buttons() {
    if (pressed) return;
    const focused = node.contains(document.activeElement) && [start, stop].includes(document.activeElement);
    const stoppable = STOPPABLE.includes(node.dataset.status);
    start.hidden = stoppable;
    stop.hidden = !stoppable;
    if (focused) (stoppable ? stop : start).focus();
  }

  function update(sandbox) {
    workspace = sandbox.workspace;
    node.dataset.status = sandbox.status;
    status.textContent = sandbox.status;
    name.textContent = sandbox.sandbox;
    // Where something else runs it, it has none.
    release.textContent = sandbox.release ? `Release ${sandbox.release}` : "";
    facts.replaceChildren(...rows(sandbox));
    access.update(sandbox);
    open.href = sandbox.url;
    // Where all have one address, it is a path.
    link.textContent = `Open ${sandbox.url.startsWith("/") ? sandbox.url : open.host}`;
    cause.hidden = !sandbox.cause;
    if (cause.textContent !== (sandbox.cause ?? "")) cause.textContent = sandbox.cause ?? "";
    buttons();
  }

  return { node, update };
}

function rows(sandbox) {
  const { status, age_secs: age, idle_secs: idle, address, stopped_by: by, stopped_at: at, probation_secs: watched } = sandbox;
  const runs = age != null;
  const facts = [
    ["health", by && status === "stopped" ? "at rest; no request starts it" : health(status)],
    ["stopped by", by && [by, at && ", ", at && element("time", { datetime: at, title: exactly(at) }, ago(at))]],
    ["watched", watched != null && `for ${span(watched)} more`],
    ["up for", runs && span(age)],
    ["last request", runs && (idle < 5 ? "just now" : `${span(idle)} ago`)],
    ["address", runs && address],
  ];
  return facts.filter(([, value]) => value).flatMap(([term, value]) => [
    element("dt", {}, term),
    element("dd", { class: term === "address" ? "mono" : null, "data-fact": term }, value),
  ]);
}

function health(status) {
  return {
    running: "answers its probes",
    draining: "answers; finishing what it began",
    starting: "not answering yet",
    stopped: "at rest; the next request starts it",
    failed: "does not answer",
  }[status] ?? "unknown";
}
