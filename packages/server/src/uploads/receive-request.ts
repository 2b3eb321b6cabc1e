import { ApiError } from '@wcc/api';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../access/principal.ts';
import { readBody } from './bytes/body.ts';
import type { Body, BodyEnd, BodyStop } from './bytes/body.ts';
import { mostAtRiskBytes, syncMs } from './bytes/durability.ts';
import type { Durability } from './bytes/durability.ts';
import type { ByteSink } from './bytes/sink.ts';
import type { UploadMemory } from './context.ts';
import type { UploadInput } from './input.ts';
import { refusalOf } from './upload-errors.ts';

/** One request with bytes. */
export interface Incoming {
  request: IncomingMessage;
  principal: Principal;
  /** Of this request's bytes. */
  checksum: Checksum | null;
  inactivityMs: number;
}

export interface Checksum {
  hash: Hash;
  expected: Buffer;
}

/** Whose request it is, while it is here. */
export interface Sender {
  principal: Principal;
  /** Its last byte was taken, or its connection is gone; only its syncs go on. */
  readonly isLeaving: boolean;
  /** How long nothing was heard of it, while it could have sent. */
  silentForMs(): number;
  stop(why: BodyStop): void;
}

/** Where the bytes of one request after the other go. */
export interface Receiver {
  readonly input: UploadInput;
  readonly memory: UploadMemory;
  readonly sink: ByteSink;
  readonly durability: Durability;
  /** Of the present request. */
  body: Body | null;
  sender: Sender | null;
}

/**
 * From the socket into the file: takes the bytes of one request, and makes them durable or takes them back.
 *
 * @returns what its client is to hear when not all were taken; rejects when the file is what is broken
 */
export async function takeIncoming(receiver: Receiver, incoming: Incoming): Promise<ApiError | null> {
  const mayGoBack = incoming.checksum !== null;
  const digest = takeDigest(receiver, mayGoBack);
  receiver.durability.hold(mayGoBack);
  const how = await takeBytes(receiver, incoming, digest?.hash ?? null);
  const { refusal, isRolledBack } = await secure(receiver, incoming, how);
  keepDigest(receiver, digest, isRolledBack);
  return refusal;
}

async function takeBytes(receiver: Receiver, incoming: Incoming, digest: Hash | null): Promise<BodyEnd> {
  const { sink, durability, input } = receiver;
  const { request, principal, checksum, inactivityMs } = incoming;
  const body = readBody({
    request,
    roomBytes: input.sizeBytes - durability.durableBytes,
    inactivityMs,
    take(chunk) {
      digest?.update(chunk);
      checksum?.hash.update(chunk);
      sink.put(chunk);
    },
    mustWait: () => sink.isFull || sink.takenBytes - durability.syncedBytes >= mostAtRiskBytes,
    hasFailed: () => sink.failure !== null || durability.hasFailed,
  });
  receiver.body = body;
  receiver.sender = {
    principal,
    get isLeaving() {
      return body.isOver;
    },
    silentForMs: () => performance.now() - body.heardAtMs,
    stop: (why) => body.stop(why),
  };
  const timer = setInterval(() => {
    sink.push();
    durability.nudge({ isTime: true });
  }, syncMs);
  try {
    return await body.ended;
  } finally {
    clearInterval(timer);
  }
}

interface RunningDigest {
  hash: Hash;
  /** As it was before this request; null: not needed. */
  before: Hash | null;
}

/** The digest, when it is that of all bytes so far. What is not continued is worthless: all is read at the end. */
function takeDigest({ memory, durability, input }: Receiver, mayGoBack: boolean): RunningDigest | null {
  const { digest } = memory;
  memory.digest = null;
  if (input.sha256 === null) return null;
  const isAtStart = durability.durableBytes === 0;
  const hash = isAtStart
    ? createHash('sha256')
    : digest?.atBytes === durability.durableBytes
      ? digest.hash
      : null;
  return hash === null ? null : { hash, before: mayGoBack ? hash.copy() : null };
}

function keepDigest(receiver: Receiver, digest: RunningDigest | null, isRolledBack: boolean): void {
  const { memory, durability, sink } = receiver;
  const hash = isRolledBack ? digest?.before : digest?.hash;
  const atBytes = durability.durableBytes;
  if (hash && atBytes === sink.takenBytes) memory.digest = { hash, atBytes };
}

/** Makes durable what was taken, or takes it back; tells what the client is to hear of it. */
async function secure(
  receiver: Receiver,
  { checksum }: Incoming,
  how: BodyEnd,
): Promise<{ refusal: ApiError | null; isRolledBack: boolean }> {
  const { sink, durability } = receiver;
  await sink.drained();
  if (how === 'cancelled') return { refusal: refusalOf(how), isRolledBack: false };
  if (sink.failure !== null) {
    // A full disk: what came before it is safe, and the upload goes on from there.
    if (!durability.hasFailed && checksum === null) await durability.sync();
    throw sink.failure.error;
  }
  // tus, "Checksum": when it does not match, the chunk is discarded and the offset not updated. One that broke
  // off cannot be compared.
  const isGood =
    checksum === null || (how === 'complete' && checksum.hash.digest().equals(checksum.expected));
  if (!isGood || how === 'too_long') {
    sink.reset(await durability.rollBack());
    const refusal = how === 'complete' ? new ApiError('checksum_mismatch') : refusalOf(how);
    return { refusal, isRolledBack: true };
  }
  durability.hold(false);
  await durability.sync();
  return { refusal: refusalOf(how), isRolledBack: false };
}
