import type { AddCommand, LazyCommands } from './group.ts';

const verb = (name: 'cancel' | 'pause' | 'resume') => async (): Promise<AddCommand> => {
  const { addOpVerb } = await import('./op/verb.ts');
  return (parent, context) => addOpVerb(parent, context, name);
};

/** The subcommands of `wcc op`. */
export const opCommands: LazyCommands = {
  ls: async () => (await import('./op/ls.ts')).addOpLs,
  show: async () => (await import('./op/show.ts')).addOpShow,
  watch: async () => (await import('./op/watch.ts')).addOpWatch,
  cancel: verb('cancel'),
  pause: verb('pause'),
  resume: verb('resume'),
  retry: async () => (await import('./op/retry.ts')).addOpRetry,
  log: async () => (await import('./op/log.ts')).addOpLog,
};
