// Live and dev exchange their sandboxes, data included.

import { times } from "../format.js";
import { ask, button, confirm, element } from "../ui.js";
import { change, generation } from "./change.js";

export const swapButton = button("Swap…", "swap", { "data-testid": "swap-button", onclick: swap });
const forceButton = button("Swap anyway", "swap", { "data-testid": "force-button", onclick: force });

let writes = 0;

export function update(live) {
  writes = live.writes ?? 0;
}

async function swap() {
  const order = { expect_generation: generation() };
  const warning = `Live was written to ${times(writes)} since the last fork or swap; after the swap that is in dev. To keep live's data, promote instead.`;
  const parts = [
    element("p", { class: "muted" }, "The two sandboxes exchange their roles, data included: live's address shows what dev has now."),
    writes > 0 && element("p", { class: "note warn", "data-testid": "swap-warning" }, warning),
  ];
  if (await ask("Swap live and dev?", parts, "Swap")) await exchange(swapButton, order);
}

// A dev sandbox that is not healthy may still be better than what is live.
async function force() {
  const text = "The dev sandbox did not answer its probe. Whoever uses live meets it as it is.";
  const order = { expect_generation: generation(), force: true };
  if (await confirm("Swap to an unhealthy sandbox?", text, "Swap anyway")) await exchange(swapButton, order);
}

async function exchange(pressed, order, undo = back) {
  await change("swap", order, {
    pressed,
    label: "Swapping…",
    says: "The sandboxes exchange their roles.",
    undo,
    mend: (failure) => failure.code === "dev_unhealthy" && forceButton,
  });
}

function back(outcome) {
  const order = outcome.undo;
  const pressed = button("Undo", "undo", { "data-testid": "undo-button", onclick: () => exchange(pressed, order, () => null).then(() => swapButton.focus()) });
  return pressed;
}
