// The page at /recovery: a code, then a new passkey, then in.

import { get, post } from "./api.js";
import { icon } from "./icons.js";
import { addRecoveryPasskey, deviceName, login } from "./passkeys.js";
import { sentence } from "./sentences.js";
import { busy, byId, byTestId, element } from "./ui.js";
import { obstacle } from "./webauthn.js";

const address = byTestId("recovery-username");
const code = byTestId("recovery-code");
const errors = byTestId("auth-error");
const submit = byTestId("recovery-submit");

let username = "";
let step = "code";

const STEPS = {
  code: {
    title: "Recover",
    lead: "Use one of the codes that you were given when you signed up.",
    action: "Use this code",
    icon: null,
    busy: "Checking…",
    work: useCode,
  },
  passkey: {
    title: "Add a passkey",
    lead: "Your code was good, and is used up. Now make a passkey on this device.",
    action: "Create a passkey",
    icon: "key",
    busy: "Waiting for your passkey…",
    work: makePasskey,
  },
  login: {
    title: "Log in with it",
    lead: "Your new passkey is ready.",
    action: "Log in",
    icon: "key",
    busy: "Waiting for your passkey…",
    work: enter,
  },
};

async function useCode() {
  username = address.value.trim();
  if (!username || !code.value.trim()) {
    throw new Error("Type both your address and a code.");
  }
  await post("/auth/recovery", { username, code: code.value.trim() });
  return "passkey";
}

async function makePasskey() {
  await addRecoveryPasskey(deviceName());
  return "login";
}

async function enter() {
  await login(username);
  byTestId("recovery-modal").remove();
  location.assign("/");
  return "login";
}

function show(next) {
  step = next;
  const { title, lead, action, icon: iconName } = STEPS[step];
  document.title = `${title} · ChoirOS`;
  byId("title").textContent = title;
  byId("lead").textContent = lead;
  submit.replaceChildren(...(iconName ? [icon(iconName)] : []), element("span", {}, action));
  for (const node of document.querySelectorAll("[data-step]")) node.hidden = node.dataset.step !== step;
  const marks = [...document.querySelectorAll(".steps li")];
  marks.forEach((mark, index) => {
    if (index === Object.keys(STEPS).indexOf(step)) mark.setAttribute("aria-current", "step");
    else mark.removeAttribute("aria-current");
  });
  errors.textContent = "";
  byTestId("recovery-modal").classList.remove("pending");
}

byId("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (submit.disabled) return;
  errors.textContent = "";
  try {
    const next = await busy(submit, STEPS[step].busy, STEPS[step].work);
    if (next !== step) {
      show(next);
      byId("title").focus();
    }
  } catch (error) {
    errors.textContent = error.name === "Error" ? error.message : sentence(error);
  }
});

// An admin's link has the name, and the code where no server is told of it.
function prefill() {
  const name = new URLSearchParams(location.search).get("username");
  if (!name) return;
  address.value = name;
  code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}

let me = { authenticated: false };
try {
  me = await get("/auth/me");
} catch {
  // A lost server is told when the form is sent.
}
username = me.username ?? "";
show(me.kind === "recovery" ? "passkey" : "code");
prefill();
address.focus();
const blocked = obstacle();
if (blocked) errors.textContent = sentence(blocked);
