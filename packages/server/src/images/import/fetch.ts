import { ApiError } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import type { ReceivedFile } from '@wcc/copy';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertNotTooLarge } from '../foreign/too-large.ts';
import { toOperationError } from '../../operations/failure.ts';
import type { Progress } from '../../operations/work.ts';
import type { IsAllowed } from './address-rules.ts';
import { fetchHead } from './fetch-head.ts';
import { receiveBody } from './receive.ts';
import { describeRemote, isStill } from './validators.ts';
import type { RemoteFile } from './validators.ts';
import { describeNetworkError } from './network-errors.ts';

export interface FetchJob {
  /** Called before each connection. @throws ApiError `import_failed` if the address is lost */
  source: () => URL;
  isAllowed: IsAllowed;
  file: ReceivedFile;
  /** State of the remote file that an earlier process stored. */
  remote: RemoteFile | null;
  progress: Progress;
  /** Makes the state of the remote file durable. */
  note: (remote: RemoteFile) => Promise<void>;
  /** Maximum length of the file. */
  maxBytes: number;
  /** Reserves space for this many bytes in total. @throws ApiError `no_space` */
  reserve: (bytes: number) => Promise<void>;
}

interface State {
  offsetBytes: number;
  /** The highest offset of all attempts: only beyond it is there progress, also after a restart at zero. */
  highestBytes: number;
  remote: RemoteFile | null;
  isReceiving: boolean;
}

/** Attempts without new bytes in between. */
const maxAttempts = 6;
const firstPauseMs = 500;

/**
 * Fetches the whole file over several connections if necessary. Each one resumes where the last one ended, if the
 * remote file has not changed.
 *
 * @returns its length
 * @throws ApiError `import_failed`, `import_refused`, `image_too_large`, `no_space`
 */
export async function fetchFile(job: FetchJob): Promise<number> {
  const { signal } = job.progress;
  const { offsetBytes } = job.file;
  const state: State = { offsetBytes, highestBytes: offsetBytes, remote: job.remote, isReceiving: false };
  let failures = 0;
  while (!isComplete(state)) {
    const before = state.highestBytes;
    try {
      if (await attempt(job, state)) break;
      throw new Error('the connection ended early');
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal(error)) throw error;
      failures = state.highestBytes > before ? 1 : failures + 1;
      if (failures >= maxAttempts) throw tooManyFailures(error);
      await sleep(firstPauseMs * 2 ** (failures - 1), undefined, { signal });
    }
  }
  return state.offsetBytes;
}

function isComplete({ offsetBytes, remote }: State): boolean {
  return offsetBytes > 0 && remote?.totalBytes === offsetBytes;
}

function tooManyFailures(cause: unknown): ApiError {
  const message = `Failed after ${maxAttempts} attempts: ${describeNetworkError(cause)}.`;
  return new ApiError('import_failed', { message, cause });
}

/**
 * Whether an error is final: errors of the disk, of the address rules, and refusals. Errors of the network are
 * retried.
 */
function isFinal(error: unknown): boolean {
  if (error instanceof ApiError || error instanceof CopyError) return true;
  const { syscall } = error as { syscall?: unknown };
  const isDisk = ['write', 'fdatasync', 'ftruncate', 'open', 'rename', 'fsync'].includes(String(syscall));
  return isDisk && toOperationError(error).code !== 'internal';
}

/** One connection. @returns whether the file is complete */
async function attempt(job: FetchJob, state: State): Promise<boolean> {
  const { progress, source, isAllowed } = job;
  if (!state.isReceiving) progress.startPhase('connect');
  const validator = state.remote?.validator ?? null;
  // Without a validator the file is fetched from its beginning.
  const from =
    state.offsetBytes > 0 && validator !== null ? { offsetBytes: state.offsetBytes, validator } : null;
  const answer = await fetchHead(source(), { isAllowed, signal: progress.signal, from });
  try {
    if (from !== null && (await isEnd(job, state, answer))) return true;
    assertUsableAnswer(answer);
    const remote = await checkAnswer(job, state, answer);
    assertNotTooLarge(remote.totalBytes ?? 0, job.maxBytes);
    if (remote.totalBytes !== null) await job.reserve(remote.totalBytes);
    return await receiveAnswer(job, state, { answer, remote });
  } finally {
    answer.destroy();
  }
}

