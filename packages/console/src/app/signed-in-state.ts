import type { ProgressClient } from '@wcc/progress/client';
import type { ConnectionState } from './connection-state.ts';
import type { HealthState } from './health-state.ts';

/**
 * State that exists while a user is signed in. Each feature adds its own state here by declaration merging, so
 * that this folder imports no feature. `signed-in.ts` builds the complete state.
 */
export interface SignedInState {
  readonly live: ProgressClient;
  readonly connection: ConnectionState;
  readonly health: HealthState;
  /** Reloads data that other users may have changed. Called at each sign-in and after a lost connection. */
  readonly reload: () => void;
}
