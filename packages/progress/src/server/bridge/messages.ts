import type { Snapshot } from '@wcc/progress';
import type { GoneReason } from '@wcc/progress/protocol';
import { isWatchableId, operationStates } from '@wcc/progress/protocol';

/** Version of the messages between bridges. Changes only when an older bridge cannot read them. */
export const bridgeVersion = 1;

/** In every message: the bridge that sends it, by its random id and by its name for people. */
interface Sender {
  v: typeof bridgeVersion;
  from: string;
  name: string;
}

/** Sent every few seconds: the sender is there, and `at` is the number of its newest change. */
export interface HeartbeatMessage extends Sender {
  t: 'hb';
  at: number;
}

/** Every operation of the sender that changed after `after`, up to `upTo`, in its newest state. */
export interface ChangesMessage extends Sender {
  t: 'ops';
  after: number;
  upTo: number;
  at: number;
  /** A receiver that has less than this forgets what a complete listing does not name. */
  horizon: number;
  gone: [id: string, why: GoneReason][];
  d: Snapshot[];
}

/** Asks one bridge, or all if `of` is null, for the changes after `after`. */
export interface AskMessage extends Sender {
  t: 'ask';
  of: string | null;
  after: number;
}

/** The sender stops. Its last change is `at`; it waits a moment until the others have it. */
export interface ByeMessage extends Sender {
  t: 'bye';
  at: number;
}

/** The sender has every change of `of`, which stops. */
export interface GotMessage extends Sender {
  t: 'got';
  of: string;
}

/** Asks another process to act on its operation, to remove it as this process did, or to look for its tickets. */
export interface RequestMessage extends Sender {
  t: 'req';
  to: string;
  /** Names this request; a repeated one is carried out once. */
  req: string;
  kind: 'act' | 'remove' | 'take_ticket' | 'revoke_session';
  /** Id of the operation, hash of the ticket, or session. */
  op: string;
  /** The verb of the action, or why the operation was removed. */
  verb: string;
  by: unknown;
}

/** Answers a request. */
export interface AnswerMessage extends Sender {
  t: 'res';
  to: string;
  req: string;
  result?: unknown;
  error?: { code: string; message: string };
}

export type BridgeMessage =
  HeartbeatMessage | ChangesMessage | AskMessage | ByeMessage | GotMessage | RequestMessage | AnswerMessage;

type Fields = Record<string, unknown>;

const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= 128;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string';
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

function isReference(value: unknown): boolean {
  return isObject(value) && typeof value['kind'] === 'string' && typeof value['name'] === 'string';
}

/** Checks what the hub and its watchers rely on, so that a foreign message on the channel does no harm. */
function isSnapshot(value: unknown): value is Snapshot {
  if (!isObject(value)) return false;
  const { id, epoch, seq, state, phases, warnings } = value;
  const texts = [value['at'], value['label'], value['action'], value['owner'], value['ownerName']];
  const { phaseIndex, elapsedMs, subject, target, createdAt, startedAt, endedAt } = value;
  return (
    isWatchableId(id) &&
    isText(epoch) &&
    isCount(seq) &&
    (operationStates as readonly unknown[]).includes(state) &&
    [...texts, createdAt].every((text) => typeof text === 'string') &&
    [startedAt, endedAt].every(isTextOrNull) &&
    [phaseIndex, elapsedMs].every(Number.isFinite) &&
    isReference(subject) &&
    (target === null || isReference(target)) &&
    [value['stateReason'], value['error']].every((each) => each === null || isObject(each)) &&
    Array.isArray(phases) &&
    phases.every((phase) => isObject(phase) && typeof phase['name'] === 'string') &&
    Array.isArray(warnings)
  );
}

function isGone(value: unknown): boolean {
  return (
    Array.isArray(value) && isWatchableId(value[0]) && (value[1] === 'deleted' || value[1] === 'revoked')
  );
}

function isRequest(kind: unknown, op: string, verb: unknown): boolean {
  if (kind === 'act') return isWatchableId(op) && isText(verb);
  return kind === 'remove' ? isGone([op, verb]) : kind === 'take_ticket' || kind === 'revoke_session';
}

const shapes: Readonly<Record<BridgeMessage['t'], (message: Fields) => boolean>> = {
  hb: ({ at }) => isCount(at),
  ops: ({ after, upTo, at, horizon, gone, d }) =>
    [after, upTo, at, horizon].every(isCount) &&
    Array.isArray(gone) &&
    gone.every(isGone) &&
    Array.isArray(d) &&
    d.every(isSnapshot),
  ask: ({ of, after }) => (of === null || isText(of)) && isCount(after),
  bye: ({ at }) => isCount(at),
  got: ({ of }) => isText(of),
  req: ({ to, req, kind, op, verb }) =>
    isText(to) && isText(req) && typeof op === 'string' && isRequest(kind, op, verb),
  res: ({ to, req, error }) =>
    isText(to) &&
    isText(req) &&
    (error === undefined ||
      (isObject(error) && typeof error['code'] === 'string' && typeof error['message'] === 'string')),
};

/** Reads a message. @returns why it cannot be used, if so */
export function parseMessage(text: string): BridgeMessage | 'bridge_version' | 'bridge_message' {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'bridge_message';
  }
  if (!isObject(message)) return 'bridge_message';
  const { v, t, from, name } = message;
  if (v !== bridgeVersion) return Number.isSafeInteger(v) ? 'bridge_version' : 'bridge_message';
  const isKnown = typeof t === 'string' && Object.hasOwn(shapes, t);
  if (!isKnown || !isText(from) || !isText(name)) return 'bridge_message';
  return shapes[t as BridgeMessage['t']](message) ? (message as unknown as BridgeMessage) : 'bridge_message';
}
