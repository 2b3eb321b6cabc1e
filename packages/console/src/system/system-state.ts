import type { DoctorReport } from '@wcc/api';
import type { ApiClient } from '@wcc/api/client';
import { LoadedState } from '../ui/loaded-state.ts';

/** The last report of the checks. */
export class SystemState extends LoadedState {
  report: DoctorReport | null = null;
  readonly #api: Pick<ApiClient, 'doctor'>;

  constructor(api: Pick<ApiClient, 'doctor'>) {
    super();
    this.#api = api;
  }

  protected async fetch(): Promise<void> {
    this.report = await this.#api.doctor();
  }
}
