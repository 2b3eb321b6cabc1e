import { ApiError } from '@wcc/api';
import { CopyError, type ReceivedFile } from '@wcc/copy';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Steps } from '../work.ts';
import type { IsAllowed } from './address-rules.ts';
import { ask } from './ask.ts';
import { receiveBody } from './receive.ts';
import { describeRemote, type RemoteFile } from './validators.ts';

export interface FetchJob {
  source: URL;
  isAllowed: IsAllowed;
  file: ReceivedFile;
  /** What an earlier process knew of the remote file. */
  remote: RemoteFile | null;
  steps: Steps;
  /** Makes what is known of the remote file durable. */
  note: (remote: RemoteFile) => Promise<void>;
  /** Asks for room for so much in all. @throws ApiError `no_space` */
  reserve: (bytes: number) => Promise<void>;
}

interface State {
  offsetBytes: number;
  remote: RemoteFile | null;
  isReceiving: boolean;
}

/** Without a byte in between. */
const mostAttempts = 6;
const firstPauseMs = 500;

/**
 * Fetches the whole file, over as many connections as it takes, going on where the last one ended if it still is
 * the same file.
 *
 * @returns its length
 * @throws ApiError `import_failed`, `import_refused`, `no_space`
 */
export async function fetchFile(job: FetchJob): Promise<number> {
  const { signal } = job.steps;
  const state: State = { offsetBytes: job.file.offsetBytes, remote: job.remote, isReceiving: false };
  let failures = 0;
  while (!isComplete(state)) {
    const before = state.offsetBytes;
    try {
      if (await attempt(job, state)) break;
      throw new Error('the connection ended early');
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal(error)) throw error;
      failures = state.offsetBytes > before ? 1 : failures + 1;
      if (failures >= mostAttempts) throw new ApiError('import_failed', { cause: error });
      await sleep(firstPauseMs * 2 ** (failures - 1), undefined, { signal });
    }
  }
  return state.offsetBytes;
}

function isComplete({ offsetBytes, remote }: State): boolean {
  return offsetBytes > 0 && remote?.totalBytes === offsetBytes;
}

/** Our own disk, our own rules and a server that says no stay as they are; a network may be better in a moment. */
function isFinal(error: unknown): boolean {
  if (error instanceof ApiError || error instanceof CopyError) return true;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  const isDisk = ['write', 'fdatasync', 'ftruncate', 'open', 'rename', 'fsync'].includes(String(syscall));
  return isDisk && ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG'].includes(String(code));
}

/** One connection. @returns whether the file is complete */
async function attempt(job: FetchJob, state: State): Promise<boolean> {
  const { steps, source, isAllowed, file } = job;
  if (!state.isReceiving) steps.enter('connect');
  const validator = state.remote?.validator ?? null;
  const from =
    state.offsetBytes > 0 && validator !== null ? { offsetBytes: state.offsetBytes, validator } : null;
  const answer = await ask(source, { isAllowed, signal: steps.signal, from });
  if (answer.statusCode === 416 && isWhole(answer, state)) {
    answer.destroy();
    return true;
  }
  refuseAnswer(answer);
  const remote = await agree(job, state, answer);
  const { totalBytes } = remote;
  if (totalBytes !== null) await job.reserve(totalBytes).catch((error: unknown) => giveUp(answer, error));
  const notes = [`at ${state.offsetBytes} bytes`];
  if (!state.isReceiving) steps.enter('receive', { unit: 'bytes', total: totalBytes, notes });
  state.isReceiving = true;
  if (totalBytes !== null) steps.expect(totalBytes);
  await receiveBody(answer, {
    file,
    offsetBytes: state.offsetBytes,
    signal: steps.signal,
    onMoved: (done, durable) => {
      state.offsetBytes = durable;
      steps.reach(done, durable);
    },
    beforeSync: (written) => (totalBytes === null ? job.reserve(written) : Promise.resolve()),
  });
  return totalBytes === null || state.offsetBytes === totalBytes;
}

function giveUp(answer: IncomingMessage, error: unknown): never {
  answer.destroy();
  throw error;
}

/** A range that begins at the end of the file: there is nothing more to come. */
function isWhole(answer: IncomingMessage, { offsetBytes }: State): boolean {
  return offsetBytes > 0 && answer.headers['content-range'] === `bytes */${offsetBytes}`;
}

const retryable: ReadonlySet<number> = new Set([408, 416, 425, 429, 500, 502, 503, 504]);

/** @throws ApiError `import_failed`, or an error after which it is tried again */
function refuseAnswer(answer: IncomingMessage): void {
  const { statusCode = 0, headers } = answer;
  const encoding = headers['content-encoding'] ?? 'identity';
  if ((statusCode === 200 || statusCode === 206) && encoding === 'identity') return;
  answer.destroy();
  if (retryable.has(statusCode)) throw new Error(`the server answered ${statusCode}`);
  const isPacked = statusCode === 200 || statusCode === 206;
  const message = isPacked
    ? `The server sends the file packed (${encoding}), though it was asked not to.`
    : `The server answered ${statusCode}.`;
  throw new ApiError('import_failed', { message });
}

/** Whether the answer goes on where we are; begins anew when it does not. */
async function agree(job: FetchJob, state: State, answer: IncomingMessage): Promise<RemoteFile> {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers['content-range'] ?? '');
  if (answer.statusCode === 206) {
    if (range === null || Number(range[1]) !== state.offsetBytes)
      return giveUp(
        answer,
        new ApiError('import_failed', { message: 'The server sent another part than was asked for.' }),
      );
    const total = range[2] === '*' ? null : Number(range[2]);
    const known = state.remote?.totalBytes ?? null;
    if (known !== null && total !== null && known !== total)
      return giveUp(
        answer,
        new ApiError('import_failed', { message: 'The file changed while it was fetched.' }),
      );
    return { validator: state.remote?.validator ?? null, totalBytes: total ?? known };
  }
  const remote = describeRemote(answer.headers);
  if (state.offsetBytes > 0) {
    await job.file.record(0);
    await job.file.handle.truncate(0);
    state.offsetBytes = 0;
  }
  await job.note(remote);
  state.remote = remote;
  return remote;
}
