import type { Snapshot } from '@wcc/progress';
import type { Context } from '../runtime/context.ts';
import { CliError, endError } from '../runtime/errors.ts';
import type { Server } from '../server/server.ts';
import type { FollowOptions } from './operation-follower.ts';
import { withResolvers } from './with-resolvers.ts';

/** Follows an operation to its end. @throws CliError if it did not succeed, or on Ctrl-C */
export async function followToEnd(
  context: Context,
  server: Server,
  options: FollowOptions,
): Promise<Snapshot> {
  // Loads the sockets only now, because most commands do not follow.
  const { OperationFollower } = await import('./operation-follower.ts');
  const follower = new OperationFollower(context, server, options);
  const { interrupt } = context;
  const { promise: stopped, reject } = withResolvers<never>();
  const onInterrupt = (): void => reject(detachedError(context, options.operation.id));
  if (interrupt.aborted) onInterrupt();
  interrupt.addEventListener('abort', onInterrupt);
  try {
    const snapshot = await Promise.race([follower.end, stopped]);
    if (snapshot.state !== 'succeeded') throw endError(snapshot);
    return snapshot;
  } finally {
    interrupt.removeEventListener('abort', onInterrupt);
    follower.stop();
  }
}

/** The error after Ctrl-C, which stops watching but not the work on the server. */
function detachedError({ interrupt }: Context, id: string): CliError {
  const reason: unknown = interrupt.reason;
  const exit = reason instanceof CliError ? reason.exit : 'interrupted';
  return new CliError(exit, 'Stopped watching. The work on the server continues.', {
    hint: `Watch it: wcc op watch ${id}   Cancel it: wcc op cancel ${id}`,
  });
}
