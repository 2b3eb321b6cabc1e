import { ApiError, errorRegistry } from '@wcc/api';
import type { ApiErrorOptions, ErrorCode } from '@wcc/api';
import { toWorkFailure as copyFailure } from '../../operations/failure.ts';
import { WorkFailure } from '../../operations/failure.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import type { HypervisorErrorCode } from '../hypervisor/hypervisor-error.ts';

/** The drivers' codes in the words of the API. */
const apiCodes: Readonly<Record<HypervisorErrorCode, ErrorCode>> = {
  packages_missing: 'hypervisor_missing',
  unavailable: 'hypervisor_unavailable',
  unknown_machine: 'hypervisor_failed',
  foreign_machine: 'vm_foreign',
  invalid_state: 'invalid_state',
  invalid_spec: 'invalid_input',
  name_taken: 'vm_name_taken',
  unsupported: 'hypervisor_failed',
  start_failed: 'hypervisor_failed',
  no_answer: 'hypervisor_failed',
  aborted: 'hypervisor_failed',
  failed: 'hypervisor_failed',
};

/** What an HTTP answer says of a driver's error; everything else passes through. */
export function toApiError(error: unknown): unknown {
  if (!(error instanceof HypervisorError)) return error;
  const code = apiCodes[error.code];
  return new ApiError(code, { ...textsOf(code, error), cause: error });
}

function textsOf(code: ErrorCode, error: HypervisorError): ApiErrorOptions {
  if (code === 'hypervisor_missing') return describeMissingPackages(error.packages);
  if (code === 'hypervisor_failed') {
    const message = error.detail === null ? error.message : `${error.message} ${firstLine(error.detail)}`;
    return { message, hint: error.hint };
  }
  return code === 'invalid_state' ? { message: error.message } : {};
}

export function describeMissingPackages(packages: readonly string[]): { message: string; hint: string } {
  const { message } = errorRegistry.hypervisor_missing;
  if (packages.length === 0) return { message, hint: errorRegistry.hypervisor_missing.hint };
  const names = packages.join(' ');
  return {
    message: `${message} Packages to install: ${names}.`,
    hint: `Run "apt install ${names}", then restart wcc; everything about images works without.`,
  };
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, 300) ?? '';
}

const codesByErrno: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'quota',
  EEXIST: 'exists',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'read_only',
  EFBIG: 'too_large',
  EIO: 'io_error',
};

/** The bad end of a machine's making, whatever threw. */
export function toWorkFailure(error: unknown, sourcePath: string): unknown {
  if (error instanceof WorkFailure) return error;
  if (error instanceof HypervisorError) {
    const refusal = toApiError(error) as ApiError;
    return failed(refusal.code, {
      message: refusal.message,
      hint: refusal.hint,
      detail: error.detail,
      error,
    });
  }
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  const code = error instanceof ApiError ? undefined : codesByErrno[errno];
  if (code === undefined) return copyFailure(error, { sourcePath });
  const { message, hint } = errorRegistry[code];
  return failed(code, { message, hint, detail: null, error });
}

interface Words {
  message: string;
  hint: string;
  detail: string | null;
  error: unknown;
}

function failed(code: ErrorCode, { message, hint, detail, error }: Words): WorkFailure {
  return new WorkFailure('failed', { error: { code, message, hint, detail }, cause: error });
}
