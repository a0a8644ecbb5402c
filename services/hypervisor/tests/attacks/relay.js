// Asks for a passkey with a challenge that somebody else began, wherever a script can.
async (options) => {
  const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (it) => it.charCodeAt(0));
  const publicKey = { ...options, challenge: decode(options.challenge), allowCredentials: [] };
  const ask = async (where) => {
    const limit = new Promise((done) => setTimeout(done, 4000, "nothing came"));
    try {
      const got = where.navigator.credentials.get({ publicKey }).then((it) => (it ? "a passkey" : "none"));
      return await Promise.race([got, limit]);
    } catch (error) {
      return String(error.name ?? error);
    }
  };
  const loaded = (frame) => new Promise((done) => ((frame.onload = done), setTimeout(done, 1500)));
  const framed = async (attributes) => {
    const frame = Object.assign(document.createElement("iframe"), { allow: "publickey-credentials-get *", ...attributes });
    const there = loaded(frame);
    document.body.append(frame);
    await there;
    return ask(frame.contentWindow);
  };
  const opened = async (url) => {
    const popup = window.open(url);
    await new Promise((over) => setTimeout(over, 1000));
    return popup?.navigator ? ask(popup) : "no window";
  };
  const blob = () => URL.createObjectURL(new Blob(["<p>blob</p>"], { type: "text/html" }));
  return {
    here: await ask(window),
    "an empty frame": await framed({}),
    "a frame of its own words": await framed({ srcdoc: "<p>words</p>" }),
    "a frame of a blob": await framed({ src: blob() }),
    "a frame of /health": await framed({ src: "/health" }),
    "a window of /health": await opened("/health"),
    "a window of JSON": await opened("/auth/me"),
  };
}
