// The browser's side of a passkey ceremony, in the JSON that the server speaks.

export class PasskeyError extends Error {
  constructor(reason, detail = "") {
    super(detail);
    this.name = "PasskeyError";
    this.reason = reason;
  }
}

// Why no passkey can be used on this page, or null.
export function obstacle() {
  if (!window.isSecureContext) return new PasskeyError("insecure");
  if (!window.PublicKeyCredential) return new PasskeyError("unsupported");
  return null;
}

export async function create(options) {
  const ceremony = () => navigator.credentials.create({ publicKey: creationOptions(options) });
  return run(ceremony, options.rp?.id, "not_made");
}

export async function assert(options) {
  const ceremony = () => navigator.credentials.get({ publicKey: requestOptions(options) });
  return run(ceremony, options.rpId, "not_shown");
}

const REASONS = {
  InvalidStateError: "known",
  SecurityError: "address",
  NotSupportedError: "unfit",
  ConstraintError: "unfit",
};

// A cancelled prompt and one that ran out of time look the same, on purpose.
const CANCELLED = ["NotAllowedError", "AbortError"];

async function run(ceremony, rpId, cancelled) {
  const blocked = obstacle();
  if (blocked) throw blocked;
  try {
    return toJSON(await ceremony());
  } catch (error) {
    const reason = CANCELLED.includes(error.name) ? cancelled : (REASONS[error.name] ?? "broken");
    throw new PasskeyError(reason, reason === "address" ? rpId : error.message);
  }
}

function creationOptions(options) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) {
    return PublicKeyCredential.parseCreationOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: descriptors(options.excludeCredentials),
  };
}

function requestOptions(options) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) {
    return PublicKeyCredential.parseRequestOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
  };
}

const descriptors = (list = []) => list.map((item) => ({ ...item, id: bytes(item.id) }));

function toJSON(credential) {
  if (credential.toJSON) return credential.toJSON();
  const { response } = credential;
  const json = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) json[name] = text(response[name]);
  }
  if (response.getTransports) json.transports = response.getTransports();
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: json,
  };
}

// base64url without padding, both ways.

function bytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
