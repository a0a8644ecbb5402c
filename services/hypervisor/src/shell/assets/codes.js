// Recovery codes: seen once, to be kept.

import { button, copy, element } from "./ui.js";

// The list with its copy and download buttons.
export function codeList(codes, username) {
  const text = `${codes.join("\n")}\n`;
  return [
    element("ul", { class: "codes", "data-testid": "recovery-codes" }, codes.map((code) => element("li", {}, code))),
    element(
      "div",
      { class: "code-actions" },
      button("Copy", "copy", { "data-testid": "recovery-codes-copy", onclick: (event) => copy(event.currentTarget, text) }),
      button("Download", "download", { "data-testid": "recovery-codes-download", onclick: () => download(username, text) }),
    ),
  ];
}

function download(username, codes) {
  const title = `ChoirOS recovery codes of ${username} at ${location.host}. Each works once.\n\n`;
  const url = URL.createObjectURL(new Blob([title, codes], { type: "text/plain" }));
  element("a", { href: url, download: `choiros-recovery-${username}.txt` }).click();
  URL.revokeObjectURL(url);
}
