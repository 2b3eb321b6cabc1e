import type { ClientMessage, Limits } from '@wcc/progress';

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

function isListOf(value: unknown, longest: number, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= longest && value.every(is);
}

const isWanted = (value: unknown): boolean =>
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
        : list === undefined && isListOf(ops, limits.opsPerMessage, isWanted);
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
 * @returns `null` when it is not of `wcc.v1`: the socket is closed with 4400. Unknown fields are ignored.
 */
export function parseClientMessage(text: string, limits: Limits): ClientMessage | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    // Whoever sends no JSON is told so by the close code; there is no more to say about it.
    return null;
  }
  return isObject(message) && isWellFormed(message, limits) ? (message as unknown as ClientMessage) : null;
}

/** A bucket of `burst` messages that refills at `perSecond`. */
export interface RateLimit {
  take(nowMs: number): boolean;
  /** Until it is full again. */
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
