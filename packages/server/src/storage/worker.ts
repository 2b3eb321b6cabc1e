import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import type { Connection } from './connection-type.ts';
import { openOnAnyDisk } from './open-database.ts';
import type { StoreErrorCode } from './errors.ts';
import { isDamage, sqliteCodeOf, StoreError, wantsSpace } from './errors.ts';
import { soundCondition } from './messages.ts';
import type { StoreRequest, StoreResponse, WorkerFailure } from './messages.ts';
import type { Writer } from './writer.ts';
import { createWriter } from './writer.ts';

/** Maximum batches of one group, which limits the wait of reads behind writes. */
const groupSize = 500;
/** How often held batches and failures are looked at. */
const settleMs = 1_000;

type Respond = (response: StoreResponse) => void;
type WriteRequest = Extract<StoreRequest, { kind: 'write' }>;

const port = parentPort;
if (port) serve(port, (workerData as { path: string }).path);

function serve(port: MessagePort, path: string): void {
  const respond: Respond = (response) => port.postMessage(response);
  let connection: Connection;
  try {
    connection = openOnAnyDisk(path, (updating) => respond({ updating }));
  } catch (error) {
    respond({ id: 0, failure: toFailure(error, 'store_unopenable') });
    port.close();
    return;
  }
  const writer = createWriter(connection, path);
  const thread: Thread = { connection, writer, respond, report: createReporter(writer, respond) };
  respond({ id: 0 });
  const timer = setInterval(() => {
    writer.settle();
    thread.report();
  }, settleMs).unref();
  let queue: StoreRequest[] = [];
  port.on('message', (request: StoreRequest) => {
    if (request.kind === 'ping') return respond({ id: request.id });
    // Batches that arrive during a commit are the next group.
    if (queue.push(request) > 1) return;
    setImmediate(() => {
      const requests = queue;
      queue = [];
      drain(thread, requests);
      if (requests.at(-1)?.kind !== 'close') return;
      clearInterval(timer);
      const lostBatches = writer.close();
      if (lostBatches > 0) respond({ lostBatches });
      connection.close();
      port.close();
    });
  });
}

interface Thread {
  connection: Connection;
  writer: Writer;
  respond: Respond;
  /** Sends the condition, if it has changed. */
  report: () => void;
}

function createReporter(writer: Writer, respond: Respond): () => void {
  let reported = JSON.stringify(soundCondition);
  return () => {
    const { condition } = writer;
    const text = JSON.stringify(condition);
    if (text === reported) return;
    reported = text;
    respond({ condition });
  };
}

/** Keeps the order, so that a read sees every earlier write. */
function drain(thread: Thread, requests: readonly StoreRequest[]): void {
  let group: WriteRequest[] = [];
  for (const request of requests) {
    if (request.kind === 'write' && group.push(request) < groupSize) continue;
    write(thread, group);
    group = [];
    if (request.kind === 'read') read(thread, request);
  }
  write(thread, group);
}

function write({ writer, respond, report }: Thread, group: readonly WriteRequest[]): void {
  if (group.length === 0) return;
  const outcomes = writer.write(group.map(({ batch }) => batch));
  // Before the answers, so that a caller who has one knows the condition in which it was given.
  report();
  for (const [index, outcome] of outcomes.entries()) {
    const id = group[index]?.id ?? 0;
    if ('results' in outcome) respond({ id, results: outcome.results });
    else respond({ id, failure: toFailure(outcome.error, 'store_failed') });
  }
}

function read(
  { connection, writer, respond, report }: Thread,
  request: Extract<StoreRequest, { kind: 'read' }>,
): void {
  try {
    respond({ id: request.id, rows: connection.run(request.sql, request.parameters).rows ?? [] });
  } catch (error) {
    writer.note(error);
    report();
    respond({ id: request.id, failure: toFailure(error, 'store_failed') });
  }
}

/** Converts an error to data, because errors lose their class between threads. */
function toFailure(error: unknown, fallback: StoreErrorCode): WorkerFailure {
  if (error instanceof StoreError)
    return { code: error.code, message: error.message, sqliteCode: error.sqliteCode };
  const message = error instanceof Error ? error.message : String(error);
  return { code: codeOf(error) ?? fallback, message, sqliteCode: sqliteCodeOf(error) };
}

function codeOf(error: unknown): StoreErrorCode | null {
  if (sqliteCodeOf(error)?.startsWith('SQLITE_CONSTRAINT') === true) return 'store_constraint';
  if (isDamage(error)) return 'store_damaged';
  return wantsSpace(error) === true ? 'store_full' : null;
}
