import { defaultLimits } from '@wcc/progress/protocol';
import { respondWithEvents } from './event-streams.ts';
import type { Hub } from './hub.ts';
import { warnOnError } from './on-error.ts';
import { refusalAnswer } from './serve/answers.ts';
import type { Answer } from './serve/answers.ts';
import { identify, isOwner, isStill } from './serve/identity.ts';
import type { ProgressUser, Visitor } from './serve/identity.ts';
import { assertStreamOptions } from './serve/options.ts';
import type { WatchRules } from './serve/options.ts';
import { assertJson, BodyRefusal, parseJson, subscriptionsOfQuery } from './serve/subscriptions.ts';
import { createTrust, untrusted } from './serve/trust.ts';
import type { Trust } from './serve/trust.ts';
import { sharedLimits } from './shared-limits.ts';
import type { SharedLimits } from './shared-limits.ts';

/** Options of {@link eventStream}. */
export interface EventStreamOptions<U extends ProgressUser = ProgressUser> extends WatchRules<U, Request> {
  /**
   * Id of the one operation to watch.
   * @default what the request names: `?id=…&list=…`, or the body that `connect` posts
   */
  operation?: string;
}

/**
 * Answers a Web standard request with an event stream, e.g. in Hono, Next, Bun or Deno. The rules are those of
 * `serveProgress`: pages of the same origin, `user`, and the owner alone unless `canWatch` says more. Pages connect
 * with `connect(url, { transport: 'sse', events: url })`.
 *
 * @throws {ProgressError} `user_required`, `invalid_option`
 */
export async function eventStream<U extends ProgressUser = ProgressUser>(
  request: Request,
  options: EventStreamOptions<U>,
): Promise<Response> {
  assertStreamOptions(options);
  const { onError = warnOnError } = options;
  const trust = createTrust(options);
  try {
    return await answer(request, options, trust);
  } catch (error) {
    if (error instanceof BodyRefusal) return responseOf(refusalAnswer(error.code));
    onError(error, { stage: 'eventStream' });
    return responseOf(refusalAnswer('unavailable'));
  }
}

async function answer<U extends ProgressUser>(
  request: Request,
  options: EventStreamOptions<U>,
  trust: Trust,
): Promise<Response> {
  const refusal = check(request, trust);
  if (refusal !== null) return responseOf(refusal);
  const deadlineMs = options.limits?.upgradeMs ?? defaultLimits.upgradeMs;
  const asking = { userOf: options.user, deadlineMs };
  const principal = await identify(asking, request);
  if (principal === null) return responseOf(refusalAnswer('unauthenticated'));
  const { operation, canWatch = isOwner, hub, onError = warnOnError } = options;
  const wanted = operation === undefined ? { subs: await readSubscriptions(request) } : { operation };
  return respondWithEvents<Visitor<U, Request>>(request, {
    ...options,
    ...wanted,
    principal,
    sharedLimits: options.sharedLimits ?? limitsOf(hub, options.limits?.socketsPerUser),
    user: ({ identity }) => identity,
    authorize: ({ latest }, _watch, snapshot) => canWatch(latest.user, snapshot),
    isStill: () => isStill(principal, { ...asking, report: (error) => onError(error, { stage: 'user' }) }),
  });
}

/** The checks that need no user. */
function check(request: Request, trust: Trust): Answer | null {
  const isRead = request.method === 'GET';
  if (!isRead && request.method !== 'POST')
    return refusalAnswer('method_not_allowed', { allow: 'GET, POST' });
  const asked = {
    // Some runtimes have the Host in the URL only.
    header: (name: string) =>
      request.headers.get(name) ?? (name === 'host' ? new URL(request.url).host : undefined),
    // The scheme of the URL may come from a header that anyone can send.
    isTls: false,
  };
  const code = untrusted(trust, asked, { isRead });
  return code === null ? null : refusalAnswer(code);
}

async function readSubscriptions(request: Request): Promise<unknown> {
  if (request.method === 'GET') return subscriptionsOfQuery(request.url);
  assertJson(request.headers.get('content-type') ?? undefined);
  let text = '';
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > defaultLimits.messageBytes) throw new BodyRefusal('too_big');
    text += decoder.decode(chunk, { stream: true });
  }
  return parseJson(text);
}

/** Counts the connections of each user over all calls. */
const limitsByHub = new WeakMap<Hub, SharedLimits>();

function limitsOf(hub: Hub, socketsPerUser: number | undefined): SharedLimits {
  const limits = limitsByHub.get(hub) ?? sharedLimits(socketsPerUser);
  limitsByHub.set(hub, limits);
  return limits;
}

function responseOf({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers });
}
