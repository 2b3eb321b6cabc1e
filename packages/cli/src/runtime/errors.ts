import { ApiProblem } from '@wcc/api/client';
import { PinMismatch } from '@wcc/api/pins';
import type { Snapshot } from '@wcc/progress';
import type { ExitName } from './exit-codes.ts';

/** An error that ends the command. The message says what is wrong, the hint what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitName;
  /** Stable code for `--json`: one of the server's registry, or one of the command line. */
  readonly code: string;
  readonly hint: string;

  constructor(
    exit: ExitName,
    message: string,
    options: { code?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.exit = exit;
    this.code = options.code ?? exit;
    this.hint = options.hint ?? '';
  }
}

const exitOfStatus: Readonly<Record<number, ExitName>> = {
  0: 'unreachable',
  401: 'forbidden',
  403: 'forbidden',
  404: 'not_found',
  410: 'not_found',
  502: 'unreachable',
  503: 'unreachable',
  504: 'unreachable',
};

/** The exit code for an HTTP status of the server. */
export function exitOf(status: number): ExitName {
  return exitOfStatus[status] ?? 'failed';
}

/** Turns any thrown value into a `CliError`. An unexpected error keeps its message. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const distrust = toDistrust(error);
  if (distrust !== null) return distrust;
  if (error instanceof ApiProblem) {
    const { code, cause, field } = error;
    const hint = error.status === 401 ? 'Sign in: wcc login URL' : error.hint;
    // Adds the name of the field, because the hint refers to it.
    const message = code === 'invalid_input' && field !== null ? `${field}: ${error.message}` : error.message;
    const exit = code === 'version_mismatch' ? 'failed' : exitOf(error.status);
    return new CliError(exit, message, { code, hint, cause });
  }
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, message: String(error) };
  if (code !== undefined && /^E[A-Z0-9]+$/.test(code)) {
    return new CliError('local_file', message, { code, cause: error });
  }
  return new CliError('failed', message, { code: 'internal', cause: error });
}

/**
 * Runs work on local files, so that a failure of theirs is never taken for one of the network and retried.
 * @throws CliError `local_file`
 */
export async function onLocalFile<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const { code = 'local_file', message } = cause as NodeJS.ErrnoException;
    throw new CliError('local_file', message, { code, cause });
  }
}

/** The error of an operation that failed or was cancelled. */
export function endError(snapshot: Snapshot): CliError {
  if (snapshot.state === 'cancelled') {
    return new CliError('cancelled', 'The operation was cancelled.', { hint: retryHint(snapshot) });
  }
  const { error } = snapshot;
  const message = error?.message ?? 'The operation failed.';
  const hint = error?.hint ?? '';
  return new CliError('failed', message, { code: error?.code ?? 'failed', hint });
}

function retryHint({ id, action }: Snapshot): string {
  return action === 'upload_image' ? '' : `Start it again: wcc op retry ${id}`;
}

/** The error of a server whose key is not the pinned one. */
export function keyChanged({ pins, presented }: PinMismatch, origin: string): CliError {
  const message = `The server has another key. Trusted: ${pins.join(' or ')}. Now: ${presented}.`;
  return new CliError('forbidden', message, {
    code: 'key_changed',
    hint: `Another host may answer in its place. If you know why the key changed: wcc login ${origin} --accept-new-key`,
  });
}

/** Codes of Node for certificates that it does not trust. */
const distrusted =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|ERR_TLS_CERT_ALTNAME_INVALID)$/;

/** The error of a server that is not trusted, in whatever it is wrapped; null for any other error. */
export function toDistrust(error: unknown, origin = 'URL'): CliError | null {
  if (error instanceof PinMismatch) return keyChanged(error, origin);
  if (error instanceof ApiProblem) return toDistrust(error.cause, origin);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!distrusted.test(code)) return null;
  return new CliError('forbidden', `The certificate of the server is not trusted (${code}).`, {
    code: 'untrusted_certificate',
    hint: `Pin its key: wcc login ${origin}   Or name its authority in NODE_EXTRA_CA_CERTS.`,
    cause: error,
  });
}
