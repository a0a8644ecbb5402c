// Live gets the release that dev has tried, or another, and keeps its data; and back again.

import { ApiError } from "../api.js";
import { writing } from "../format.js";
import { ask, button, choice, element } from "../ui.js";
import { change, tried, workspace } from "./change.js";

const WATCH_SECS = 60;
const MOST_SECS = 3600;

export const promoteButton = button("Promote", "promote", {
  class: "primary promote",
  "data-testid": "promote-button",
  "aria-describedby": "promote-says",
  onclick: () => promote(promoteButton, present.dev.release),
});
export const promoteText = element("p", { class: "promote-says", id: "promote-says" });

let present;

export function update(live, dev) {
  present = { live, dev };
  // Where something else runs the sandboxes, they have no releases.
  const known = live.release > 0 && dev.release > 0;
  const differs = live.release !== dev.release;
  promoteButton.hidden = !known;
  if (!promoteButton.classList.contains("busy")) promoteButton.disabled = !differs;
  promoteText.textContent = !known ? "" : differs ? `Give live release ${dev.release}; its data stay` : `Both have release ${live.release}`;
}

// Asks first; `pressed` is the button that was.
export async function promote(pressed, release) {
  const { live, dev } = present;
  const order = { release, expect_generation: live.generation };
  const rehearse = choice("Rehearse first", `Dev runs release ${release} on a copy of live's data, and must be well with it. What dev has now is kept as a snapshot.`, { checked: true, "data-testid": "rehearse" });
  const secs = element("input", { class: "input secs", type: "number", min: "1", max: String(MOST_SECS), value: String(WATCH_SECS), disabled: true, required: true, "aria-label": "For how many seconds", "data-testid": "watch-secs" });
  const watch = choice("Watch afterwards", `If live falls ill in that time, it gets release ${live.release} back; its data stay.`, { "data-testid": "watch", onchange: () => (secs.disabled = !watch.input.checked) }, " for ", secs, " s");
  const parts = [
    element("p", { class: "muted" }, `Live changes from release ${live.release} to release ${release}, and its data stay where they are. Requests wait meanwhile, and none fails. If the release is not well, everything is put back.`),
    dev.release !== release && element("p", { class: "note" }, `Dev has release ${dev.release}${dev.release === live.release ? ", as live has" : ""}.`),
    rehearse.node,
    watch.node,
  ];
  if (!(await ask(`Promote release ${release} to live?`, parts, "Promote"))) return;
  order.rehearse = rehearse.input.checked;
  if (watch.input.checked) order.probation_secs = Number(secs.value);
  const first = order.rehearse ? "It is tried in dev first, on a copy of live's data; then requests" : "Requests";
  await change("promote", order, {
    pressed,
    label: "Promoting…",
    says: `Live is given release ${release}. ${first} wait for a moment, and none fails.`,
    undo: () => undoButton(),
  });
}

export function undoButton(properties) {
  const pressed = button("Undo…", "undo", { "data-testid": "undo-button", ...properties, onclick: () => undo(pressed) });
  return pressed;
}

async function undo(pressed) {
  const view = await tried(undoable);
  if (!view) return;
  const { release, writes, has_data: hasData } = view.undo;
  const one = (label, meaning, properties) => choice(label, meaning, { type: "radio", name: "undo", ...properties });
  const alone = one("The release alone", "Live's data stay as they are now.", { checked: true, "data-testid": "undo-alone" });
  const lost = writes ? `What ${writing(writes)} wrote since then is lost to live, and kept in a snapshot.` : "Nothing was written since then.";
  const whole = one("The release and the data", `Live's data become what they were before the promotion. ${lost}`, { "data-testid": "undo-with-data" });
  const parts = [
    element("p", { class: "muted" }, `Live gets release ${release} back.`),
    alone.node,
    hasData && whole.node,
  ];
  if (!(await ask("Undo the promotion?", parts, "Undo"))) return;
  await change("undo", { with_data: hasData && whole.input.checked, expect_generation: view.generation }, {
    pressed,
    label: "Undoing…",
    says: "Live gets back what it had. Requests wait for a moment, and none fails.",
  });
  promoteButton.focus();
}

async function undoable() {
  const view = await workspace();
  if (!view.undo) throw new ApiError(409, "nothing_to_undo", "The last change of live is no promotion any longer; promote the release that you want.");
  return view;
}
