// The JSON API, and the one shape of everything that can go wrong with it.

// Where a path of the gateway is: below the prefix of its pages, if they have one. The API is where
// it is at every gateway: `/api` itself may be a sandbox's.
const prefix = new URL(import.meta.url).pathname.split("/auth/assets/")[0];
export const at = (path) => (path.startsWith("/api/") ? "/.choiros" : prefix) + path;

export class ApiError extends Error {
  constructor(status, code, message, retryAfter = 0) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

async function call(method, path, body) {
  const response = await send(method, path, body);
  const data = await read(response);
  if (response.ok) return data;
  const retryAfter = Number(response.headers.get("retry-after")) || 0;
  throw new ApiError(response.status, data?.error ?? "unexpected", data?.message ?? "", retryAfter);
}

async function send(method, path, body) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(at(path), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
    });
  } catch {
    throw new ApiError(0, "lost_server", "");
  }
}

// A proxy in between answers in HTML when the server is away; that is no response of ours.
async function read(response) {
  try {
    const text = await response.text();
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
