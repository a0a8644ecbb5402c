// Events as people read them.

// "passkey_added" reads "Passkey added".
export function words(event) {
  const text = event.replaceAll(/[._-]+/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
