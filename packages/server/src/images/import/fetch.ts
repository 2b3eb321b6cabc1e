import { ApiError } from '@wcc/api';
import type { JudgeOptions } from '@wcc/api/content';
import { CopyError } from '@wcc/copy';
import type { PartialFile } from '@wcc/copy/receive';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHeadJudge } from '../foreign/head-judge.ts';
import { assertNotTooLarge } from '../foreign/too-large.ts';
import { toOperationError } from '../../operations/failure.ts';
import type { Progress } from '../../operations/work.ts';
import type { IsAllowed } from './address-rules.ts';
import { assertUsableAnswer, checkRange, hasBytes, isEndProven, TemporaryRefusal } from './answers.ts';
import { fetchHead } from './fetch-head.ts';
import type { AskOptions, Head } from './fetch-head.ts';
import { receiveBody } from './receive.ts';
import { describeRemote, isStill } from './validators.ts';
import type { RemoteFile } from './validators.ts';
import { describeNetworkError } from './network-errors.ts';

export interface FetchJob {
  /** Called before each connection. @throws ApiError `import_failed` if the address is lost */
  source: () => URL;
  isAllowed: IsAllowed;
  file: PartialFile;
  /** State of the remote file that an earlier process stored. */
  remote: RemoteFile | null;
  progress: Progress;
  /** Makes the state of the remote file durable. */
  note: (remote: RemoteFile) => Promise<void>;
  /** How the first bytes are judged. @default by their content alone */
  judge?: JudgeOptions;
  /** Maximum length of the file. */
  maxBytes: number;
  /** Reserves space for this many bytes in total. @throws ApiError `no_space` */
  reserve: (bytes: number) => Promise<void>;
  /** Called if the server named no end of the file, so that a broken connection looks like one. */
  onUnprovenEnd: () => void;
  /** The pause after the first failure; each further one is twice as long. @default 500 */
  firstPauseMs?: number;
}

interface State {
  offsetBytes: number;
  /** The highest offset of all attempts: only beyond it is there progress, also after a restart at zero. */
  highestBytes: number;
  remote: RemoteFile | null;
  isReceiving: boolean;
  /** Address of the last answer with bytes, after all redirects. */
  address: URL | null;
}

/** Attempts without new bytes in between. */
const maxAttempts = 6;

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
  const state: State = {
    offsetBytes,
    highestBytes: offsetBytes,
    remote: job.remote,
    isReceiving: false,
    address: null,
  };
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
      await sleep(pauseMs(job, failures, error), undefined, { signal });
    }
  }
  return state.offsetBytes;
}

/** A server that asks for more patience than this gets no further request. */
const maxRetryAfterMs = 10 * 60_000;

/** The pause before the next attempt: as long as the server asks for. @throws ApiError `import_failed` */
function pauseMs({ progress, firstPauseMs = 500 }: FetchJob, failures: number, error: unknown): number {
  const ownMs = firstPauseMs * 2 ** (failures - 1);
  const retryAfterMs = error instanceof TemporaryRefusal ? error.retryAfterMs : null;
  if (retryAfterMs === null || retryAfterMs <= ownMs) return ownMs;
  const seconds = Math.ceil(retryAfterMs / 1000);
  if (retryAfterMs > maxRetryAfterMs) {
    const message = `Failed: ${describeNetworkError(error)} and asks for a pause of ${seconds} s.`;
    throw new ApiError('import_failed', { message, cause: error });
  }
  const notes = [`${describeNetworkError(error)}: the next attempt is in ${seconds} s, as it asks`];
  progress.updatePhase({ notes });
  return retryAfterMs;
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
  const { progress, isAllowed } = job;
  if (!state.isReceiving) progress.startPhase('connect');
  const validator = state.remote?.validator ?? null;
  // Without a validator the file is fetched from its beginning.
  const from =
    state.offsetBytes > 0 && validator !== null ? { offsetBytes: state.offsetBytes, validator } : null;
  const { answer, body, address } = await ask(job, state, { isAllowed, signal: progress.signal, from });
  if (hasBytes(answer)) state.address = address;
  try {
    if (from !== null && (await isEnd(job, state, answer))) return true;
    assertUsableAnswer(answer);
    const remote = await checkAnswer(job, state, answer);
    assertNotTooLarge(remote.totalBytes ?? 0, job.maxBytes);
    if (remote.totalBytes !== null) await job.reserve(remote.totalBytes);
    return await receiveAnswer(job, state, { answer, body, remote });
  } finally {
    answer.destroy();
  }
}

/**
 * Asks the address that sent the last bytes, as long as it has more: a redirector would choose another mirror, whose
 * validators differ for the same file. Otherwise asks the source.
 */
async function ask({ source }: FetchJob, state: State, options: AskOptions): Promise<Head> {
  const { address } = state;
  state.address = null;
  if (address !== null && address.href !== source().href) {
    const head = await fetchHead(address, options).catch(() => null);
    if (head !== null && hasBytes(head.answer)) return head;
    head?.answer.destroy();
    options.signal.throwIfAborted();
  }
  return fetchHead(source(), options);
}

async function receiveAnswer(
  job: FetchJob,
  state: State,
  { answer, body, remote }: Pick<Head, 'answer' | 'body'> & { remote: RemoteFile },
): Promise<boolean> {
  const { progress, file } = job;
  const { totalBytes } = remote;
  const notes = [`at ${state.offsetBytes} bytes`];
  if (!state.isReceiving) progress.startPhase('receive', { unit: 'bytes', total: totalBytes, notes });
  state.isReceiving = true;
  if (totalBytes !== null) progress.setTotal(totalBytes);
  await receiveBody(body, {
    file,
    offsetBytes: state.offsetBytes,
    endBytes: totalBytes,
    head: createHeadJudge({ ...job.judge, sizeBytes: totalBytes }),
    signal: progress.signal,
    onMoved: (done, durable) => {
      state.offsetBytes = durable;
      state.highestBytes = Math.max(state.highestBytes, durable);
      progress.advance(done, durable);
    },
    beforeWrite: totalBytes === null ? reserveAhead(job) : () => Promise.resolve(),
  });
  if (totalBytes !== null) return state.offsetBytes === totalBytes;
  if (!isEndProven(answer)) job.onUnprovenEnd();
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
  const [, total] = /^bytes \*\/(\d{1,15})$/i.exec(answer.headers['content-range'] ?? '') ?? [];
  const totalBytes = total === undefined ? null : Number(total);
  const isSame = state.remote !== null && isStill(state.remote, { headers: answer.headers, totalBytes });
  if (isSame && totalBytes === state.offsetBytes) return true;
  await startOver(job, state, 'the file became shorter');
  throw new Error('the file changed during the import');
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

async function checkPart(job: FetchJob, state: State, answer: IncomingMessage): Promise<RemoteFile> {
  const found = checkRange(answer, state);
  if (typeof found !== 'string') return found;
  if (state.offsetBytes > 0) await startOver(job, state, found);
  throw new Error(found);
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
