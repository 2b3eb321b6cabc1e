import type { Operation } from '@wcc/api';
import type { ConnectionStatus, ProgressClient } from '@wcc/progress/client';
import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { Display, TerminalLine } from '@wcc/progress/terminal';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';
import { jsonLine } from '../output/json.ts';
import { operationLine } from '../output/operation-text.ts';
import type { Server } from '../server/server.ts';
import { watchServer } from '../server/watch.ts';
import { createProgressOutput } from './progress-output.ts';
import { withResolvers } from './with-resolvers.ts';

export interface FollowOptions {
  operation: Operation;
  json: boolean;
  /** Maximum time without a connection to the server. */
  giveUpAfterMs: number;
}

const redrawMs = 1000;
const firstConnectionMs = 2000;

/** Watches one operation through the socket and shows its progress until its end or `stop`. */
export class OperationFollower {
  readonly output: Display | null;
  /** The terminal snapshot. Rejects with a `CliError` if watching is no longer possible. */
  readonly end: Promise<Snapshot>;
  readonly #context: Context;
  readonly #options: FollowOptions;
  readonly #client: ProgressClient;
  readonly #listeners: ((snapshot: Snapshot) => void)[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #resolve: (snapshot: Snapshot) => void;
  readonly #reject: (error: Error) => void;
  #latest: Snapshot;
  #receivedAtMs = performance.now();

  constructor(context: Context, server: Server, options: FollowOptions) {
    this.#context = context;
    this.#options = options;
    this.output = options.json ? null : createProgressOutput(context);
    const { promise, resolve, reject } = withResolvers<Snapshot>();
    [this.end, this.#resolve, this.#reject] = [promise, resolve, reject];
    // A caller that only calls `stop` does not handle the rejection.
    promise.catch(() => undefined);
    const { may: _may, ...snapshot } = options.operation;
    this.#latest = snapshot;
    this.#client = watchServer(server, (error) => reject(error));
    this.#client.offer(snapshot);
    this.#client.watch(snapshot.id, (newer) => this.#onSnapshot(newer));
    this.#client.onGone((id) => id === snapshot.id && reject(goneError()));
    this.#client.onStatus((status) => this.#onStatus(status));
    this.#timer = setInterval(() => this.#tick(), redrawMs);
  }

  get latest(): Snapshot {
    return this.#latest;
  }

  /** Calls the listener at once with the newest snapshot, then with every newer one. */
  onSnapshot(listener: (snapshot: Snapshot) => void): void {
    this.#listeners.push(listener);
    listener(this.#latest);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.output?.clear();
    this.#client.close();
  }

  #onSnapshot(snapshot: Snapshot): void {
    this.#latest = snapshot;
    this.#receivedAtMs = performance.now();
    if (this.#options.json) this.#context.stdout.write(jsonLine(snapshot));
    this.#draw();
    for (const listener of this.#listeners) listener(snapshot);
    if (isTerminal(snapshot.state)) this.#resolve(snapshot);
  }

  #onStatus({ state, code }: ConnectionStatus): void {
    if (state === 'signed_out') this.#reject(signedOutError());
    if (state === 'stopped') this.#reject(refusedError(code ?? 'unknown'));
  }

  #tick(): void {
    const { state, sinceMs } = this.#client.status;
    if (state !== 'online' && sinceMs > this.#options.giveUpAfterMs) {
      this.#reject(unreachableError(this.#latest.id));
    }
    this.#draw();
  }

  #draw(): void {
    if (isTerminal(this.#latest.state)) return;
    const { state, sinceMs } = this.#client.status;
    // The first connection attempt does not count as offline.
    const isOnline = state === 'online' || (state === 'connecting' && sinceMs < firstConnectionMs);
    this.output?.show([
      lineOf(this.#latest, { isOnline, sinceReceiptMs: performance.now() - this.#receivedAtMs }),
    ]);
  }
}

function lineOf(snapshot: Snapshot, receipt: { isOnline: boolean; sinceReceiptMs: number }): TerminalLine {
  const { isOnline, sinceReceiptMs } = receipt;
  const line = operationLine(snapshot, { connection: isOnline ? 'online' : 'offline', sinceReceiptMs });
  return isOnline ? line : { ...line, parts: [...line.parts, 'no connection to the server'] };
}

const goneError = (): CliError =>
  new CliError('not_found', 'The operation was deleted, or you may no longer see it.');

const signedOutError = (): CliError =>
  new CliError('forbidden', 'You are no longer signed in.', { hint: 'Sign in: wcc login URL' });

const refusedError = (code: string): CliError =>
  new CliError('failed', `The server refused the connection (${code}).`, { code });

const unreachableError = (id: string): CliError =>
  new CliError('unreachable', 'The server was unreachable for too long.', {
    hint: `The work may continue. Check: wcc op watch ${id}`,
  });
