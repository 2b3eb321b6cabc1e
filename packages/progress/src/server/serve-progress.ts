import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { ProgressError } from '@wcc/progress';
import { defaultLimits } from '@wcc/progress/protocol';
import type { Limits } from '@wcc/progress/protocol';
import { createEventStreams } from './event-streams.ts';
import type { EventStreams } from './events/options.ts';
import { createGateway } from './gateway.ts';
import { createAccess } from './gateway/access.ts';
import type { Gateway, GatewayOptions } from './gateway/options.ts';
import { refuseUpgrade } from './gateway/handshake.ts';
import { warnOnError } from './on-error.ts';
import type { OnError } from './on-error.ts';
import { rightsOf, runAction } from './serve/actions.ts';
import type { ActionRules } from './serve/actions.ts';
import { jsonAnswer, refusalAnswer, send } from './serve/answers.ts';
import type { Answer } from './serve/answers.ts';
import { elementAnswer } from './serve/element-file.ts';
import { identify, isOwner, isSame, isStill } from './serve/identity.ts';
import type { Asking, ProgressUser, Visitor } from './serve/identity.ts';
import { intercept } from './serve/intercept.ts';
import { assertServeOptions } from './serve/options.ts';
import type { ServeProgressOptions } from './serve/options.ts';
import { methodsOf, routeOf } from './serve/routes.ts';
import type { Route } from './serve/routes.ts';
import { BodyRefusal, readJson, subscriptionsOfQuery } from './serve/subscriptions.ts';
import { createRequestGuard } from './serve/request-guard.ts';
import type { RequestGuard } from './serve/request-guard.ts';
import { sharedLimits } from './shared-limits.ts';
import { createTickets } from './tickets.ts';
import type { Tickets } from './tickets.ts';

/** What {@link serveProgress} returns. */
export interface ProgressServer {
  /**
   * Asks `user` again for every open connection, and `canWatch` for every operation. Call it after a change of rights
   * or sessions; it also runs every minute.
   */
  reauthorize(): Promise<void>;
  /** Ends all connections and tickets of a user, e.g. at sign-out. @returns how many connections were open */
  closeUser(id: string): number;
  /** Open sockets and event streams. */
  readonly connections: number;
  /** Ends all connections, whose clients reconnect later, and gives the path back to the application. */
  close(): Promise<void>;
}

const defaultPath = '/progress';

/**
 * Serves the operations of a hub on one path of a server: sockets, event streams, tickets, actions, and `element.js` for
 * pages without a bundler. Every other request and upgrade reaches the application. Call it before or after the application is attached.
 *
 * Only pages of the same origin are served. A user sees their own operations, unless `canWatch` says more. A ticket
 * opens one socket within 30 s, for a request of the same Origin for which `user` returns the same id and session.
 *
 * @param server a Node `http` or `https` server: what `app.listen()` returns, or the property `server` of Fastify
 * @throws {ProgressError} `user_required`, `invalid_option`, `invalid_server`, `ws_missing`, `ws_unusable`
 */
export function serveProgress<U extends ProgressUser = ProgressUser>(
  server: Server | SecureServer,
  options: ServeProgressOptions<U>,
): ProgressServer {
  assertServer(server);
  assertServeOptions(options);
  return new ServedProgress<U>(server, options);
}

/** A framework's application has `listen` too, but no address. */
function assertServer(server: unknown): void {
  const parts = ['on', 'emit', 'listen', 'address'];
  const isServer =
    typeof server === 'object' &&
    server !== null &&
    parts.every((part) => typeof (server as Record<string, unknown>)[part] === 'function');
  if (!isServer) throw new ProgressError('invalid_server');
}

type ServedRoute = Exclude<Route, { name: 'upgrade_required' | 'element' }>;

type NodeVisitor<U extends ProgressUser> = Visitor<U, IncomingMessage>;

class ServedProgress<U extends ProgressUser> implements ProgressServer {
  readonly #options: ServeProgressOptions<U>;
  readonly #path: string;
  readonly #limits: Limits;
  readonly #asking: Asking<U, IncomingMessage>;
  readonly #guard: RequestGuard;
  readonly #tickets: Tickets;
  readonly #gateway: Gateway<NodeVisitor<U>>;
  readonly #streams: EventStreams<NodeVisitor<U>>;
  readonly #actions: ActionRules<NodeVisitor<U>>;
  readonly #onError: OnError;
  readonly #restore: () => void;
  readonly #checking: NodeJS.Timeout;
  #isClosing = false;

