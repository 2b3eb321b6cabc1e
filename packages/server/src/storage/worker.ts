import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import type { Connection } from './connection.ts';
import { openConnection } from './connection.ts';
import type { StoreErrorCode } from './errors.ts';
import { StoreError } from './errors.ts';
import { commitGroup } from './group-commit.ts';
import type { StoreRequest, StoreResponse, WorkerFailure } from './messages.ts';

/** Maximum batches of one group, which limits the wait of reads behind writes. */
const groupSize = 500;

type Answer = (response: StoreResponse) => void;
type WriteRequest = Extract<StoreRequest, { kind: 'write' }>;

const port = parentPort;
if (port) serve(port, (workerData as { path: string }).path);

function serve(port: MessagePort, path: string): void {
  const answer: Answer = (response) => port.postMessage(response);
  let connection: Connection;
  try {
    connection = openConnection(path);
  } catch (error) {
    answer({ id: 0, failure: describe(error, 'store_unopenable') });
    port.close();
    return;
  }
  answer({ id: 0 });
  let queue: StoreRequest[] = [];
  port.on('message', (request: StoreRequest) => {
    // Batches that arrive during a commit are the next group.
    if (queue.push(request) > 1) return;
    setImmediate(() => {
      const requests = queue;
      queue = [];
      drain(connection, requests, answer);
      if (requests.at(-1)?.kind !== 'close') return;
      connection.close();
      port.close();
    });
  });
}

/** Keeps the order, so that a read sees every earlier write. */
function drain(connection: Connection, requests: readonly StoreRequest[], answer: Answer): void {
  let group: WriteRequest[] = [];
  for (const request of requests) {
    if (request.kind === 'write' && group.push(request) < groupSize) continue;
    write(connection, group, answer);
    group = [];
    if (request.kind === 'read') read(connection, request, answer);
  }
  write(connection, group, answer);
}

function write(connection: Connection, group: readonly WriteRequest[], answer: Answer): void {
  if (group.length === 0) return;
  const outcomes = commitGroup(
    connection,
    group.map(({ batch }) => batch),
  );
  for (const [index, outcome] of outcomes.entries()) {
    const id = group[index]?.id ?? 0;
    if ('results' in outcome) answer({ id, results: outcome.results });
    else answer({ id, failure: describe(outcome.error, 'store_failed') });
  }
}

function read(
  connection: Connection,
  request: Extract<StoreRequest, { kind: 'read' }>,
  answer: Answer,
): void {
  try {
    answer({ id: request.id, rows: connection.run(request.sql, request.parameters).rows ?? [] });
  } catch (error) {
    answer({ id: request.id, failure: describe(error, 'store_failed') });
  }
}

/** Converts an error to data, because errors lose their class between threads. */
function describe(error: unknown, fallback: StoreErrorCode): WorkerFailure {
  if (error instanceof StoreError)
    return { code: error.code, message: error.message, sqliteCode: error.sqliteCode };
  const message = error instanceof Error ? error.message : String(error);
  const sqliteCode = (error as { code?: unknown }).code;
  const text = typeof sqliteCode === 'string' ? sqliteCode : null;
  const code = text?.startsWith('SQLITE_CONSTRAINT') ? 'store_constraint' : fallback;
  return { code, message, sqliteCode: text };
}