async function receiveAnswer(
  job: FetchJob,
  state: State,
  { answer, remote }: { answer: IncomingMessage; remote: RemoteFile },
): Promise<boolean> {
  const { progress, file } = job;
  const { totalBytes } = remote;
  const notes = [`at ${state.offsetBytes} bytes`];
  if (!state.isReceiving) progress.startPhase('receive', { unit: 'bytes', total: totalBytes, notes });
  state.isReceiving = true;
  if (totalBytes !== null) progress.setTotal(totalBytes);
  await receiveBody(answer, {
    file,
    offsetBytes: state.offsetBytes,
    endBytes: totalBytes,
    signal: progress.signal,
    onMoved: (done, durable) => {
      state.offsetBytes = durable;
      state.highestBytes = Math.max(state.highestBytes, durable);
      progress.advance(done, durable);
    },
    beforeWrite: totalBytes === null ? reserveAhead(job) : () => Promise.resolve(),
  });
  if (totalBytes !== null) return state.offsetBytes === totalBytes;
  // The end of the body sets the length, so a run after a crash fetches no more bytes.
  await job.note({ ...remote, totalBytes: state.offsetBytes });
  return true;
}

/** Space that is reserved in one step for a file of unknown length. */
const aheadBytes = 16 * 1024 ** 2;

/** Reserves space before it is used, so that a file of unknown length does not use reserved space. */
function reserveAhead({ reserve, maxBytes }: FetchJob): (endBytes: number) => Promise<void> {
  let reservedBytes = 0;
  return async (endBytes) => {
    assertNotTooLarge(endBytes, maxBytes);
    if (endBytes <= reservedBytes) return;
    await reserve(endBytes + aheadBytes);
    reservedBytes = endBytes + aheadBytes;
  };
}

/** 416: the file is complete, or became shorter and is fetched from zero. */
async function isEnd(job: FetchJob, state: State, answer: IncomingMessage): Promise<boolean> {
  if (answer.statusCode !== 416) return false;
  const [, total] = /^bytes \*\/(\d{1,15})$/.exec(answer.headers['content-range'] ?? '') ?? [];
  const totalBytes = total === undefined ? null : Number(total);
  const isSame = state.remote !== null && isStill(state.remote, { headers: answer.headers, totalBytes });
  if (isSame && totalBytes === state.offsetBytes) return true;
  await startOver(job, state, 'the file became shorter');
  throw new Error('the file changed during the import');
}

const retryable: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** @throws ApiError `import_failed`, or an error that is retried */
function assertUsableAnswer({ statusCode = 0, headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if ((statusCode === 200 || statusCode === 206) && encoding === 'identity') return;
  if (retryable.has(statusCode)) throw new Error(`the server answered ${statusCode}`);
  const isPacked = statusCode === 200 || statusCode === 206;
  const message = isPacked
    ? `The server sends the file compressed (${encoding}), although the request does not allow that.`
    : `The server answered ${statusCode}.`;
  throw new ApiError('import_failed', { message });
}

/** Checks that the answer continues at the current offset; otherwise restarts at zero. */
async function checkAnswer(job: FetchJob, state: State, answer: IncomingMessage): Promise<RemoteFile> {
  if (answer.statusCode === 206) return checkPart(job, state, answer);
  const remote = describeRemote(answer.headers);
  if (state.offsetBytes > 0) await startOver(job, state, 'the file changed, or the server cannot resume');
  await job.note(remote);
  state.remote = remote;
  return remote;
}

async function checkPart(job: FetchJob, state: State, { headers }: IncomingMessage): Promise<RemoteFile> {
  const [, first, total] =
    /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  const reported = total === undefined || total === '*' ? null : Number(total);
  const { remote, offsetBytes } = state;
  const totalBytes = reported ?? remote?.totalBytes ?? null;
  const isSame = remote !== null && isStill(remote, { headers, totalBytes: reported });
  // Without a total length, the end of a part is not the end of the file.
  if (isSame && Number(first) === offsetBytes && totalBytes !== null && totalBytes > offsetBytes)
    return { ...remote, totalBytes };
  if (offsetBytes > 0)
    await startOver(job, state, isSame ? 'the server sent another part' : 'the file changed');
  throw new Error(
    isSame ? 'the server sent another part than requested' : 'the file changed during the import',
  );
}

/** Discards all bytes: two states of a file must never be combined. */
async function startOver({ file, progress }: FetchJob, state: State, why: string): Promise<void> {
  await file.record(0);
  await file.handle.truncate(0);
  const notes = [`restarted at 0 bytes: ${why}`];
  // Nothing is durable now. The bar waits until its old offset is reached again.
  progress.startPhase('receive', { unit: 'bytes', total: state.remote?.totalBytes ?? null, notes });
  state.isReceiving = true;
  state.offsetBytes = 0;
  state.remote = null;
}
