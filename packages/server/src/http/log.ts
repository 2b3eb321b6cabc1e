import type { OperationRecord } from '@wcc/progress/server';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { auditName } from '../access/principal.ts';
import type { LogLevel } from '../config/config.ts';

/** Should a header or a body ever be logged by mistake, these are not in it. */
const secrets = [
  'authorization',
  'cookie',
  '["set-cookie"]',
  '["sec-websocket-protocol"]',
  'password',
  'passwordHash',
  'secret',
  'ticket',
  'token',
];

function redactedPaths(): string[] {
  const at = (prefix: string): string[] =>
    secrets.map((name) => (name.startsWith('[') ? `${prefix}${name}` : `${prefix}.${name}`));
  return [
    ...secrets.filter((name) => !name.startsWith('[')),
    ...at('*'),
    ...at('*.headers'),
    ...at('*.body'),
  ];
}

/** Takes one line at a time; a test reads them. */
export interface LogDestination {
  write(line: string): void;
}

/** JSON lines; to standard error, written at once, so that the last words of a crash are there. */
export function createLogger(level: LogLevel, destination?: LogDestination): Logger {
  const redact = { paths: redactedPaths(), censor: '[redacted]' };
  return pino({ level, redact, base: null }, destination ?? pino.destination({ fd: 2, sync: true }));
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Programs call it many times a second: a good answer is no news. */
    isFrequent?: boolean;
  }
}

/** One line for every state that an operation reaches, its beginning and its end among them. */
export function logState(logger: FastifyBaseLogger, record: OperationRecord): void {
  const { id: operation, action, label, state, stateReason, error, ownerName, elapsedMs } = record;
  const line = { operation, action, label, state, owner: ownerName, elapsedMs };
  const reason = stateReason?.code ?? error?.code;
  logger.info(reason === undefined ? line : { ...line, reason }, 'operation');
}

/** One line a request: no header, no body, no query. */
export function registerRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, routeOptions, clientAddress, principal } = request;
    const line = {
      method,
      route: routeOptions.url ?? null,
      url: url.split('?', 1)[0],
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
      principal: principal === null ? null : auditName(principal),
      address: clientAddress,
    };
    const isUsual = method === 'GET' || routeOptions.config.isFrequent === true;
    if (isUsual && reply.statusCode < 400) request.log.debug(line, 'request');
    else request.log.info(line, 'request');
  });
}
