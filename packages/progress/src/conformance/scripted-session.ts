import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientMessage, Hello, Snapshot } from '@wcc/progress';
import { CLOSE_CODES, LIMITS, PROTOCOL_VERSION } from '@wcc/progress';
import { scriptedOperation, scriptedSnapshot } from './scripted-snapshot.ts';
import { Stage } from './scripted-server.ts';
import type { Line } from './scripted-server.ts';

export interface ScriptedSessionOptions {
  /** Longest wait for the client's next step, in milliseconds. @default 20000 */
  stepMs?: number;
}

export interface ScriptedVerdict {
  /** What the client did against docs/protocol.md; empty for a right one. */
  failures: readonly string[];
  /** Handshakes that the client made. */
  attempts: number;
}

/**
 * A server that plays a fixed session to one client, in whatever language that is written: news, an older snapshot,
 * a cut, a refused ticket, a resume, a shutdown, a restart with another epoch, the end.
 */
export interface ScriptedSession {
  /** The console's address: `POST <baseUrl>/api/ws-tickets` issues tickets to anybody, the socket is at `/api/ws`. */
  readonly baseUrl: string;
  /** `ws://…/api/ws` */
  readonly url: string;
  /** The operation that the client is to watch by name. */
  readonly operation: string;
  /** What a right client takes, in this order; anything else it took was older or twice the same. */
  readonly taken: readonly Snapshot[];
  /** Resolves after the last act, or when the client did not take its next step in time. */
  readonly finished: Promise<ScriptedVerdict>;
  close(): Promise<void>;
}

const defaultStepMs = 20_000;
const byeMs = 1500;
/** Timers and clocks of two processes differ by a little. */
const byeToleranceMs = 100;
/** A client that was signed out and comes back by itself would do it within this. */
const quietMs = 1500;

const first = scriptedSnapshot({ epoch: 'e1', seq: 1, done: 10 });
const older = scriptedSnapshot({ epoch: 'e1', seq: 2, done: 20 });
const newer = scriptedSnapshot({ epoch: 'e1', seq: 3, done: 30 });
const resumed = scriptedSnapshot({ epoch: 'e1', seq: 4, done: 40 });
const restarted = scriptedSnapshot({ epoch: 'e2', seq: 1, done: 35 });
const end = scriptedSnapshot({ epoch: 'e2', seq: 2, done: 100, state: 'succeeded' });

/** Starts the server on a free port of the loopback address; the session begins with the first handshake. */
export async function startScriptedSession(options: ScriptedSessionOptions = {}): Promise<ScriptedSession> {
  const stage = new Stage(options.stepMs ?? defaultStepMs);
  await stage.open();
  const script = new Script(stage);
  return {
    baseUrl: `http://127.0.0.1:${stage.port}`,
    url: `ws://127.0.0.1:${stage.port}/api/ws`,
    operation: scriptedOperation,
    taken: [first, newer, resumed, restarted, end],
    finished: script.play(),
    close: () => stage.close(),
  };
}

type Version = { epoch: string; seq: number } | null;

/** The acts, each of them one connection, and what is noted meanwhile. */
class Script {
  readonly #stage: Stage;
  readonly #failures: string[] = [];
  readonly #used = new Set<string>();
  #attempts = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async play(): Promise<ScriptedVerdict> {
    try {
      await this.#news();
      await this.#refusal();
      await this.#resume();
      await this.#restart();
      await this.#end();
    } catch (error) {
      this.#failures.push(error instanceof Error ? error.message : String(error));
    }
    return { failures: this.#failures, attempts: this.#attempts };
  }

  async #news(): Promise<void> {
    const line = await this.#enter('e1');
    await this.#answer(line, null);
    line.send({ t: 'ops', d: [first] });
    line.send({ t: 'weather', wind: 'of a later version' });
    line.send({ t: 'hb', now: Date.now() });
    line.send({ t: 'ops', d: [newer] });
    line.send({ t: 'ops', d: [older] });
    await line.ping('1');
    line.cut();
  }

  /** A ticket may be refused although it is new: the next attempt needs another one. */
  async #refusal(): Promise<void> {
    const attempt = await this.#stage.attempt();
    this.#check(attempt.ticket);
    attempt.refuse(401);
  }

  async #resume(): Promise<void> {
    const line = await this.#enter('e1');
    await this.#answer(line, newer);
    line.send({ t: 'ops', d: [resumed] });
    await line.ping('2');
    line.send({ t: 'bye', code: CLOSE_CODES.shutdown, ms: byeMs });
    line.close(CLOSE_CODES.shutdown);
  }

  async #restart(): Promise<void> {
    const saidByeAtMs = performance.now();
    const attempt = await this.#stage.attempt();
    const waitedMs = attempt.atMs - saidByeAtMs;
    if (waitedMs < byeMs - byeToleranceMs)
      this.#failures.push(`after "bye" it came back after ${Math.round(waitedMs)} ms instead of ${byeMs} ms`);
    this.#check(attempt.ticket);
    const line = await attempt.accept();
    line.send(greeting('e2'));
    await this.#answer(line, resumed);
    // Behind what was told before the restart, once: the durable point. It is newer, because its epoch is.
    line.send({ t: 'ops', d: [restarted] });
    await line.ping('3');
    line.cut();
  }

  async #end(): Promise<void> {
    const line = await this.#enter('e2');
    await this.#answer(line, restarted);
    line.send({ t: 'ops', d: [end] });
    // Whoever holds the end may leave; whoever stays is told that the session is over.
    await line.ping('4');
    line.close(CLOSE_CODES.sessionEnded);
    await sleep(quietMs);
    if (this.#stage.attempts.length > 0)
      this.#failures.push(`it came back by itself after ${CLOSE_CODES.sessionEnded}`);
  }

  async #enter(epoch: string): Promise<Line> {
    const attempt = await this.#stage.attempt();
    this.#check(attempt.ticket);
    const line = await attempt.accept();
    line.send(greeting(epoch));
    return line;
  }

  /** Waits for the subscription, which has to name what the client holds, and answers it. */
  async #answer(line: Line, held: Version): Promise<void> {
    const asked = await line.subscription();
    const named = 'ops' in asked ? asked.ops.find(({ op }) => op === scriptedOperation) : undefined;
    if (named === undefined)
      throw new Error(`it has to subscribe to ${scriptedOperation}, and said ${show(asked)}`);
    const expected = held === null ? undefined : `${held.epoch}:${held.seq}`;
    const said = named.epoch === undefined ? undefined : `${named.epoch}:${named.seq}`;
    if (said !== expected)
      this.#failures.push(`it holds ${expected ?? 'nothing'}, and said ${said ?? 'nothing'}`);
    line.send({ t: 'ok', id: asked.id, res: [{ op: scriptedOperation, ...(held && { cur: true }) }] });
  }

  #check(ticket: string | null): void {
    this.#attempts += 1;
    if (ticket === null || !this.#stage.tickets.has(ticket))
      this.#failures.push(`handshake ${this.#attempts} offered no ticket that was issued, or not "wcc.v1"`);
    else if (this.#used.has(ticket)) this.#failures.push(`handshake ${this.#attempts} used a ticket twice`);
    if (ticket !== null) this.#used.add(ticket);
  }
}

function greeting(epoch: string): Hello {
  const { messageBytes: msg, subscriptions: subs } = LIMITS;
  return {
    t: 'hello',
    v: PROTOCOL_VERSION,
    conn: 'scripted',
    epoch,
    hb: 8,
    limits: { msg, subs, hz: 10 },
    exp: null,
  };
}

const show = (message: ClientMessage): string => JSON.stringify(message);
