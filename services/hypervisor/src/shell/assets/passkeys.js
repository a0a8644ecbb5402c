// The ceremonies, each from its start at the server to its finish there.

import { act, leave } from "./acts.js";
import { ApiError, post } from "./api.js";
import { agent } from "./format.js";
import { assert, create } from "./webauthn.js";

// Makes an account. The response has the recovery codes.
export async function register(username, invite) {
  const { publicKey } = await post("/auth/register/start", { username, ...(invite && { invite }) });
  const credential = await create(publicKey);
  return finish("/auth/register/finish", credential, "register_unfinished");
}

// Without a username, the browser shows the passkeys that it has for this server.
export async function login(username) {
  const { publicKey } = await post("/auth/login/start", username ? { username } : {});
  const credential = await assert(publicKey);
  return finish("/auth/login/finish", credential, "login_unfinished");
}

export async function addPasskey(name) {
  const { publicKey } = await act("add_passkey", { name });
  return finishPasskey(publicKey);
}

// For who came with a recovery code, and has no other passkey to confirm it with.
export async function addRecoveryPasskey(name) {
  const { publicKey, confirm } = await post("/auth/passkeys/start", { name });
  return confirm ? leave(confirm) : finishPasskey(publicKey);
}

export async function finishPasskey(options) {
  const credential = await create(options);
  return finish("/auth/passkeys/finish", credential, "passkey_unfinished");
}

// The device has said yes by now, and the server has not: a sentence must tell these apart.
async function finish(path, credential, code) {
  try {
    return await post(path, credential);
  } catch (error) {
    if (error.code === "rate_limited") throw error;
    throw new ApiError(error.status, code, error.message);
  }
}

// What a person would call the device that they sit at.
export const deviceName = () => agent(navigator.userAgent);
