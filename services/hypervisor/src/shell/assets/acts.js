// Sensitive acts: each takes a passkey for that very act.

import { post } from "./api.js";
import { assert } from "./webauthn.js";

// Does an act once the person's passkey has confirmed it, which `confirmed` hears of; gives the
// act's own result. Where the sandboxes share our origin, a page of its own asks for the passkey:
// there this page is left, and nothing comes back.
export async function act(name, parameters = {}, confirmed = () => {}) {
  const { id, publicKey, confirm } = await post("/auth/acts/start", { act: name, ...parameters });
  if (confirm) return leave(confirm);
  const credential = await assert(publicKey);
  confirmed();
  return finishAct(id, credential);
}

export const finishAct = (id, credential) => post("/auth/acts/finish", { id, credential });

export function leave(path) {
  location.assign(path);
  return new Promise(() => {});
}
