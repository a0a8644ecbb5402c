// Events as people read them.

import { agent, ago, exactly } from "./format.js";
import { element } from "./ui.js";

// "passkey_added" reads "Passkey added".
export function words(event) {
  const text = event.replaceAll(/[._-]+/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// One of the audit log, with what `more` there is to say of it. What a session was revoked of is
// told by its User-Agent.
export function eventRow({ id, at, event, address, detail }, more = []) {
  const about = [detail?.startsWith("Mozilla/") ? agent(detail) : detail, ...more].filter(Boolean).join(" · ");
  return element(
    "li",
    { class: "row", "data-testid": "audit-row", "data-id": id && String(id), "data-event": event, tabindex: "-1" },
    element("div", { class: "what" }, element("span", {}, words(event)), about && element("span", { class: "faint", title: detail }, about)),
    address && element("span", { class: "address mono" }, address),
    element("time", { class: "when", datetime: at, title: exactly(at) }, ago(at)),
  );
}
