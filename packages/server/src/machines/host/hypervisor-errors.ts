import { ApiError, errorRegistry } from '@wcc/api';
import type { ErrorCode } from '@wcc/api';
import { LocatedError } from '../../access/located-error.ts';
import { toWorkFailure, WorkFailure } from '../../operations/failure.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { changedOutside } from './changed-outside.ts';
import type { Places } from './places.ts';
import type { HypervisorErrorCode } from '../hypervisor/hypervisor-error.ts';

/** The drivers' codes → the API's codes. */
const apiCodes: Readonly<Record<HypervisorErrorCode, ErrorCode>> = {
  packages_missing: 'hypervisor_missing',
  unavailable: 'hypervisor_unavailable',
  unknown_machine: 'hypervisor_failed',
  foreign_machine: 'vm_foreign',
  invalid_state: 'invalid_state',
  invalid_spec: 'invalid_input',
  name_taken: 'vm_name_taken',
  unsupported: 'hypervisor_failed',
  changed_outside: 'vm_changed_outside',
  saved_state: 'vm_saved',
  start_failed: 'hypervisor_failed',
  disk_stopped: 'vm_disk_stopped',
  no_answer: 'hypervisor_failed',
  aborted: 'hypervisor_failed',
  failed: 'hypervisor_failed',
};

/** What the texts of a hypervisor pass before they leave the server. */
interface WithPlaces {
  readonly places: Places;
}

/** Calls the hypervisor. @throws ApiError for a HypervisorError; other errors pass through */
export async function mapHypervisorErrors<Result>(
  { places }: WithPlaces,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof HypervisorError ? toApiError(error, places) : error;
  }
}

/** Converts any error of work on a machine to the failure that its operation records, for everyone who may watch it. */
export function toVmFailure({ places }: WithPlaces, error: unknown): WorkFailure {
  if (!(error instanceof HypervisorError)) return toWorkFailure(error);
  // A driver that cannot write its files waits for its disk, as other work does.
  const storage = toWorkFailure(error.cause);
  if (storage.code === 'paused') return storage;
  const { code, message, hint } = toApiError(error, places);
  const detail = error.detail === null ? null : places.hide(error.detail);
  return new WorkFailure('failed', { error: { code, message, hint, detail }, cause: error });
}

/** Message and hint of `hypervisor_missing` with the packages to install. */
export function describeMissingPackages(packages: readonly string[]): { message: string; hint: string } {
  const { message, hint } = errorRegistry.hypervisor_missing;
  if (packages.length === 0) return { message, hint };
  const names = packages.join(' ');
  return {
    message: `${message} Packages to install: ${names}.`,
    hint: `Run "apt install ${names}", then restart wcc. Images work without these packages.`,
  };
}

function toApiError(error: HypervisorError, places: Places): ApiError {
  // The judgement of a disk is exact already.
  if (error.code === 'failed' && error.cause instanceof ApiError) return error.cause;
  if (error.code === 'changed_outside') return changedOutside(error, places);
  const code = apiCodes[error.code];
  if (code === 'hypervisor_missing')
    return new ApiError(code, { ...describeMissingPackages(error.packages), cause: error });
  if (code === 'invalid_state') return new ApiError(code, { message: error.message, cause: error });
  if (code !== 'hypervisor_failed') return new ApiError(code, { cause: error });
  const located = error.detail === null ? error.message : `${error.message} ${oneLine(error.detail)}`;
  return new LocatedError(code, { message: places.hide(located), located, hint: error.hint, cause: error });
}

/** The whole message: its reason is often in the last line. */
function oneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}
