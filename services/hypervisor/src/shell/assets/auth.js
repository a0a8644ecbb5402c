// The page at /login and /register: one card, two modes.

import { at, get, post } from "./api.js";
import { codeList } from "./codes.js";
import { icon } from "./icons.js";
import { login, register } from "./passkeys.js";
import { sentence } from "./sentences.js";
import { busy, button, byId, byTestId, element } from "./ui.js";
import { obstacle } from "./webauthn.js";

const query = new URLSearchParams(location.search);
// What the address that led here had behind it: browsers keep that on their way.
const { hash } = location;
const invite = query.get("invite");
const card = byTestId("auth-modal");
const input = byTestId("auth-input");
const errors = byTestId("auth-error");
const submit = byId("submit");

const MODES = {
  login: {
    path: at("/login"),
    label: "Log in",
    lead: "Leave the address empty to pick one of this device's passkeys.",
    action: "Continue with a passkey",
    placeholder: "",
  },
  register: {
    path: at("/register"),
    label: "Sign up",
    lead: invite ? "You are invited. Your device will make a passkey for you." : "Your device will make a passkey for you.",
    action: "Create a passkey",
    placeholder: "you@example.org",
  },
};

// Where this page has led to in this tab, lately.
const LED_TO = "choiros-led-to";
const RECENT_MS = 60_000;
const MOST = 4;

// Whom the invite is for: asked without its secret in an address.
let invited = null;

let mode = location.pathname === at("/register") ? "register" : "login";
let server = { authenticated: false, registration: "open" };

function show(next) {
  mode = next;
  const { path, label, lead, action, placeholder } = MODES[mode];
  document.title = `${label} · ChoirOS`;
  byTestId("auth-mode-label").textContent = label;
  byId("lead").textContent = lead;
  input.placeholder = placeholder;
  submit.replaceChildren(icon("key"), element("span", {}, action));
  for (const name of Object.keys(MODES)) {
    const tab = byTestId(`auth-mode-${name}`);
    if (name === mode) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  if (isBound()) {
    input.value = invited.username;
    byId("lead").textContent = `You are invited as ${invited.username}${invited.workspace ? `, to the workspace ${invited.workspace}` : ""}. Your device will make a passkey for you.`;
  }
  input.readOnly = isBound();
  const shut = mode === "register" ? whyShut() : null;
  byId("lead").hidden = shut !== null;
  byId("form").hidden = shut !== null;
  byId("shut").hidden = shut === null;
  byId("shut").textContent = shut ?? "";
  fail(obstacle());
  history.replaceState(null, "", path + location.search);
  card.classList.remove("pending");
}

// Whether only the name that the invite is for can sign up.
const isBound = () => mode === "register" && Boolean(invited?.username);

// Why nobody can sign up here and now, or null.
function whyShut() {
  if (server.registration === "closed") return "This server takes no new accounts. Ask whoever runs it for one.";
  if (server.registration === "invite" && !invite) {
    return "Signing up here needs an invite link. Ask whoever runs this server for one, and open it.";
  }
  if (invited?.invalid) return "This invite is unknown, was used or has ended. Ask whoever sent it for a new link.";
  return null;
}

function fail(error) {
  errors.textContent = error ? sentence(error) : "";
  input.setAttribute("aria-invalid", String(error?.code === "no_account" || error?.code === "invalid_username"));
}

byId("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (submit.disabled) return;
  const username = input.value.trim();
  if (mode === "register" && !username) {
    errors.textContent = "Type the address that your account shall have.";
    input.focus();
    return;
  }
  fail(null);
  try {
    const account = await ceremony(username);
    card.remove();
    if (account.recovery_codes) showCodes(account);
    else leave();
  } catch (error) {
    fail(error);
    input.focus();
  }
});

