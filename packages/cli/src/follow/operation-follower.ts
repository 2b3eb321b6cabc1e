import type { Operation } from '@wcc/api';
import type { ConnectionStatus, ProgressClient } from '@wcc/progress/client';
import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';
import { line } from '../output/json.ts';
import type { Server } from '../server/server.ts';
import { watchServer } from '../server/watch.ts';
import { keyOf, lineOf } from './line.ts';
import type { Show } from './progress-output.ts';
import { createShow } from './progress-output.ts';
import { withResolvers } from './with-resolvers.ts';

export interface FollowOptions {
  operation: Operation;
  json: boolean;
  /** The server may be away for so long. */
  giveUpAfterMs: number;
}

const redrawMs = 1000;
const firstConnectionMs = 2000;

/** One operation, watched by the socket and shown until its end or until `stop`. */
export class Following {
  readonly show: Show | null;
  /** The terminal record. Rejects with a `CliError` when watching has no point any more. */
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
    this.show = options.json ? null : createShow(context);
    const { promise, resolve, reject } = withResolvers<Snapshot>();
    [this.end, this.#resolve, this.#reject] = [promise, resolve, reject];
    // Whoever only stops it does not wait for its end.
    promise.catch(() => undefined);
    const { may: _may, ...snapshot } = options.operation;
    this.#latest = snapshot;
    this.#client = watchServer(server);
    this.#client.offer(snapshot);
    this.#client.watch(snapshot.id, (newer) => this.#take(newer));
    this.#client.onGone((id) => id === snapshot.id && reject(gone()));
    this.#client.onStatus((status) => this.#takeStatus(status));
    this.#timer = setInterval(() => this.#tick(), redrawMs);
  }

  get latest(): Snapshot {
    return this.#latest;
  }

  /** Calls with the newest record at once, then with every newer one. */
  onSnapshot(listener: (snapshot: Snapshot) => void): void {
    this.#listeners.push(listener);
    listener(this.#latest);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.show?.end();
    this.#client.close();
  }

  #take(snapshot: Snapshot): void {
    this.#latest = snapshot;
    this.#receivedAtMs = performance.now();
    if (this.#options.json) this.#context.stdout.write(line(snapshot));
    this.#draw();
    for (const listener of this.#listeners) listener(snapshot);
    if (isTerminal(snapshot.state)) this.#resolve(snapshot);
  }

  #takeStatus({ state, code }: ConnectionStatus): void {
    if (state === 'signed_out') this.#reject(signedOut());
    if (state === 'stopped') this.#reject(refused(code ?? 'unknown'));
  }

  #tick(): void {
    const { state, sinceMs } = this.#client.status;
    if (state !== 'online' && sinceMs > this.#options.giveUpAfterMs) {
      this.#reject(awayTooLong(this.#latest.id));
    }
    this.#draw();
  }

  #draw(): void {
    if (isTerminal(this.#latest.state)) return;
    const { state, sinceMs } = this.#client.status;
    // A connection that is being made for the first time is no news.
    const isOnline = state === 'online' || (state === 'connecting' && sinceMs < firstConnectionMs);
    const receipt = { isOnline, sinceReceiptMs: performance.now() - this.#receivedAtMs };
    this.show?.update(lineOf(this.#latest, receipt), keyOf(this.#latest, receipt));
  }
}

const gone = (): CliError =>
  new CliError('not_found', 'You may not see this operation any more, or it is gone.');

const signedOut = (): CliError =>
  new CliError('forbidden', 'You are not signed in any more.', { hint: 'Sign in: wcc login URL' });

const refused = (code: string): CliError =>
  new CliError('failed', `The server refuses to be watched (${code}).`, { code });

const awayTooLong = (id: string): CliError =>
  new CliError('unreachable', 'The server could not be reached for too long.', {
    hint: `Its work may go on. Look again: wcc op watch ${id}`,
  });
