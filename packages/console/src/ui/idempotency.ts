/**
 * Returns idempotency keys, one per distinct request. A repeated request after a double click or a lost
 * answer starts one operation; a changed request starts another.
 */
export function createKeys(): (body: unknown) => string {
  const keys = new Map<string, string>();
  return (body) => {
    const text = JSON.stringify(body);
    const key = keys.get(text) ?? randomKey();
    keys.set(text, key);
    return key;
  };
}

/** `crypto.randomUUID` is missing on plain http; `getRandomValues` is not. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
