// What went wrong, in a sentence that says what to do about it.

const LOST = "The server does not answer. Check that it runs and that you are online, then try again.";

const PASSKEY = {
  not_made: () => "The prompt was closed before a passkey was made, so nothing was saved. Try again when you are ready.",
  not_shown: () => "The passkey prompt was closed, or no passkey on this device fits. Try again, or recover with a code.",
  known: () => "This device already holds a passkey for this account. Log in with it, or use another device.",
  address: (rpId) => `This server's passkeys belong to ${rpId}, and this page is at ${location.hostname}. Open it there.`,
  unfit: () => "This device cannot make a passkey that asks for your fingerprint, face or PIN. Set up a screen lock, or use another device.",
  insecure: () => "Browsers allow passkeys only on https and on http://localhost. Open this server at one of these.",
  unsupported: () => "This browser has no passkeys. Use a current Chrome, Edge, Firefox or Safari.",
  broken: (detail) => `The browser could not complete the passkey prompt: ${detail}`,
};

const API = {
  rate_limited: (error) => `Too many attempts. Try again ${error.retryAfter ? `in ${seconds(error.retryAfter)}` : "in a minute"}.`,
  no_account: () => "no account found for this address. Check its spelling, or sign up.",
  register_unfinished: (error) => unfinished("Your device made a passkey, but the account was not registered", error),
  login_unfinished: (error) => unfinished("Your passkey was not accepted", error),
  passkey_unfinished: (error) => unfinished("Your device made a passkey, but it was not added to your account", error),
};

export function sentence(error) {
  if (error.name === "PasskeyError") return PASSKEY[error.reason](error.message);
  if (error.name !== "ApiError") return `This page has a fault: ${error.message}. Reload it.`;
  if (Object.hasOwn(API, error.code)) return API[error.code](error);
  if (error.status === 0) return LOST;
  return begun(error.message) || `The server answered ${error.status} without a reason. Try again in a moment.`;
}

// Programs read the same message inside a line of their own, hence it begins in lower case.
const begun = (text) => (/^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);

function unfinished(what, error) {
  return `${what}. ${error.status === 0 ? LOST : error.message || "Try again."}`;
}

function seconds(number) {
  return number === 1 ? "a second" : number < 90 ? `${number} seconds` : `${Math.ceil(number / 60)} minutes`;
}
