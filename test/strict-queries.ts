import { Worker } from 'node:worker_threads';
import { afterAll } from 'vitest';

/**
 * Set-up of every test file: every statement that the server sends to its database thread in this process is explained.
 * The file fails if a statement reads all rows of a table that grows.
 */
const statements = new Map<string, string>();
// oxlint-disable-next-line typescript/unbound-method -- called below with its worker
const post = Worker.prototype.postMessage;

interface Message {
  kind?: unknown;
  sql?: unknown;
  batch?: readonly { sql?: unknown }[];
}

Worker.prototype.postMessage = function postMessage(
  this: Worker,
  ...args: Parameters<Worker['postMessage']>
) {
  const message = args[0] as Message | null;
  if (message?.kind === 'read' || message?.kind === 'write') {
    for (const { sql } of message.batch ?? [message])
      if (typeof sql === 'string' && !statements.has(sql))
        statements.set(sql, callerOf(new Error('here').stack));
  }
  post.apply(this, args);
};
Error.stackTraceLimit = 50;

/** The part of the server that sent a statement; empty for the statements of tests. */
function callerOf(stack = ''): string {
  const isServer = (line: string): boolean => /packages\/server\/src\/(?!storage\/)/.test(line);
  return (
    stack
      .split('\n')
      .find((line) => isServer(line) && !/\.(test|testkit)\.ts/.test(line))
      ?.trim() ?? ''
  );
}

afterAll(async () => {
  // The next file may run in the same process, with its own record.
  Worker.prototype.postMessage = post;
  const own = [...statements].filter(([, caller]) => caller !== '');
  if (own.length === 0) return;
  const { QueryPlans } = await import('./kit/query-plans.ts');
  const plans = new QueryPlans();
  const slow = own.flatMap(([sql, caller]) =>
    plans.problemsOf(sql).map((problem) => `${problem}\n  ${sql}\n  ${caller}`),
  );
  plans.close();
  if (process.env['WCC_SHOW_QUERIES']) console.log(own.map(([sql, caller]) => `${caller} ${sql}`).join('\n'));
  if (slow.length > 0)
    throw new Error(`D9: statements that become slow with a long history:\n${slow.join('\n')}`);
});
