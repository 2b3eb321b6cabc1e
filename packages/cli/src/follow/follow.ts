import type { Snapshot } from '@wcc/progress';
import type { Context } from '../runtime/context.ts';
import { CliError, endOf } from '../runtime/errors.ts';
import type { Server } from '../server/server.ts';
import type { FollowOptions } from './operation-follower.ts';
import { Following } from './operation-follower.ts';
import { withResolvers } from './with-resolvers.ts';

/** Follows an operation to its end. @throws CliError when it did not succeed, or at Ctrl-C */
export async function followToEnd(
  context: Context,
  server: Server,
  options: FollowOptions,
): Promise<Snapshot> {
  const following = new Following(context, server, options);
  const { interrupt } = context;
  const { promise: stopped, reject } = withResolvers<never>();
  const onInterrupt = (): void => reject(detached(context, options.operation.id));
  if (interrupt.aborted) onInterrupt();
  interrupt.addEventListener('abort', onInterrupt);
  try {
    const snapshot = await Promise.race([following.end, stopped]);
    if (snapshot.state !== 'succeeded') throw endOf(snapshot);
    return snapshot;
  } finally {
    interrupt.removeEventListener('abort', onInterrupt);
    following.stop();
  }
}

/** The work is the server's: leaving ends the watching only. */
function detached({ interrupt }: Context, id: string): CliError {
  const reason: unknown = interrupt.reason;
  const exit = reason instanceof CliError ? reason.exit : 'interrupted';
  return new CliError(exit, 'Not watched any more; the work on the server goes on.', {
    hint: `See it: wcc op watch ${id}   End it: wcc op cancel ${id}`,
  });
}
