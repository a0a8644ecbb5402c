// Everybody's sandboxes, with what each uses.

import { get, post } from "../api.js";
import { attempt } from "../attempt.js";
import { ago, exactly } from "../format.js";
import { showLog } from "../log.js";
import { facts, listRow } from "../rows.js";
import { list, query } from "../search.js";
import { usage } from "../usage.js";
import { busy, button, byId, element } from "../ui.js";

const STOPPABLE = ["starting", "running", "draining"];

export const refresh = list("all", {
  load: (search) => get(query("/api/sandboxes", search)),
  row,
  none: "There is no workspace yet.",
  found: slots,
});

// How many more people can have a workspace.
async function slots() {
  const { total, free } = (await get("/api/slots").catch(() => null)) ?? {};
  byId("slots").hidden = !total;
  byId("slots").textContent = `${free} of ${total} slots are free`;
}

function row(sandbox) {
  const { workspace, role, status, release, generation, members, requests, last_request_at: last, stopped_by: by, cause } = sandbox;
  return listRow(
    { class: "sandbox-row", "data-testid": "admin-row", "data-id": `${workspace} ${role}`, "data-status": status, "data-workspace": workspace, "data-role": role },
    [
      element("p", { class: "name" }, link(sandbox), element("span", { class: "chip" }, role), element("span", { class: "status" }, status)),
      facts(
        [
          members.length ? members.join(", ") : "nobody's",
          sandbox.sandbox,
          release > 0 && `Release ${release}`,
          `generation ${generation}`,
          `open to ${sandbox.access}`,
          `${requests} request${requests === 1 ? "" : "s"}`,
          last && `last ${ago(last)}`,
        ],
        { title: last && exactly(last) },
      ),
      by && facts([`stopped by ${by}; no request starts it`]),
      cause && element("p", { class: "note bad" }, cause),
      usage(sandbox.usage),
    ],
    control(sandbox),
    button("Log", null, { class: "quiet", "aria-label": `Log of ${role} of ${workspace}`, "data-testid": "log-button", onclick: () => showLog(workspace, role) }),
  );
}

// With one origin for all, an address is a path that leads each person to their own sandbox.
function link({ workspace, url }) {
  if (url.startsWith("/")) return element("span", {}, workspace);
  return element("a", { href: url, target: "_blank", rel: "noopener" }, workspace);
}

function control({ workspace, role, status }) {
  const [verb, label] = STOPPABLE.includes(status) ? ["stop", "Stop"] : ["start", "Start"];
  return button(label, null, { class: "quiet", "aria-label": `${label} ${role} of ${workspace}`, "data-testid": `${verb}-button`, onclick: (click) => order(click.currentTarget, workspace, role, verb) });
}

async function order(pressed, workspace, role, verb) {
  await attempt(byId("all-error"), async () => {
    await busy(pressed, verb === "stop" ? "Stopping…" : "Starting…", () => post(`/api/sandboxes/${workspace}/${role}/${verb}`));
    await refresh();
  });
}
