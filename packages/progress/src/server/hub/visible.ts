const versionFields: ReadonlySet<string> = new Set(['epoch', 'seq', 'at']);

/** Fields that move by themselves while time passes: alone they are worth a snapshot once a second only. */
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

/** Nothing but times differ. */
export function isSameButTimes(a: object, b: object): boolean {
  return equal(a, b, timeFields);
}

/** Nothing but the version differs. */
export function isSame(a: object, b: object): boolean {
  return equal(a, b, versionFields);
}
