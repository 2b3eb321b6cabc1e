import type { OperationRecord } from '../operations/record.ts';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { auditName } from '../access/principal.ts';
import type { LogLevel } from '../config/config.ts';

/** Fields that the log never shows, even if a header or body is logged by mistake. */
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
  'pageKey',
  '["wcc-page-key"]',
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

/** Receives log lines; for tests. */
export interface LogDestination {
  write(line: string): void;
}

/** Writes JSON lines to standard error, synchronously, so that the last lines before a crash are not lost. */
export function createLogger(level: LogLevel, destination?: LogDestination): Logger {
  const redact = { paths: redactedPaths(), censor: '[redacted]' };
  return pino({ level, redact, base: null }, destination ?? pino.destination({ fd: 2, sync: true }));
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Programs call it many times per second, so its successes are logged at debug level. */
    isFrequent?: boolean;
  }
}

/** Logs every state change of an operation. */
export function logState(logger: FastifyBaseLogger, record: OperationRecord): void {
  const { id: operation, action, label, state, stateReason, error, ownerName, elapsedMs } = record;
  const line = { operation, action, label, state, owner: ownerName, elapsedMs };
  const reason = stateReason?.code ?? error?.code;
  logger.info(reason === undefined ? line : { ...line, reason }, 'operation');
}

/** Says why the start takes long. Requests wait until it is complete. */
export function logUpdate(logger: FastifyBaseLogger, update: { from: number; to: number }): void {
  logger.warn(update, 'updating the database of an earlier version: with a long history this takes minutes');
}

/** Says that the wall clock jumped, and what that means. */
export function logJump(logger: FastifyBaseLogger, jumpMs: number): void {
  const text =
    'the clock of this host jumped: ages of uploads and operations ignore the jump, but check the clock';
  logger.warn({ jumpMs: Math.round(jumpMs) }, text);
}

/** Logs each request without headers, body and query. */
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
