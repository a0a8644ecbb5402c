// Where I am logged in.

import { act } from "../acts.js";
import { get } from "../api.js";
import { agent, ago, exactly } from "../format.js";
import { button, byId, element } from "../ui.js";
import * as audit from "./audit.js";
import { attempt } from "../attempt.js";

const error = byId("sessions-error");

export async function mount() {
  await refresh();
}

async function refresh() {
  const sessions = await attempt(error, () => get("/auth/sessions"));
  if (sessions) byId("sessions").replaceChildren(...sessions.map(row));
}

function row(session) {
  const name = agent(session.user_agent);
  const place = [session.address, `seen ${ago(session.last_seen_at)}`].filter(Boolean).join(" · ");
  return element(
    "li",
    { class: "row", "data-testid": "session-row", "data-current": String(session.current) },
    element(
      "div",
      { class: "what" },
      element(
        "p",
        { class: "name", title: session.user_agent },
        name,
        session.current && element("span", { class: "chip" }, "this one"),
        session.kind === "recovery" && element("span", { class: "chip" }, "recovery"),
      ),
      element("p", { class: "faint", title: `Since ${exactly(session.created_at)}` }, place),
    ),
    !session.current &&
      element(
        "span",
        { class: "row-actions" },
        button("Revoke", null, { class: "quiet", "aria-label": `Revoke the session of ${name}`, "data-testid": "session-revoke", onclick: () => revoke(session) }),
      ),
  );
}

async function revoke(session) {
  await attempt(error, async () => {
    await act("end_session", { session_id: session.id });
    await Promise.all([refresh(), audit.refresh()]);
  });
}
