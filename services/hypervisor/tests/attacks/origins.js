// Tries to get at other origins in the name of the person who looks at this one.
import { attempt } from "./attack.js";

export async function origins(others) {
  for (const [name, origin] of Object.entries(others)) {
    await attempt(`read ${name}`, async () => (await fetch(`${origin}/secret`, { credentials: "include" })).text());
    await attempt(`ask ${name}`, async () => (await fetch(`${origin}/secret`, { mode: "no-cors", credentials: "include" }), null));
    await attempt(`post to ${name}`, async () => (await fetch(`${origin}/secret`, { method: "POST", mode: "no-cors", credentials: "include" }), null));
    await attempt(`a picture of ${name}`, () => new Promise((done) => {
      const picture = new Image();
      picture.onerror = () => done(null);
      picture.onload = () => done("a picture");
      picture.src = `${origin}/secret`;
    }));
    await attempt(`a WebSocket to ${name}`, () => new Promise((done) => {
      const socket = new WebSocket(`${origin.replace("http", "ws")}/ws`);
      socket.onopen = () => done("open");
      socket.onerror = () => done(null);
    }));
    await attempt(`a frame of ${name}`, () => new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.src = `${origin}/secret`;
      frame.onload = () => setTimeout(done, 500, null);
      document.body.append(frame);
    }));
    await attempt(`a form for ${name}`, () => new Promise((done) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: `${origin}/secret`, target: "elsewhere" });
      document.body.append(form);
      form.submit();
      setTimeout(done, 700, null);
    }));
  }
}
