import { z } from 'zod';
import { label } from './label.ts';
import type { Snapshot } from '@wcc/progress';

export const operationId = z
  .string()
  .regex(/^[a-z2-7]{26}$/)
  .describe('26 characters of lower-case base32');

export const operationState = z.enum([
  'queued',
  'running',
  'paused',
  'cancelling',
  'interrupted',
  'succeeded',
  'failed',
  'cancelled',
]);
const unit = z.enum(['bytes', 'steps']).nullable();
const phaseState = z.enum(['pending', 'running', 'done', 'skipped', 'failed']);
const reference = z.object({
  kind: z.string(),
  id: z.union([z.number(), z.string()]).nullable(),
  name: z.string(),
});
const phase = z.object({
  name: z.string(),
  unit,
  done: z.number(),
  durable: z.number(),
  total: z.number().nullable(),
  state: phaseState,
  elapsedMs: z.number(),
});
const phaseName = z.object({ name: z.string(), state: phaseState, elapsedMs: z.exactOptional(z.number()) });

/** The record of an operation, with the same fields in API, socket, CLI and console. */
export const operation = z.object({
  id: z.string(),
  epoch: z.string(),
  seq: z.number(),
  at: z.string(),
  label: z.string(),
  action: z.string(),
  title: z.string().nullable().describe("shown instead of the action's name"),
  subject: reference,
  target: reference.nullable(),
  owner: z.string(),
  ownerName: z.string(),
  host: z.string().nullable().describe('name of the host that runs it'),
  state: operationState,
  queuePosition: z.number().nullable(),
  stateReason: z
    .object({
      code: z.string(),
      params: z.exactOptional(z.record(z.string(), z.union([z.string(), z.number()]))),
    })
    .nullable(),
  phases: z.array(z.union([phase, phaseName])),
  phaseIndex: z.number(),
  rate: z.number().nullable(),
  etaMs: z.number().nullable(),
  etaAbsence: z
    .enum(['total_unknown', 'too_early', 'not_running', 'stalled', 'few_samples', 'unsteady', 'no_units'])
    .nullable(),
  bytes: z
    .object({
      virtual: z.number(),
      data: z.number(),
      skipped: z.number(),
      shared: z.number(),
      written: z.number(),
    })
    .nullable(),
  method: z.string().nullable().describe('how the work is done, e.g. clone'),
  elapsedMs: z.number(),
  sinceProgressMs: z.number(),
  stalled: z.boolean(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  warnings: z.array(z.string()),
  error: z
    .object({ code: z.string(), message: z.string(), hint: z.string(), detail: z.string().nullable() })
    .nullable(),
  result: z.object({ kind: z.string(), id: z.union([z.number(), z.string()]) }).nullable(),
  retryOf: z.string().nullable(),
  partOf: z.string().nullable(),
}) satisfies z.ZodType<Snapshot>;

/** What the caller may do now; never part of a broadcast snapshot. `share`: manage grants and share links. */
export const may = z.object({
  cancel: z.boolean(),
  pause: z.boolean(),
  resume: z.boolean(),
  retry: z.boolean(),
  share: z.boolean(),
});
export type May = z.infer<typeof may>;

export const operationWithMay = operation.extend({ may: may.optional() });
export type Operation = z.infer<typeof operationWithMay>;

export const accepted = z.object({ operation: operationWithMay });
export type Accepted = z.infer<typeof accepted>;

/** The `sub` messages of a client, as it would send them over a socket; `epoch` and `seq` name what it holds. */
export const watchRequest = z.array(
  z.union([
    z.object({
      t: z.literal('sub'),
      id: z.number().int().min(0),
      ops: z
        .array(z.object({ op: operationId, epoch: z.string().optional(), seq: z.number().optional() }))
        .max(64),
    }),
    z.object({ t: z.literal('sub'), id: z.number().int().min(0), list: z.enum(['mine', 'all']) }),
  ]),
);

export const operationQuery = z.strictObject({
  state: z.string().optional().describe('states, separated by commas'),
  action: z.string().optional(),
  owner: z.string().optional(),
  subject: z.string().optional().describe('<kind>:<id>, e.g. image:100'),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  cursor: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type OperationQuery = z.input<typeof operationQuery>;

export const operationList = z.object({ items: z.array(operationWithMay), next: z.string().optional() });
export type OperationList = z.infer<typeof operationList>;

/** One line of an operation's log: a state change, a phase, a checkpoint or a warning. */
export const logEntry = z.object({ at: z.string(), kind: z.string(), text: z.string() });
export const operationLog = z.object({ items: z.array(logEntry) });
export type OperationLog = z.infer<typeof operationLog>;

const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/)
  .describe('lower-case letters, digits and underscores');
const text = (length: number): z.ZodString => z.string().min(1).max(length);
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const publishedReference = z.strictObject({
  kind: identifier,
  id: z
    .union([z.number().int().min(0), label({ min: 1, max: 128 })])
    .nullable()
    .default(null),
  name: label({ min: 1, max: 255 }),
});

/**
 * An operation that another program performs and reports. It is running from the start. Each report renews the
 * lease. When the lease ends without a report, the operation becomes `interrupted`.
 */
export const publishOperationRequest = z.strictObject({
  action: identifier,
  subject: publishedReference,
  target: publishedReference.nullable().default(null),
  phase: identifier.default('work').describe('name of the first phase'),
  total: count.nullable().default(null).describe('units of the first phase; null: unknown'),
  unit: unit.default('steps'),
  leaseS: z.number().int().min(5).max(3600).default(30),
});
export type PublishOperationRequest = z.input<typeof publishOperationRequest>;
export type PublishOperationInput = z.output<typeof publishOperationRequest>;

/**
 * All fields are optional; an empty report renews the lease. `done` is absolute and never decreases; `add` is
 * relative. A new `phase` starts with `done` at 0.
 */
export const reportProgressRequest = z
  .strictObject({
    phase: identifier.optional(),
    total: count.nullable().optional(),
    unit: unit.optional(),
    done: count.optional(),
    add: count.optional(),
  })
  .refine(({ done, add }) => done === undefined || add === undefined, {
    message: 'send done or add, not both',
    path: ['add'],
  });
export type ReportProgressRequest = z.infer<typeof reportProgressRequest>;

export const endOperationRequest = z
  .strictObject({
    state: z.enum(['succeeded', 'failed', 'cancelled']),
    error: z
      .strictObject({
        code: identifier.default('failed'),
        message: text(500),
        hint: z.string().max(500).default(''),
        detail: z.string().max(1000).nullable().default(null),
      })
      .optional(),
    result: z
      .strictObject({ kind: identifier, id: z.union([z.number().int(), text(128)]) })
      .nullable()
      .default(null),
  })
  .refine(({ state, error }) => (state === 'failed') === (error !== undefined), {
    message: 'required for the state failed, and not allowed for another state',
    path: ['error'],
  });
export type EndOperationRequest = z.input<typeof endOperationRequest>;
export type EndOperationInput = z.output<typeof endOperationRequest>;
