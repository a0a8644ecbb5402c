// What others have changed about who gets into my account, until I say that I saw it.

import { post } from "../api.js";
import { ago, exactly } from "../format.js";
import { button, byId, element } from "../ui.js";
import { words } from "../events.js";
import { attempt } from "../attempt.js";

const node = byId("notices");

export function mount({ notices }) {
  if (notices.length === 0) return;
  const last = notices.at(-1).id;
  const seen = button("I know of this", null, { "data-testid": "notices-seen", onclick: () => see(last) });
  const advice = "If this was neither you nor somebody who shares this account, remove the passkeys that you don't know, end the other sessions and make new recovery codes.";
  node.replaceChildren(element("ul", {}, notices.map(row)), element("p", {}, advice), seen);
  node.hidden = false;
}

function row({ event, at, detail }) {
  const what = detail ? `${words(event)}: ${detail}` : words(event);
  return element("li", { "data-testid": "notice" }, `${what}, `, element("time", { datetime: at, title: exactly(at) }, ago(at)));
}

async function see(last) {
  await attempt(byId("lost"), async () => {
    await post("/auth/notices/seen", { last });
    node.hidden = true;
  });
}
