import type { IncomingMessage } from 'node:http';
import type { Snapshot } from '@wcc/progress';
import { ProgressError } from '@wcc/progress';
import type { OperationVerb } from '@wcc/progress/protocol';
import { assertHub, assertOptions } from '../assert-options.ts';
import type { GatewayOptions } from '../gateway/options.ts';
import type { Tickets } from '../tickets.ts';
import type { ProgressUser, UserOf } from './identity.ts';
import type { TrustOptions } from './trust.ts';

/** Rules that `serveProgress` and `eventStream` share. `R` is the type of a request. */
export interface WatchRules<U extends ProgressUser, R>
  extends
    Pick<GatewayOptions<unknown>, 'hub' | 'lookup' | 'sharedLimits' | 'limits' | 'onError'>,
    TrustOptions {
  /**
   * Who sends this request: the id of a user, or an object with `id` and optionally `session`; `null` refuses it. It
   * receives the request before any middleware, so read the cookie or the token here. It is asked again every minute.
   */
  user: UserOf<U, R>;
  /** Called at each watch, at each change of rights and every 60 s. @default the owner alone */
  canWatch?: (user: U, snapshot: Snapshot) => boolean;
}

/** Options of {@link serveProgress}. */
export interface ServeProgressOptions<U extends ProgressUser = ProgressUser> extends WatchRules<
  U,
  IncomingMessage
> {
  /** Where the routes are; pages connect to it: `connect('/progress')`. @default '/progress' */
  path?: string;
  /**
   * Does what a page asks for, e.g. `cancel`. Resolves when the action is accepted; its effect is a new snapshot.
   * Without it no action is offered.
   */
  onAction?: (id: string, verb: OperationVerb, user: U) => unknown;
  /** Who may do what with an operation that they may watch. @default the owner may `cancel` */
  canAct?: (user: U, verb: OperationVerb, snapshot: Snapshot) => boolean;
  /** Tickets with a store that several processes share. @default tickets in the memory of this process */
  tickets?: Tickets;
  /** The class of the package `ws`. Pass it in a bundle. @default the installed package `ws` */
  WebSocketServer?: new (options: never) => object;
}

const known: ReadonlySet<string> = new Set([
  'hub',
  'lookup',
  'sharedLimits',
  'limits',
  'onError',
  'origin',
  'hosts',
  'user',
  'canWatch',
] satisfies (keyof WatchRules<ProgressUser, unknown>)[]);

const knownToServe: ReadonlySet<string> = new Set([
  ...known,
  ...(['path', 'onAction', 'canAct', 'tickets', 'WebSocketServer'] satisfies (keyof ServeProgressOptions)[]),
]);

const functions = ['user', 'canWatch', 'canAct', 'onAction', 'lookup', 'onError'];

/** @throws {ProgressError} `user_required`, `invalid_option` */
export function assertServeOptions(options: object): void {
  assertRules(options, knownToServe);
  const { path } = options as { path?: unknown };
  if (path === undefined) return;
  const isPath = typeof path === 'string' && /^(\/[A-Za-z0-9._~-]+)+$/.test(path);
  if (!isPath) throw invalid(`path: ${JSON.stringify(path)} is not like "/progress"`);
}

/** @throws {ProgressError} `user_required`, `invalid_option` */
export function assertStreamOptions(options: object): void {
  assertRules(options, new Set([...known, 'operation']));
}

function assertRules(options: unknown, names: ReadonlySet<string>): void {
  const { user } = (options ?? {}) as { user?: unknown };
  if (user === undefined || user === null) throw new ProgressError('user_required');
  assertHub(options);
  assertOptions(options, { functions, names });
}

const invalid = (detail: string): ProgressError => new ProgressError('invalid_option', { detail });
