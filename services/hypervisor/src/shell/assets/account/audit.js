// What happened to my account lately.

import { get } from "../api.js";
import { attempt } from "../attempt.js";
import { eventRow } from "../events.js";
import { listing } from "../rows.js";
import { byId } from "../ui.js";

const show = listing(byId("audit"), { most: 8, none: "Nothing happened yet.", row: (event) => eventRow(event) });

export const mount = refresh;

export async function refresh() {
  const entries = await attempt(byId("audit-error"), () => get("/auth/audit"));
  if (entries) show(entries);
}
