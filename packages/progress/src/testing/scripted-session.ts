import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '@wcc/progress';
import type { ClientMessage, Hello } from '@wcc/progress/protocol';
import { closeCodes, defaultLimits, protocolVersion } from '@wcc/progress/protocol';
import { scriptedOperation, scriptedSnapshot } from './scripted-snapshot.ts';
import { ScriptedServer } from './scripted-server.ts';
import type { ScriptedSocket } from './scripted-server.ts';

/** Options of {@link startScriptedSession}. */
export interface ScriptedSessionOptions {
  /** Maximum wait for the client's next step, in milliseconds. @default 20000 */
  stepMs?: number;
}

/** The result of a scripted session. */
export interface ScriptedVerdict {
  /** Violations of docs/protocol.md by the client; empty if there are none. */
  failures: readonly string[];
  /** Handshakes that the client made. */
  attempts: number;
}

/**
 * A server with a fixed session for one client, written in any language. The session has updates, an older snapshot,
 * a lost connection, a refused ticket, a resume, a shutdown, a restart with a new epoch, and the end.
 */
export interface ScriptedSession {
  /** The server's address. `POST <baseUrl>/api/ws-tickets` issues a ticket to any client; the socket is at `/api/ws`. */
  readonly baseUrl: string;
  /** Address of the socket: `ws://…/api/ws`. */
  readonly url: string;
  /** Id of the operation that the client must watch by name. */
  readonly operation: string;
  /** The snapshots that a correct client accepts, in this order. */
  readonly taken: readonly Snapshot[];
  /** Resolves after the last step, or if the client did not take its next step in time. */
  readonly finished: Promise<ScriptedVerdict>;
  /** Ends the server of the session. */
  close(): Promise<void>;
}

const defaultStepMs = 20_000;
const byeMs = 1500;
/** Tolerance for the timers and clocks of two processes. */
const byeToleranceMs = 100;
/** How long the session waits for a client that reconnects although its session ended. */
const quietMs = 1500;

const first = scriptedSnapshot({ epoch: 'e1', seq: 1, done: 10 });
const older = scriptedSnapshot({ epoch: 'e1', seq: 2, done: 20 });
const newer = scriptedSnapshot({ epoch: 'e1', seq: 3, done: 30 });
const resumed = scriptedSnapshot({ epoch: 'e1', seq: 4, done: 40 });
const restarted = scriptedSnapshot({ epoch: 'e2', seq: 1, done: 35 });
const end = scriptedSnapshot({ epoch: 'e2', seq: 2, done: 100, state: 'succeeded' });

/** Starts the server on a free port of the loopback address. The session starts with the first handshake. */
export async function startScriptedSession(options: ScriptedSessionOptions = {}): Promise<ScriptedSession> {
  const server = new ScriptedServer(options.stepMs ?? defaultStepMs);
  await server.open();
  const script = new Script(server);
  return {
    baseUrl: `http://127.0.0.1:${server.port}`,
    url: `ws://127.0.0.1:${server.port}/api/ws`,
    operation: scriptedOperation,
    taken: [first, newer, resumed, restarted, end],
    finished: script.play(),
    close: () => server.close(),
  };
}

type Version = { epoch: string; seq: number } | null;

/** The steps of the session, each with one connection, and the failures found. */
class Script {
  readonly #server: ScriptedServer;
  readonly #failures: string[] = [];
  readonly #usedTickets = new Set<string>();
  #attempts = 0;

  constructor(server: ScriptedServer) {
    this.#server = server;
  }

  async play(): Promise<ScriptedVerdict> {
    try {
      await this.#sendUpdates();
      await this.#refuseTicket();
      await this.#resume();
      await this.#restart();
      await this.#end();
    } catch (error) {
      this.#failures.push(error instanceof Error ? error.message : String(error));
    }
    return { failures: this.#failures, attempts: this.#attempts };
  }

  async #sendUpdates(): Promise<void> {
    const socket = await this.#acceptClient('e1');
    await this.#answerSubscription(socket, null);
    socket.send({ t: 'ops', d: [first] });
    socket.send({ t: 'weather', wind: 'of a later version' });
    socket.send({ t: 'hb', now: Date.now() });
    socket.send({ t: 'ops', d: [newer] });
    socket.send({ t: 'ops', d: [older] });
    await socket.ping('1');
    socket.cut();
  }