  constructor(server: Server | SecureServer, options: ServeProgressOptions<U>) {
    this.#options = options;
    this.#path = options.path ?? defaultPath;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#asking = { userOf: options.user, deadlineMs: this.#limits.upgradeMs };
    this.#onError = options.onError ?? warnOnError;
    this.#guard = createRequestGuard(options, (error) => this.#report(error, 'serveProgress'));
    this.#tickets = options.tickets ?? createTickets({ perSession: this.#limits.socketsPerUser });
    const rules = this.#rules();
    this.#actions = this.#actionRules(rules);
    this.#gateway = createGateway({
      ...rules,
      path: this.#path,
      hosts: (_host, request) => this.#guard.refusal(request) !== 'foreign_host',
      origins: (_origin, request) => this.#guard.refusal(request) !== 'foreign_origin',
      authenticate: (request, ticket) => this.#authenticate(request, ticket),
      ...(options.WebSocketServer === undefined ? {} : { WebSocketServer: options.WebSocketServer }),
    });
    this.#streams = createEventStreams(rules);
    this.#restore = intercept(server, {
      request: (request, response) => this.#handle(request, response),
      isOwnUpgrade: (request) => (request.url ?? '').split('?', 1)[0] === this.#path,
      upgrade: (request, socket, head) => this.#upgrade(request, socket, head),
    });
    this.#checking = setInterval(() => void this.#checkVisitors(), this.#limits.reauthorizeMs).unref();
  }

  get connections(): number {
    return this.#gateway.connections + this.#streams.connections;
  }

  async reauthorize(): Promise<void> {
    // First without waiting: `user` may answer late.
    this.#options.hub.reauthorize();
    await this.#checkVisitors();
    this.#options.hub.reauthorize();
  }

  closeUser(id: string): number {
    const sessions = new Set([id]);
    const isOf = ({ identity }: NodeVisitor<U>): boolean => identity.user === id;
    for (const { identity } of this.#visitors().filter(isOf)) sessions.add(identity.session);
    for (const session of sessions)
      this.#tickets.revokeSession(session).catch((error: unknown) => this.#report(error, 'tickets'));
    return this.#gateway.closeSessions(isOf) + this.#streams.closeSessions(isOf);
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearInterval(this.#checking);
    this.#streams.shutdown();
    await this.#gateway.shutdown();
    this.#restore();
  }

  #rules(): Omit<GatewayOptions<NodeVisitor<U>>, 'hosts' | 'origins' | 'authenticate'> {
    const { hub, lookup, canWatch = isOwner } = this.#options;
    return {
      hub,
      limits: this.#limits,
      onError: this.#onError,
      sharedLimits: this.#options.sharedLimits ?? sharedLimits(this.#limits.socketsPerUser),
      user: ({ identity }) => identity,
      authorize: ({ latest }, _watch, snapshot) => canWatch(latest.user, snapshot),
      may: (visitor, snapshot) => rightsOf(this.#actions, visitor, snapshot),
      ...(lookup === undefined ? {} : { lookup }),
    };
  }

  #actionRules(
    rules: Pick<GatewayOptions<NodeVisitor<U>>, 'hub' | 'authorize' | 'lookup'>,
  ): ActionRules<NodeVisitor<U>> {
    const { onAction, canAct = ownerCancels } = this.#options;
    const access = createAccess({ ...rules, onError: this.#onError });
    return {
      canAct: ({ latest }, verb, snapshot) => canAct(latest.user, verb, snapshot),
      onAction: onAction && ((id, verb, { latest }) => onAction(id, verb, latest.user)),
      find: (id, visitor) => access.find(id, visitor),
      onError: (error) => this.#report(error, 'action'),
    };
  }

  /** @returns false for a request of the application */
  #handle(request: IncomingMessage, response: ServerResponse): boolean {
    const route = routeOf(this.#path, request);
    if (route === null) return false;
    if (route.name === 'upgrade_required') {
      send(response, refusalAnswer('upgrade_required', { upgrade: 'websocket' }));
      return true;
    }
    if (route.name === 'element') {
      const answer = isAllowed(route, request) ? elementAnswer(request) : Promise.resolve(notAllowed(route));
      void answer.then((file) => send(response, file));
      return true;
    }
    this.#answer(route, request, response).catch((error: unknown) => {
      if (error instanceof BodyRefusal) return send(response, refusalAnswer(error.code));
      this.#report(error, route.name);
      send(response, refusalAnswer('unavailable'));
    });
    return true;
  }

  async #answer(route: ServedRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#check(route, request);
    if (refusal !== null) return send(response, refusal);
    const visitor = await identify(this.#asking, request);
    if (visitor === null) return send(response, refusalAnswer('unauthenticated'));
    switch (route.name) {
      case 'ticket':
        return send(response, await this.#issue(visitor));
      case 'action': {
        const failure = await runAction(this.#actions, { ...route, visitor });
        if (failure !== null) return send(response, refusalAnswer(failure));
        return void response.writeHead(204, { 'cache-control': 'no-store' }).end();
      }
      case 'events': {
        const subs = await this.#subscriptions(request);
        return this.#streams.serve(request, response, { principal: visitor, subs });
      }
      case 'operation_events':
        return this.#streams.serve(request, response, { principal: visitor, operation: route.id });
    }
  }

  /** The checks that need no user. */
  #check(route: Route, request: IncomingMessage): Answer | null {
    if (!isAllowed(route, request)) return notAllowed(route);
    if (this.#isClosing) return refusalAnswer('shutting_down');
    const refusal = this.#guard.refusal(request);
    return refusal === null ? null : refusalAnswer(refusal);
  }

  async #issue({ identity, request }: NodeVisitor<U>): Promise<Answer> {
    const { user, session } = identity;
    try {
      const claims = { user, session, origin: request.headers.origin ?? '' };
      return jsonAnswer(200, await this.#tickets.issue(claims));
    } catch (error) {
      if (error instanceof ProgressError && error.code === 'too_many_tickets')
        return refusalAnswer('too_many_tickets');
      throw error;
    }
  }

  async #authenticate(request: IncomingMessage, ticket: string | null): Promise<NodeVisitor<U> | null> {
    const claims = ticket === null ? null : await this.#tickets.take(ticket);
    if (claims === null || (claims.purpose ?? 'watch') !== 'watch') return null;
    if (claims.origin !== (request.headers.origin ?? '')) return null;
    const visitor = await identify(this.#asking, request);
    return visitor !== null && isSame(visitor.identity, claims) ? visitor : null;
  }

  async #subscriptions(request: IncomingMessage): Promise<unknown> {
    if (request.method === 'GET') return subscriptionsOfQuery(request.url ?? '');
    const { messageBytes: maxBytes, upgradeMs: deadlineMs } = this.#limits;
    return readJson(request, { maxBytes, deadlineMs });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#isClosing) {
      socket.on('error', () => socket.destroy());
      return refuseUpgrade(socket, 503);
    }
    this.#gateway.handle(request, socket, head);
  }

  #visitors(): NodeVisitor<U>[] {
    return [...this.#gateway.principals(), ...this.#streams.principals()];
  }

  /** Ends the connections whose request is not of the same user any more. Their clients ask for a new ticket. */
  async #checkVisitors(): Promise<void> {
    await Promise.all(this.#visitors().map((visitor) => this.#checkVisitor(visitor)));
  }

  async #checkVisitor(visitor: NodeVisitor<U>): Promise<void> {
    const report = (error: unknown): void => this.#report(error, 'user');
    if (await isStill(visitor, { ...this.#asking, report })) return;
    const isIt = ({ request }: NodeVisitor<U>): boolean => request === visitor.request;
    this.#gateway.closeSessions(isIt, { reconnect: true });
    this.#streams.closeSessions(isIt);
  }

  #report(error: unknown, stage: string): void {
    this.#onError(error, { stage });
  }
}

function isAllowed(route: Route, { method = '' }: IncomingMessage): boolean {
  return methodsOf(route).includes(method);
}

function notAllowed(route: Route): Answer {
  return refusalAnswer('method_not_allowed', { allow: methodsOf(route).join(', ') });
}

function ownerCancels(user: ProgressUser, verb: string, snapshot: { owner: string }): boolean {
  return verb === 'cancel' && isOwner(user, snapshot);
}