// While the prompt is open, nothing else on the card can be changed.
async function ceremony(username) {
  const tabs = [byTestId("auth-mode-login"), byTestId("auth-mode-register")];
  const hold = (held) => {
    input.readOnly = held || isBound();
    for (const tab of tabs) tab.disabled = held;
  };
  hold(true);
  try {
    const work = () => (mode === "register" ? register(username, invite) : login(username));
    return await busy(submit, "Waiting for your passkey…", work);
  } finally {
    hold(false);
  }
}

function showCodes({ username, recovery_codes: codes }) {
  // The invite is spent: it need not stay in the address or the history.
  history.replaceState(null, "", at("/register"));
  document.title = "Recovery codes · ChoirOS";
  const done = button("I kept them, continue", null, {
    class: "primary large",
    "data-testid": "recovery-codes-continue",
    onclick: leave,
  });
  const title = element("h1", { tabindex: "-1" }, "Keep these codes");
  const lead = element("p", {}, "Should you lose your passkeys, each of these lets you in once to make a new one. They are not shown again.");
  const body = element("div", { class: "body" }, element("header", {}, title, lead), codeList(codes, username), done);
  document.querySelector("main").append(element("section", { class: "card" }, body));
  title.focus();
}

// Whether a person who is logged in was sent here again from where this page has led them to a
// moment ago: an app there has a log-in of its own at /login, and would send them back for ever.
function isSentAgain(to) {
  try {
    const recent = recentlyLedTo();
    return recent.length >= MOST || recent.some((led) => led.to === to);
  } catch {
    return true;
  }
}

function recentlyLedTo() {
  const all = JSON.parse(sessionStorage.getItem(LED_TO) ?? "[]");
  return all.filter((led) => Date.now() - led.when < RECENT_MS);
}

function leave() {
  const to = destination(query.get("next"));
  try {
    sessionStorage.setItem(LED_TO, JSON.stringify([...recentlyLedTo(), { to, when: Date.now() }]));
  } catch {
    // Where nothing can be kept, nobody is led on without a click.
  }
  location.assign(to);
}

function stay(to) {
  card.remove();
  document.title = "Logged in · ChoirOS";
  const title = element("h1", { tabindex: "-1" }, "You are logged in");
  const lead = element("p", {}, `The page at ${to} has sent you here again. Its app asks for a log-in of its own at an address that is this server's. Whoever runs this server can move the server's pages out of its way with gateway_prefix, or give each sandbox an address of its own with origins = "own".`);
  const again = element("a", { class: "button primary large", href: to, "data-testid": "sent-again-link" }, "Go there again");
  const mine = element("a", { class: "button quiet large", href: at("/auth/account") }, "Account");
  const body = element("div", { class: "body" }, element("header", {}, title, lead), again, mine);
  document.querySelector("main").append(element("section", { class: "card", "data-testid": "sent-again" }, body));
  title.focus();
}

// Only a path on this server, whatever the address says.
function destination(next) {
  if (!next?.startsWith("/")) return "/";
  const url = new URL(next, location.origin);
  const ours = url.origin === location.origin && !["/login", "/register", "/recovery"].map(at).includes(url.pathname);
  return ours ? url.pathname + url.search + (url.hash || hash) : "/";
}

for (const name of Object.keys(MODES)) {
  byTestId(`auth-mode-${name}`).addEventListener("click", () => {
    show(name);
    input.focus();
  });
}

async function lookUp() {
  if (!invite) return null;
  try {
    return await post("/auth/invite", { invite });
  } catch (error) {
    return error.code === "invite_invalid" ? { invalid: true } : null;
  }
}

// Both at once: on a slow line each call is a second.
const looking = lookUp();
try {
  server = await get("/auth/me");
} catch {
  // A lost server is told when the form is sent.
}
invited = await looking;
if (server.authenticated && server.kind === "full") {
  const to = destination(query.get("next"));
  if (isSentAgain(to)) stay(to);
  else leave();
} else {
  show(mode);
  input.focus();
}
