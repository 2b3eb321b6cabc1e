const versionFields: ReadonlySet<string> = new Set(['epoch', 'seq', 'at']);

/** Fields that change with time alone. If only these differ, watchers receive one snapshot a second. */
const timeFields: ReadonlySet<string> = new Set([
  ...versionFields,
  'elapsedMs',
  'sinceProgressMs',
  'etaMs',
  'rate',
]);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function equal(a: unknown, b: unknown, ignored: ReadonlySet<string>): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => ignored.has(key) || (key in b && equal(a[key], b[key], ignored)));
}

/** True if only times and the version differ. */
export function isSameExceptTimes(a: object, b: object): boolean {
  return equal(a, b, timeFields);
}

/** True if only the version differs. */
export function isSame(a: object, b: object): boolean {
  return equal(a, b, versionFields);
}
