
const TAIL = 50; // rows that the page begins with
const ROWS = 200; // rows at once; the log itself forgets nothing
const root = document.documentElement.dataset;
const find = (id) => document.getElementById(id);
const shown = (id) => document.querySelector(`[data-testid="${id}"]`).textContent;

// The page is at / for the live role and under /dev for the other, with or without a slash.
const base = "/" + location.pathname.split("/").filter(Boolean).map((part) => part + "/").join("");

const newest = Number(root.newest); // when the page was opened
let last = Math.max(0, newest - TAIL);
let pause = 1000;
let lost = 0; // how often the stream ended since it last came

// What was being written when the page was loaded anew, for another sandbox or release.
find("text").value = history.state?.draft ?? "";
history.replaceState(null, "");

function renew() {
  history.replaceState({ draft: find("text").value }, "");
  location.reload();
}

function state(name, words) {
  find("tail").dataset.state = name;
  find("tail").textContent = words;
}

function follow() {
  const source = new EventSource(`${base}logs/events?after=${last}`);
  // A page that is kept for the back button would keep its connection too, of the six that a
  // browser has for an address; after six visits none would be left.
  addEventListener("pagehide", () => source.close(), { once: true });
  source.addEventListener("sandbox", (message) => {
    const now = JSON.parse(message.data);
    // After a swap another sandbox answers here, and its events have other ids; after a promotion
    // another release, with a page of its own.
    const same = now.name === shown("sandbox-name") && now.role === shown("sandbox-role")
      && String(now.generation ?? "–") === shown("sandbox-generation");
    if (!same) {
      source.close();
      renew();
      return;
    }
    [pause, lost] = [1000, 0];
    state("following", "following");
  });
  source.onmessage = (message) => add(JSON.parse(message.data));
  source.onerror = () => {
    // A stream ends when its sandbox gets another release, and the browser asks again: it waits for
    // that one, and nothing is lost yet.
    lost += 1;
    if (lost === 1 && source.readyState === EventSource.CONNECTING) state("waiting", "connecting again");
    else state("lost", "connection lost, trying again");
    // The browser gives up after a response that is no stream.
    if (source.readyState === EventSource.CLOSED) followAgain();
  };
}

// A sandbox that starts anew is back in a moment; a session that has ended is not.
async function followAgain() {
  const { status } = await fetch(`${base}logs/events?limit=1`, { cache: "no-store" }).catch(() => ({}));
  if (status === 401) {
    end();
    return;
  }
  setTimeout(follow, pause);
  pause = Math.min(pause * 2, 15000);
}

function end() {
  state("lost", "logged out");
  find("ended").hidden = false;
}

function part(tag, name, text) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

function add(event) {
  if (event.id <= last) return;
  last = event.id;
  const row = part("li", event.id > newest ? "new" : "", "");
  row.dataset.testid = "event-row";
  row.dataset.eventId = event.id;
  const at = new Date(event.at);
  const time = part("time", "", at.toLocaleTimeString());
  time.dateTime = event.at;
  time.title = at.toLocaleString();
  row.append(part("span", "id", `#${event.id}`), part("span", "kind", event.kind), time);
  const text = (event.kind === "note" && event.payload?.text) || event.payload;
  if (text !== null) {
    row.append(part("span", "payload", typeof text === "string" ? text : JSON.stringify(text)));
  }
  if (event.user_id) row.append(part("span", "user", `by ${event.user_id}`));
  find("rows").prepend(row);
  while (find("rows").children.length > ROWS) find("rows").lastElementChild.remove();
}

function refuse(sentence) {
  find("refusal").textContent = sentence;
  find("refusal").hidden = !sentence;
}

async function append(text) {
  const response = await fetch(`${base}logs/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ kind: "note", payload: { text } }),
  });
  if (response.ok) return;
  if (response.status === 401) {
    end();
    return;
  }
  const said = await response.json().catch(() => ({}));
  throw new Error(said.message ?? `The sandbox answered ${response.status}. Try again.`);
}

find("note").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const button = submit.target.querySelector("button");
  button.disabled = true;
  refuse("");
  try {
    await append(find("text").value);
    if (find("ended").hidden) find("text").value = "";
  } catch (error) {
    // A TypeError is how fetch says that there was no response at all.
    refuse(error instanceof TypeError ? "The sandbox cannot be reached. Try again." : error.message);
  } finally {
    button.disabled = false;
    find("text").focus();
  }
});

addEventListener("pageshow", (shown) => shown.persisted && follow());
follow();
