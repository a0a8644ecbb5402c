// Elements, and what they do while something is under way.

import { icon } from "./icons.js";

export const byId = (id) => document.getElementById(id);
export const byTestId = (id) => document.querySelector(`[data-testid="${id}"]`);

// An element. A property that starts with "on" is a listener, any other an attribute; children go
// in as nodes or as text, never as markup.
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

// A button with an icon. `properties.class` is added to the button's own.
export function button(label, iconName, properties = {}) {
  return element(
    "button",
    { type: "button", ...properties, class: `button ${properties.class ?? ""}`.trim() },
    iconName && icon(iconName),
    element("span", {}, label),
  );
}

// Shows that the button's work is under way, and keeps it from being started twice. The focus
// stays: it comes back when the button is enabled again.
export async function busy(node, label, work) {
  const had = [...node.childNodes];
  const focused = document.activeElement === node;
  node.disabled = true;
  node.classList.add("busy");
  node.replaceChildren(element("span", { class: "spinner", "aria-hidden": "true" }), element("span", {}, label));
  try {
    return await work();
  } finally {
    node.replaceChildren(...had);
    node.classList.remove("busy");
    node.disabled = false;
    if (focused && document.activeElement === document.body) node.focus();
  }
}

export async function copy(node, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return flash(node, "Select it and copy by hand");
  }
  flash(node, "Copied", "check");
}

// For a moment, the button says something else. Screen readers hear it too.
function flash(node, label, iconName) {
  const had = [...node.childNodes];
  node.setAttribute("aria-live", "polite");
  node.replaceChildren(...(iconName ? [icon(iconName)] : []), element("span", {}, label));
  setTimeout(() => node.replaceChildren(...had), 1600);
}

// A modal dialog, gone from the page once closed. `build` gets its closer and gives its content.
export function dialog(title, build, properties) {
  return new Promise((resolve) => {
    const node = element("dialog", { "aria-label": title, ...properties });
    const close = (value) => {
      node.close();
      resolve(value);
    };
    node.append(build(close));
    node.addEventListener("close", () => {
      node.remove();
      resolve(undefined);
    });
    document.body.append(node);
    node.showModal();
  });
}

// Asks before something that cannot be undone; true when the person agrees.
export function confirm(title, text, action) {
  return ask(title, [element("p", { class: "muted" }, text)], action, { class: "danger primary", no: "Keep it" });
}

// Says what will happen, perhaps with choices; true when the person wants it.
export function ask(title, parts, action, { class: looks = "primary", no = "Not now" } = {}) {
  return dialog(title, (close) =>
    element(
      "form",
      { onsubmit: (submit) => (submit.preventDefault(), close(true)) },
      element("h2", {}, title),
      parts,
      element(
        "div",
        { class: "dialog-actions" },
        button(no, null, { onclick: () => close(false) }),
        button(action, null, { type: "submit", class: looks, "data-testid": "confirm-button" }),
      ),
    ),
  );
}

let inputs = 0;

// A labelled input of a form.
export function field(label, properties) {
  const id = `field-${(inputs += 1)}`;
  const input = element("input", { class: "input", id, autocomplete: "off", spellcheck: "false", ...properties });
  return { node: element("div", { class: "field" }, element("label", { for: id }, label), input), input };
}

// A box to tick or one of several to pick, with what it means and perhaps what goes with it.
export function choice(label, meaning, properties = {}, ...more) {
  const id = `choice-${(inputs += 1)}`;
  const input = element("input", { type: "checkbox", id, "aria-describedby": meaning && `${id}-means`, ...properties });
  const text = element("div", {}, element("label", { for: id }, label), more, meaning && element("p", { class: "faint", id: `${id}-means` }, meaning));
  return { node: element("div", { class: "choice" }, input, text), input };
}
