import { CopyError } from './errors.ts';
import type { CopyErrorCode } from './errors.ts';

/** A CopyError as plain data for another thread: structured clone drops the class and fields of an error. */
export interface WireError {
  code: CopyErrorCode;
  path: string | null;
  offset: number | null;
  detail: string | null;
  hint: string;
  resumable: boolean;
  cause: {
    name: string;
    message: string;
    stack: string | undefined;
    fields: Record<string, string | number>;
  } | null;
}

export function packError(error: CopyError): WireError {
  const { code, path, offset, detail, hint, resumable, cause } = error;
  return {
    code,
    path,
    offset,
    detail,
    hint,
    resumable,
    cause: cause instanceof Error ? packCause(cause) : null,
  };
}

function packCause(cause: Error): WireError['cause'] {
  const fields: Record<string, string | number> = {};
  for (const [key, value] of Object.entries(cause)) {
    if (typeof value === 'string' || typeof value === 'number') fields[key] = value;
  }
  return { name: cause.name, message: cause.message, stack: cause.stack, fields };
}

export function unpackError({ code, path, offset, detail, hint, resumable, cause }: WireError): CopyError {
  return new CopyError(code, {
    path,
    offset,
    hint,
    resumable,
    ...(detail === null ? {} : { detail }),
    ...(cause === null ? {} : { cause: unpackCause(cause) }),
  });
}

function unpackCause({ name, message, stack, fields }: NonNullable<WireError['cause']>): Error {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return Object.assign(cause, { name }, fields);
}