  /** Refuses an unused ticket. The client must request another ticket for the next attempt. */
  async #refuseTicket(): Promise<void> {
    const attempt = await this.#server.nextHandshake();
    this.#checkTicket(attempt.ticket);
    attempt.refuse(401);
  }

  async #resume(): Promise<void> {
    const socket = await this.#acceptClient('e1');
    await this.#answerSubscription(socket, newer);
    socket.send({ t: 'ops', d: [resumed] });
    await socket.ping('2');
    socket.send({ t: 'bye', code: closeCodes.shutdown, ms: byeMs });
    socket.close(closeCodes.shutdown);
  }

  async #restart(): Promise<void> {
    const saidByeAtMs = performance.now();
    const attempt = await this.#server.nextHandshake();
    const waitedMs = attempt.atMs - saidByeAtMs;
    if (waitedMs < byeMs - byeToleranceMs)
      this.#failures.push(
        `after "bye" the client reconnected after ${Math.round(waitedMs)} ms instead of ${byeMs} ms`,
      );
    this.#checkTicket(attempt.ticket);
    const socket = await attempt.accept();
    socket.send(greeting('e2'));
    await this.#answerSubscription(socket, resumed);
    // `done` is lower than before the restart, but the snapshot is newer because its epoch is new.
    socket.send({ t: 'ops', d: [restarted] });
    await socket.ping('3');
    socket.cut();
  }

  async #end(): Promise<void> {
    const socket = await this.#acceptClient('e2');
    await this.#answerSubscription(socket, restarted);
    socket.send({ t: 'ops', d: [end] });
    // A client may disconnect once it has the terminal snapshot. Otherwise the server ends its session.
    await socket.ping('4');
    socket.close(closeCodes.sessionEnded);
    await sleep(quietMs);
    if (this.#server.handshakes.length > 0)
      this.#failures.push(`the client reconnected after ${closeCodes.sessionEnded}`);
  }

  async #acceptClient(epoch: string): Promise<ScriptedSocket> {
    const attempt = await this.#server.nextHandshake();
    this.#checkTicket(attempt.ticket);
    const socket = await attempt.accept();
    socket.send(greeting(epoch));
    return socket;
  }

  /** Waits for the subscription, checks that it names the snapshot the client holds, and answers it. */
  async #answerSubscription(socket: ScriptedSocket, latest: Version): Promise<void> {
    const asked = await socket.subscription();
    const named = 'ops' in asked ? asked.ops.find(({ op }) => op === scriptedOperation) : undefined;
    if (named === undefined)
      throw new Error(`expected a subscription to ${scriptedOperation}, received ${toJson(asked)}`);
    const expected = latest === null ? undefined : `${latest.epoch}:${latest.seq}`;
    const said = named.epoch === undefined ? undefined : `${named.epoch}:${named.seq}`;
    if (said !== expected)
      this.#failures.push(`the client holds ${expected ?? 'nothing'}, but named ${said ?? 'nothing'}`);
    socket.send({ t: 'ok', id: asked.id, res: [{ op: scriptedOperation, ...(latest && { cur: true }) }] });
  }

  #checkTicket(ticket: string | null): void {
    this.#attempts += 1;
    if (ticket === null || !this.#server.tickets.has(ticket))
      this.#failures.push(`handshake ${this.#attempts} offered no issued ticket, or not "wcc.v1"`);
    else if (this.#usedTickets.has(ticket))
      this.#failures.push(`handshake ${this.#attempts} used a ticket twice`);
    if (ticket !== null) this.#usedTickets.add(ticket);
  }
}

function greeting(epoch: string): Hello {
  const { messageBytes: msg, subscriptions: subs } = defaultLimits;
  return {
    t: 'hello',
    v: protocolVersion,
    conn: 'scripted',
    epoch,
    hb: 8,
    limits: { msg, subs, hz: 10 },
    exp: null,
  };
}

const toJson = (message: ClientMessage): string => JSON.stringify(message);
