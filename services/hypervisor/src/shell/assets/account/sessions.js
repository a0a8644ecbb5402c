// Where I am logged in.

import { act } from "../acts.js";
import { get } from "../api.js";
import { agent, ago, exactly } from "../format.js";
import { facts, listRow } from "../rows.js";
import { list } from "../search.js";
import { button, byId, element } from "../ui.js";
import * as audit from "./audit.js";
import { attempt } from "../attempt.js";

const error = byId("sessions-error");

const refresh = list("sessions", { load: () => get("/auth/sessions"), row, none: "Nobody is logged in." });

export const mount = refresh;

function row(session) {
  const name = agent(session.user_agent);
  return listRow(
    { "data-testid": "session-row", "data-id": session.id, "data-current": String(session.current) },
    [
      element(
        "p",
        { class: "name", title: session.user_agent },
        name,
        session.current && element("span", { class: "chip" }, "this one"),
        session.kind === "recovery" && element("span", { class: "chip" }, "recovery"),
      ),
      facts([session.address, `seen ${ago(session.last_seen_at)}`], { title: `Since ${exactly(session.created_at)}` }),
    ],
    !session.current && button("Revoke", null, { class: "quiet", "aria-label": `Revoke the session of ${name}`, "data-testid": "session-revoke", onclick: () => revoke(session) }),
  );
}

async function revoke(session) {
  await attempt(error, async () => {
    await act("end_session", { session_id: session.id });
    await Promise.all([refresh(), audit.refresh()]);
  });
}
