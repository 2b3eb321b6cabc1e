import { ProgressError } from '@wcc/progress';

/** What a call accepts. */
export interface ExpectedOptions {
  /** Functions that must be there. */
  required?: readonly string[];
  /** Functions that may be there. */
  functions?: readonly string[];
  /** Abort signals that may be there. */
  signals?: readonly string[];
  /** All names. @default any name is accepted */
  names?: ReadonlySet<string>;
}

const invalid = (detail: string): ProgressError => new ProgressError('invalid_option', { detail });

/**
 * Finds what a caller without TypeScript gets wrong, at the call and not at the first request.
 * @throws {ProgressError} `invalid_option`
 */
export function assertOptions(options: unknown, expected: ExpectedOptions): void {
  if (typeof options !== 'object' || options === null) throw invalid('the options are not an object');
  const given = options as Record<string, unknown>;
  const { required = [], functions = [], signals = [], names } = expected;
  for (const name of [...required, ...functions.filter((each) => given[each] !== undefined)])
    if (typeof given[name] !== 'function')
      throw invalid(`${name} is a ${typeof given[name]}, not a function`);
  for (const name of signals)
    if (given[name] !== undefined && !isAbortSignal(given[name]))
      throw invalid(`${name} is not an AbortSignal`);
  const unknown = Object.keys(given).find((name) => names?.has(name) === false);
  if (unknown !== undefined) throw invalid(`unknown option "${unknown}"`);
}

/** Also accepts the signals of other realms and libraries. */
function isAbortSignal(value: unknown): boolean {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

/** @throws {ProgressError} `invalid_option` */
export function assertHub(options: unknown): void {
  const { hub } = (options ?? {}) as { hub?: { onChange?: unknown } };
  if (typeof hub?.onChange !== 'function') throw invalid('hub: pass the hub that createHub() returned');
}
