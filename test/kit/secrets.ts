const issued = new Set<string>();

/** Records a secret issued in this run, so that logs can be searched for it later. */
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
