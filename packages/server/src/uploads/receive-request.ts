import { ApiError } from '@wcc/api';
import type { HeadJudge } from '../images/foreign/head-judge.ts';
import type { DurableWriter } from '@wcc/copy/receive';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../access/principal.ts';
import { readBody } from './request-body.ts';
import type { Body, BodyEnd, BodyStop } from './request-body.ts';
import { errorForBodyEnd } from './upload-errors.ts';
import type { UploadInput, UploadScratch } from './upload.ts';

/** A request that sends bytes of an upload. */
export interface UploadRequest {
  request: IncomingMessage;
  principal: Principal;
  /** Aborts when the rights of the principal end. No byte is taken afterwards. */
  signal: AbortSignal;
  /** Checksum of this request's bytes; null: the client gave none. */
  checksum: Checksum | null;
  inactivityMs: number;
}

export interface Checksum {
  hash: Hash;
  expected: Buffer;
}

/** The client of the current request. */
export interface Sender {
  principal: Principal;
  /** True: the sender sends no more bytes, and only the last sync is still running. */
  readonly isDraining: boolean;
  /** Time since its last byte. Does not count time in which the server paused reading. */
  silentForMs(): number;
  stop(why: BodyStop): void;
}

/** The state that the requests of one upload share. */
export interface ReceiveState {
  readonly input: UploadInput;
  readonly scratch: UploadScratch;
  readonly writer: DurableWriter;
  readonly head: HeadJudge;
  /** Why the first bytes are refused: the upload fails. */
  refused: ApiError | null;
  /** Body of the current request; null: no request is sending. */
  body: Body | null;
  sender: Sender | null;
}

/**
 * Receives the bytes of one request into the file, and makes them durable or rolls them back.
 *
 * @returns the error for the client; null when all bytes of the request are durable
 * @throws the error of the failed write or sync
 */
export async function receiveRequest(state: ReceiveState, request: UploadRequest): Promise<ApiError | null> {
  const mayRollBack = request.checksum !== null;
  const digest = resumeDigest(state, mayRollBack);
  state.writer.hold(mayRollBack);
  const bodyEnd = await receiveBytes(state, request, digest?.hash ?? null);
  const { error, isRolledBack } = await makeDurable(state, request, bodyEnd);
  if (isRolledBack) state.refused = null;
  keepDigest(state, digest, isRolledBack);
  return error;
}

async function receiveBytes(
  state: ReceiveState,
  { request, principal, signal, checksum, inactivityMs }: UploadRequest,
  digest: Hash | null,
): Promise<BodyEnd> {
  const { writer, input } = state;
  const body = readBody({
    request,
    maxBytes: input.sizeBytes - writer.durableBytes,
    inactivityMs,
    onChunk(chunk) {
      digest?.update(chunk);
      checksum?.hash.update(chunk);
      state.refused ??= state.head.take(chunk, writer.takenBytes);
      // Only the checksum shows whether these are the bytes of the file.
      if (state.refused === null || checksum !== null) writer.write(chunk);
      else body.stop('refused');
    },
    isFull: () => writer.isFull,
    hasFailed: () => writer.failure !== null,
  });
  state.body = body;
  state.sender = {
    principal,
    get isDraining() {
      return body.isOver;
    },
    silentForMs: () => performance.now() - body.lastByteAtMs,
    stop: (why) => body.stop(why),
  };
  const revoke = (): void => body.stop('revoked');
  signal.addEventListener('abort', revoke);
  // The rights may have ended while the request waited for the upload.
  if (signal.aborted) revoke();
  const bodyEnd = await body.ended;
  signal.removeEventListener('abort', revoke);
  return bodyEnd;
}

interface RunningDigest {
  hash: Hash;
  /** The hash before this request; null: the request cannot be rolled back. */
  before: Hash | null;
}

/** The running digest, if it covers all bytes so far. Otherwise wcc reads the complete file at the end. */
function resumeDigest({ scratch, writer, input }: ReceiveState, mayRollBack: boolean): RunningDigest | null {
  const { digest } = scratch;
  scratch.digest = null;
  if (input.sha256 === null) return null;
  const isAtStart = writer.durableBytes === 0;
  const hash = isAtStart
    ? createHash('sha256')
    : digest?.atBytes === writer.durableBytes
      ? digest.hash
      : null;
  return hash === null ? null : { hash, before: mayRollBack ? hash.copy() : null };
}

function keepDigest(
  { scratch, writer }: ReceiveState,
  digest: RunningDigest | null,
  isRolledBack: boolean,
): void {
  const hash = isRolledBack ? digest?.before : digest?.hash;
  const atBytes = writer.durableBytes;
  if (hash && atBytes === writer.takenBytes) scratch.digest = { hash, atBytes };
}

/** Makes the received bytes durable, or rolls them back. Returns the error for the client. */
async function makeDurable(
  { writer }: ReceiveState,
  { checksum }: UploadRequest,
  bodyEnd: BodyEnd,
): Promise<{ error: ApiError | null; isRolledBack: boolean }> {
  await writer.drained();
  if (bodyEnd === 'cancelled') return { error: errorForBodyEnd(bodyEnd), isRolledBack: false };
  // tus, "Checksum": when it does not match, the chunk is discarded and the offset not updated. The bytes of an
  // incomplete request cannot be compared with its checksum.
  const isAccepted =
    checksum === null || (bodyEnd === 'complete' && checksum.hash.digest().equals(checksum.expected));
  if (writer.failure === null && (!isAccepted || bodyEnd === 'too_long')) {
    await writer.rollBack();
    const error = bodyEnd === 'complete' ? new ApiError('checksum_mismatch') : errorForBodyEnd(bodyEnd);
    return { error, isRolledBack: true };
  }
  // After a failed write, for example on a full disk, the sidecar records no held bytes. Other bytes become
  // durable.
  if (writer.failure === null) writer.hold(false);
  await writer.flush();
  return { error: errorForBodyEnd(bodyEnd), isRolledBack: false };
}
