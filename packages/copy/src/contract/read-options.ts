import { CopyError } from './errors.ts';
import { nearestName } from './nearest-name.ts';

/** Checks the value of one option and fills in its default. `name` is the option's name in messages. */
export type Reader<T> = (value: unknown, name: string) => T;

/** One reader for each option of a function. */
export type Readers<T> = { readonly [Name in keyof T]: Reader<T[Name]> };

/**
 * Checks all options of a function. Every exported function uses it, so that each wrong option is reported in the same
 * way.
 * @throws CopyError `invalid_option` for an unknown name or a wrong value
 */
export function readOptions<T extends object>(given: unknown, readers: Readers<T>, parent = ''): T {
  const values = assertObject(given === undefined ? {} : given, parent === '' ? 'options' : parent);
  const names = Object.keys(readers);
  const prefix = parent === '' ? '' : `${parent}.`;
  for (const name of Object.keys(values)) {
    if (!names.includes(name)) throwUnknown(`${prefix}${name}`, nearestName(name, names), names);
  }
  const read = Object.entries<Reader<unknown>>(readers as Record<string, Reader<unknown>>).map(
    ([name, check]) => [name, check(values[name], `${prefix}${name}`)],
  );
  return Object.fromEntries(read) as T;
}

function assertObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  return throwWrong(name, 'an object', value);
}

function throwUnknown(name: string, near: string | null, names: readonly string[]): never {
  const guess = near === null ? '' : `; did you mean "${near}"?`;
  throw new CopyError('invalid_option', {
    detail: `unknown option "${name}"${guess}`,
    hint: near === null ? `The options are ${names.join(', ')}.` : `Use the option "${near}".`,
  });
}

/** @throws CopyError `invalid_option`, which names the option, the values allowed and the value given */
export function throwWrong(name: string, expected: string, value: unknown): never {
  throw new CopyError('invalid_option', {
    detail: `${name} must be ${expected}, not ${describeValue(value)}`,
    hint: `Pass ${expected} as ${name}.`,
  });
}

const maxShownLength = 60;

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text;
}

/** A boolean. */
export function flag(byDefault: boolean): Reader<boolean> {
  return (value, name) => {
    if (value === undefined) return byDefault;
    return typeof value === 'boolean' ? value : throwWrong(name, 'true or false', value);
  };
}

/** One of several words. */
export function oneOf<T extends string>(allowed: readonly T[], byDefault: T): Reader<T> {
  const expected = allowed.map((word) => `"${word}"`).join(' or ');
  return (value, name) => {
    if (value === undefined) return byDefault;
    return allowed.find((word) => word === value) ?? throwWrong(name, expected, value);
  };
}

/** A finite number with a lower bound. */
export function atLeast(least: number, byDefault?: number): Reader<number> {
  return (value, name) => {
    if (value === undefined && byDefault !== undefined) return byDefault;
    if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value;
    return throwWrong(name, `a number of at least ${least}`, value);
  };
}

/** An integer from 0 to `most`. */
export function integer(most: number, byDefault?: number): Reader<number> {
  return (value, name) => {
    if (value === undefined && byDefault !== undefined) return byDefault;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
    return throwWrong(name, `an integer from 0 to ${most}`, value);
  };
}

/** Null or a text. */
export function textOrNull(): Reader<string | null> {
  return (value, name) => {
    if (value === undefined || value === null) return null;
    return typeof value === 'string' ? value : throwWrong(name, 'a string', value);
  };
}

/** Null (the default), or what another reader accepts. */
export function orNull<T>(reader: Reader<T>): Reader<T | null> {
  return (value, name) => (value === undefined || value === null ? null : reader(value, name));
}

/** Undefined (the default), or what another reader accepts. */
export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, name) => (value === undefined ? undefined : reader(value, name));
}

/** A list; each item is read by the same reader. */
export function listOf<T>(reader: Reader<T>): Reader<T[]> {
  return (value, name) => {
    if (value === undefined) return [];
    if (!Array.isArray(value)) return throwWrong(name, 'an array', value);
    return value.map((item: unknown, index) => reader(item, `${name}[${index}]`));
  };
}

/** An object with options of its own. */
export function nested<T extends object>(readers: Readers<T>): Reader<T> {
  return (value, name) => readOptions(value, readers, name);
}

/** A function. */
export function callback<T extends (...values: never[]) => unknown>(): Reader<T | undefined> {
  return optional((value, name) =>
    typeof value === 'function' ? (value as T) : throwWrong(name, 'a function', value),
  );
}

/** An AbortSignal, also one of another realm. */
export function abortSignal(): Reader<AbortSignal | undefined> {
  return optional((value, name) => {
    const isSignal =
      typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;
    return isSignal ? (value as AbortSignal) : throwWrong(name, 'an AbortSignal', value);
  });
}
