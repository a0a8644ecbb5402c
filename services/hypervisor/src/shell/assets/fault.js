// What went wrong, as a page shows it: in a sentence, and with a link where one helps.

import { at } from "./api.js";
import { sentence } from "./sentences.js";
import { element } from "./ui.js";

export function fault(error) {
  if (error.status !== 401 || error.code !== "unauthenticated") return element("span", {}, sentence(error));
  const next = encodeURIComponent(location.pathname);
  return element("span", {}, "Your session has ended. ", element("a", { href: at(`/login?next=${next}`) }, "Log in again"), ".");
}
