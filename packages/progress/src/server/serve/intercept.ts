import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { passAsRequest } from './pass-as-request.ts';

export interface Handlers {
  /** @returns false to leave the request to the application */
  request(request: IncomingMessage, response: ServerResponse): boolean;
  isOwnUpgrade(request: IncomingMessage): boolean;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

type AnyServer = (Server | SecureServer) & {
  /** Node 24.9 and newer. */
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
};

/** Marks the listeners of this module, so that several of them on one server know that no other listener is there. */
const mark = Symbol.for('@wcc/progress upgrade listener');

/**
 * Handles own requests and upgrades of a server before its listeners. It works in any order with a framework, because
 * it replaces `emit` and no listener. All other requests and upgrades reach the listeners as before.
 *
 * @returns a function that undoes it
 */
export function intercept(target: Server | SecureServer, handlers: Handlers): () => void {
  const server = target as AnyServer;
  let isActive = true;
  const emit = server.emit.bind(server) as (event: string | symbol, ...values: unknown[]) => boolean;
  const replaced = (event: string | symbol, ...values: unknown[]): boolean =>
    (isActive && handle(handlers, event, values)) || emit(event, ...values);
  server.emit = replaced as typeof server.emit;

  const restoreUpgrades = keepOtherUpgrades(server, handlers);
  return () => {
    isActive = false;
    restoreUpgrades();
    if ((server.emit as unknown) === replaced) Reflect.deleteProperty(server, 'emit');
  };
}

function handle(handlers: Handlers, event: string | symbol, values: unknown[]): boolean {
  if (event === 'upgrade') {
    const [request, socket, head] = values as [IncomingMessage, Duplex, Buffer];
    if (!handlers.isOwnUpgrade(request)) return false;
    handlers.upgrade(request, socket, head);
    return true;
  }
  if (event !== 'request' && event !== 'checkContinue') return false;
  const [request, response] = values as [IncomingMessage, ServerResponse];
  if (!handlers.request(request, response)) return false;
  // After a refusal, a 100 would be bytes between two answers.
  if (event === 'checkContinue' && !response.headersSent) response.writeContinue();
  return true;
}

/** Node treats a request as an upgrade only if someone listens. Upgrades of others must not change by our listener. */
function keepOtherUpgrades(server: AnyServer, handlers: Handlers): () => void {
  const listener = Object.assign(
    (upgrade: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (server.listeners('upgrade').find(isMarked) === listener && !hasOther(server))
        passAsRequest(server, { upgrade, socket, head });
    },
    { [mark]: true },
  );
  server.on('upgrade', listener);
  const should = server.shouldUpgradeCallback;
  if (typeof should === 'function') {
    server.shouldUpgradeCallback = (request) =>
      handlers.isOwnUpgrade(request) || (hasOther(server) && should.call(server, request));
  }
  return () => {
    server.off('upgrade', listener);
    if (typeof should === 'function') server.shouldUpgradeCallback = should;
  };
}

const isMarked = (listener: unknown): boolean => typeof listener === 'function' && mark in listener;
const hasOther = (server: AnyServer): boolean => !server.listeners('upgrade').every(isMarked);
