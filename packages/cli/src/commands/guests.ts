import type { LazyCommands } from './group.ts';

/** The subcommand of `wcc guests`. */
export const guestsCommands: LazyCommands = {
  stop: async () => (await import('./guests/stop.ts')).addGuestsStop,
};
