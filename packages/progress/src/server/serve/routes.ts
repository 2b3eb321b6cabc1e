import type { IncomingMessage } from 'node:http';

/** What a request on the path of `serveProgress` asks for. */
export type Route =
  | { name: 'ticket' }
  | { name: 'events' }
  | { name: 'element' }
  | { name: 'upgrade_required' }
  | { name: 'operation_events'; id: string }
  | { name: 'action'; id: string; verb: string };

const methods: Readonly<Record<Route['name'], readonly string[]>> = {
  ticket: ['POST'],
  events: ['GET', 'POST'],
  element: ['GET', 'HEAD'],
  operation_events: ['GET'],
  action: ['POST'],
  upgrade_required: ['GET'],
};

/** @returns `null` for a request of the application */
export function routeOf(base: string, request: IncomingMessage): Route | null {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  // A proxy that does not forward upgrades removes `Upgrade` and keeps this header.
  if (path === base)
    return request.headers['sec-websocket-key'] === undefined ? null : { name: 'upgrade_required' };
  if (!path.startsWith(`${base}/`)) return null;
  const [first, name, last, ...more] = path.slice(base.length + 1).split('/');
  if (name === undefined && first === 'ticket') return { name: 'ticket' };
  if (name === undefined && first === 'events') return { name: 'events' };
  if (name === undefined && first === 'element.js') return { name: 'element' };
  if (first !== 'operations' || name === undefined || last === undefined || more.length > 0) return null;
  const id = decode(name);
  return last === 'events' ? { name: 'operation_events', id } : { name: 'action', id, verb: last };
}

/** The id of an operation; empty, which none has, if it is not decodable. */
function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return '';
  }
}

/** The methods that a route allows. */
export function methodsOf({ name }: Route): readonly string[] {
  return methods[name];
}
