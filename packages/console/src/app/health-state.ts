import type { Health } from '@wcc/api';
import type { ApiClient } from '@wcc/api/client';
import type { HealthCode } from '../text/text.ts';
import { LoadedState } from '../ui/loaded-state.ts';

export interface HealthOptions {
  api: Pick<ApiClient, 'health'>;
  /** Whether the user can do something about the server. */
  isAdmin: () => boolean;
  /** Called when a load finds codes that the load before did not find. */
  onFound: (codes: readonly HealthCode[]) => void;
}

/** The health of the server, as last loaded. Empty for users who are not administrators. */
export class HealthState extends LoadedState {
  readonly #options: HealthOptions;
  #codes: readonly HealthCode[] = [];

  constructor(options: HealthOptions) {
    super();
    this.#options = options;
  }

  /** The most severe is first. */
  get codes(): readonly HealthCode[] {
    return this.#options.isAdmin() ? this.#codes : [];
  }

  protected override async fetch(): Promise<void> {
    const codes = this.#options.isAdmin() ? codesOf(await this.#options.api.health()) : [];
    const found = codes.filter((code) => !this.#codes.includes(code));
    this.#codes = codes;
    if (found.length > 0) this.#options.onFound(found);
  }
}

function codesOf({ reasons = [], warnings = [] }: Health): HealthCode[] {
  return [...reasons.map(({ code }) => code), ...warnings];
}
