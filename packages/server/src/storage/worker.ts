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

type Respond = (response: StoreResponse) => void;
type WriteRequest = Extract<StoreRequest, { kind: 'write' }>;

const port = parentPort;
if (port) serve(port, (workerData as { path: string }).path);

function serve(port: MessagePort, path: string): void {
  const respond: Respond = (response) => port.postMessage(response);
  let connection: Connection;
  try {
    connection = openConnection(path);
  } catch (error) {
    respond({ id: 0, failure: toFailure(error, 'store_unopenable') });
    port.close();
    return;
  }
  respond({ id: 0 });
  let queue: StoreRequest[] = [];
  port.on('message', (request: StoreRequest) => {
    // Batches that arrive during a commit are the next group.
    if (queue.push(request) > 1) return;
    setImmediate(() => {
      const requests = queue;
      queue = [];
      drain(connection, requests, respond);
      if (requests.at(-1)?.kind !== 'close') return;
      connection.close();
      port.close();
    });
  });
}

/** Keeps the order, so that a read sees every earlier write. */
function drain(connection: Connection, requests: readonly StoreRequest[], respond: Respond): void {
  let group: WriteRequest[] = [];
  for (const request of requests) {
    if (request.kind === 'write' && group.push(request) < groupSize) continue;
    write(connection, group, respond);
    group = [];
    if (request.kind === 'read') read(connection, request, respond);
  }
  write(connection, group, respond);
}

function write(connection: Connection, group: readonly WriteRequest[], respond: Respond): void {
  if (group.length === 0) return;
  const outcomes = commitGroup(
    connection,
    group.map(({ batch }) => batch),
  );
  for (const [index, outcome] of outcomes.entries()) {
    const id = group[index]?.id ?? 0;
    if ('results' in outcome) respond({ id, results: outcome.results });
    else respond({ id, failure: toFailure(outcome.error, 'store_failed') });
  }
}

function read(
  connection: Connection,
  request: Extract<StoreRequest, { kind: 'read' }>,
  respond: Respond,
): void {
  try {
    respond({ id: request.id, rows: connection.run(request.sql, request.parameters).rows ?? [] });
  } catch (error) {
    respond({ id: request.id, failure: toFailure(error, 'store_failed') });
  }
}

/** Converts an error to data, because errors lose their class between threads. */
function toFailure(error: unknown, fallback: StoreErrorCode): WorkerFailure {
  if (error instanceof StoreError)
    return { code: error.code, message: error.message, sqliteCode: error.sqliteCode };
  const message = error instanceof Error ? error.message : String(error);
  const sqliteCode = (error as { code?: unknown }).code;
  const text = typeof sqliteCode === 'string' ? sqliteCode : null;
  const code = text?.startsWith('SQLITE_CONSTRAINT') ? 'store_constraint' : fallback;
  return { code, message, sqliteCode: text };
}
