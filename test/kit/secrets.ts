const issued = new Set<string>();

/** Remembers a secret that was issued in this run, so that every log can be searched for it afterwards. */
export function noteSecret(secret: string): string {
  issued.add(secret);
  return secret;
}

/** The secrets that occur in the text. */
export function findSecrets(text: string): string[] {
  return [...issued].filter((secret) => text.includes(secret));
}

export function countSecrets(): number {
  return issued.size;
}
