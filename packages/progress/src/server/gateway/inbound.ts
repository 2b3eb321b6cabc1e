import type { ClientMessage, Limits } from '@wcc/progress/protocol';

const maxNameLength = 64;
const maxTicketLength = 256;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= maxNameLength;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isAbsentOr = (value: unknown, is: (value: unknown) => boolean): boolean =>
  value === undefined || is(value);
const isScope = (value: unknown): boolean => value === 'mine' || value === 'all';

function isListOf(value: unknown, maxLength: number, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= maxLength && value.every(is);
}

const isOperationRequest = (value: unknown): boolean =>
  isObject(value) &&
  isName(value['op']) &&
  isAbsentOr(value['epoch'], isName) &&
  isAbsentOr(value['seq'], isCount);

function isWellFormed(message: Json, limits: Limits): boolean {
  if (!isCount(message['id'])) return false;
  const { ops, list, ticket } = message as { ops?: unknown; list?: unknown; ticket?: unknown };
  switch (message['t']) {
    case 'sub':
      return ops === undefined
        ? isScope(list)
        : list === undefined && isListOf(ops, limits.opsPerMessage, isOperationRequest);
    case 'unsub':
      return ops === undefined
        ? isScope(list)
        : list === undefined && isListOf(ops, limits.opsPerMessage, isName);
    case 'refresh':
      return typeof ticket === 'string' && ticket.length > 0 && ticket.length <= maxTicketLength;
    default:
      return false;
  }
}

/**
 * @param text one WebSocket text message
 * @returns `null` if the text is not a message of `wcc.v1`; the socket is then closed with 4400. Unknown fields are
 * ignored.
 */
export function parseClientMessage(text: string, limits: Limits): ClientMessage | null {
  try {
    return asClientMessage(JSON.parse(text), limits);
  } catch {
    // The close code says enough about invalid JSON.
    return null;
  }
}

/** @returns the value as a message of `wcc.v1`; `null` if it is none. Unknown fields are ignored. */
export function asClientMessage(value: unknown, limits: Limits): ClientMessage | null {
  return isObject(value) && isWellFormed(value, limits) ? (value as unknown as ClientMessage) : null;
}

/** A token bucket of `burst` messages that refills at `perSecond`. */
export interface RateLimit {
  /** @returns false if the bucket is empty */
  take(nowMs: number): boolean;
  /** Time until the bucket is full, in ms. */
  refillMs(): number;
}

export function createRateLimit(limits: Pick<Limits, 'messageBurst' | 'messagesPerSecond'>): RateLimit {
  const { messageBurst: burst, messagesPerSecond: perSecond } = limits;
  let tokens = burst;
  let filledAtMs: number | null = null;
  return {
    take: (nowMs) => {
      tokens = Math.min(burst, tokens + ((filledAtMs === null ? 0 : nowMs - filledAtMs) * perSecond) / 1000);
      filledAtMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    refillMs: () => Math.ceil(((burst - tokens) / perSecond) * 1000),
  };
}
