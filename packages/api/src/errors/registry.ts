// This file must not import zod, because commands of the command line start without zod.
import { imageErrors } from './image-errors.ts';
import { machineErrors } from './machine-errors.ts';
import { requestErrors } from './request-errors.ts';
import { serverErrors } from './server-errors.ts';
import { uploadErrors } from './upload-errors.ts';

/** One row of the error registry. */
export interface ErrorEntry {
  /** HTTP status. For errors of an operation: the status of a refusal before its start. */
  status: number;
  /** The problem in general; a thrown error may have a more exact message. */
  message: string;
  /** The action that the caller can take. */
  hint: string;
}

/** Every error code of the API and of operations. A test compares `docs/errors.md` with it. */
export const errorRegistry = {
  ...requestErrors,
  ...imageErrors,
  ...machineErrors,
  ...uploadErrors,
  ...serverErrors,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorRegistry;

export const errorCodes = Object.keys(errorRegistry) as ErrorCode[];

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorRegistry, text);
}
