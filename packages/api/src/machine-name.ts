/** A letter or digit, then letters, digits, dot, underscore and hyphen; at most 63 in all. Safe in argv, paths and XML. */
export const machineNamePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isMachineName(text: string): boolean {
  return machineNamePattern.test(text);
}
