/** Linux errno numbers that Node has no name for; it calls them "Unknown system error -122". */
const unnamedErrnos: Readonly<Record<number, string>> = {
  117: 'EUCLEAN',
  121: 'EREMOTEIO',
  122: 'EDQUOT',
};

/** The errno name of a system call's error, e.g. `ENOSPC`; null for any other error. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const errno = 'errno' in error && typeof error.errno === 'number' ? Math.abs(error.errno) : 0;
  return unnamedErrnos[errno] ?? error.code;
}

/** @param code an errno name, e.g. `ENOENT` */
export function hasErrorCode(error: unknown, code: string): boolean {
  return errnoOf(error) === code;
}

/** For `catch`: returns `undefined` for a missing file and rethrows every other error. */
export function ignoreMissing(error: unknown): undefined {
  if (!hasErrorCode(error, 'ENOENT')) throw error;
}
