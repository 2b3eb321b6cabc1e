import { z } from 'zod';
import { label } from './label.ts';
import { isReservedUserName } from './names.ts';
import { operationId } from './operations.ts';
import {
  findPasswordProblem,
  passwordMaxLength,
  passwordMinLength,
  passwordProblemMessages,
} from './passwords.ts';

/** Letters, digits, dot, underscore and hyphen; starts with a letter or digit; 1 to 32 characters. */
export const userName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,31}$/, 'Use 1 to 32 of a-z 0-9 . _ - and start with a letter or digit.');

/** 10 to 1,024 characters; any character is allowed. Common and repeated passwords are refused. */
export const password = z
  .string()
  .min(passwordMinLength, passwordProblemMessages.too_short)
  .max(passwordMaxLength, passwordProblemMessages.too_long)
  .superRefine((value, context) => {
    const problem = findPasswordProblem(value);
    if (problem === null || problem === 'too_short' || problem === 'too_long') return;
    context.addIssue({ code: 'custom', message: passwordProblemMessages[problem], params: { problem } });
  });

export const role = z.enum(['admin', 'operator', 'viewer']);
export type Role = z.infer<typeof role>;

export const user = z.object({
  id: z.string(),
  name: z.string(),
  role,
  disabled: z.boolean(),
  createdAt: z.string(),
});
export type User = z.infer<typeof user>;
export const userList = z.object({ items: z.array(user) });
export type UserList = z.infer<typeof userList>;

/** Excludes the names that the audit record gives to other actors than users. */
const newUserName = userName.refine(
  (name) => !isReservedUserName(name),
  'The audit record uses this name for another actor.',
);

export const createUserRequest = z.strictObject({ name: newUserName, role, password });
export type CreateUserRequest = z.infer<typeof createUserRequest>;
export const changeUserRequest = z.strictObject({
  role: role.optional(),
  password: password.optional(),
  disabled: z.boolean().optional(),
});
export type ChangeUserRequest = z.infer<typeof changeUserRequest>;

export const signInRequest = z.strictObject({
  name: z.string().max(64),
  password: z.string().max(1024),
});
export type SignInRequest = z.infer<typeof signInRequest>;
/** The secret comes from the fragment of the one-time link. */
export const firstSignInRequest = z.strictObject({
  secret: z.string().max(128),
  name: newUserName.default('admin'),
  password,
});
export type FirstSignInRequest = z.input<typeof firstSignInRequest>;
export type FirstSignInInput = z.output<typeof firstSignInRequest>;

export const session = z.object({
  user: user.omit({ disabled: true, createdAt: true }),
  /** Milliseconds until the session ends, from the server's clock. */
  expiresInMs: z.number(),
  version: z.string().describe('version of the server'),
});
export type Session = z.infer<typeof session>;
/** Only this answer contains the page key; the server stores its hash. */
export const newSession = session.extend({
  pageKey: z
    .string()
    .describe('The second secret of the session: send it as the header `wcc-page-key` beside the cookie.'),
});
export type NewSession = z.infer<typeof newSession>;

/** Changes the user's own password. All other sessions of the user end. */
export const changePasswordRequest = z.strictObject({ current: z.string().max(1024), next: password });
export type ChangePasswordRequest = z.infer<typeof changePasswordRequest>;

/**
 * `operations` limits the ticket to these operations, read-only and in their public form. A bearer token may add an
 * `origin` from the server's list. A page of that origin can then open a socket without a cookie.
 */
export const ticketRequest = z.strictObject({
  purpose: z.enum(['watch', 'screen', 'serial', 'download']),
  target: z
    .string()
    .max(64)
    .optional()
    .describe('id of the machine (`screen`, `serial`) or of the image (`download`)'),
  operations: z.array(operationId).min(1).max(64).optional(),
  origin: z.string().max(256).optional(),
});
export type TicketRequest = z.infer<typeof ticketRequest>;
export const ticket = z.object({
  ticket: z.string(),
  expiresInS: z.number(),
  operations: z
    .exactOptional(z.array(z.string()))
    .describe('the only operations of the ticket; absent for an unlimited ticket'),
});
export type Ticket = z.infer<typeof ticket>;
/** Field of the form that starts a download in a browser. */
export const downloadForm = z.strictObject({ ticket: z.string().max(128) });

/**
 * `read`: view; `write`: also change; `publish`: only report its own operations. A token never has more rights than
 * its user.
 */
export const tokenScope = z.enum(['read', 'write', 'publish']);
export type TokenScope = z.infer<typeof tokenScope>;
/** `all` is for administrators. */
export const tokenQuery = z.strictObject({ owner: z.enum(['me', 'all']).default('me') });
export const createTokenRequest = z.strictObject({
  name: label({ min: 1, max: 64 }),
  scope: tokenScope.default('write'),
  expiresInDays: z.number().int().min(1).max(366).default(90),
});
export type CreateTokenRequest = z.input<typeof createTokenRequest>;
export type CreateTokenInput = z.output<typeof createTokenRequest>;
export const token = z.object({
  id: z.string(),
  name: z.string(),
  scope: tokenScope,
  userId: z.string(),
  userName: z.string(),
  createdAt: z.string(),
  expiresAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
export type Token = z.infer<typeof token>;
export const tokenList = z.object({ items: z.array(token) });
export type TokenList = z.infer<typeof tokenList>;
/** Only this answer contains the secret; the server stores its hash. */
export const createdToken = token.extend({ secret: z.string() });
export type CreatedToken = z.infer<typeof createdToken>;

export const auditEntry = z.object({
  number: z.number(),
  at: z.string(),
  who: z.string(),
  address: z.string(),
  what: z.string(),
  subject: z.string().nullable(),
  result: z.string(),
});
export const auditList = z.object({ items: z.array(auditEntry), next: z.string().optional() });
export type AuditList = z.infer<typeof auditList>;
export const auditQuery = z.strictObject({
  who: z.string().max(128).optional().describe('exact name'),
  what: z.string().max(64).optional().describe('beginning of the word, e.g. share or share.create'),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** The right of another user on one operation: `watch` it, or also `control` it within their role. */
export const grantLevel = z.enum(['watch', 'control']);
export type GrantLevel = z.infer<typeof grantLevel>;
export const createGrantRequest = z.strictObject({ userName, level: grantLevel.default('watch') });
export type CreateGrantRequest = z.input<typeof createGrantRequest>;
export type CreateGrantInput = z.output<typeof createGrantRequest>;
export const grant = z.object({
  userId: z.string(),
  userName: z.string(),
  level: grantLevel,
  grantedBy: z.string().describe('name of the user who granted it'),
  createdAt: z.string(),
});
export type Grant = z.infer<typeof grant>;
export const grantList = z.object({ items: z.array(grant) });
export type GrantList = z.infer<typeof grantList>;

/** A link that shows one operation without sign-in: read-only, without owner, detail and related ids. */
export const createShareRequest = z.strictObject({
  name: label({ min: 0, max: 64 }).default('').describe('a note, e.g. the recipient'),
  expiresInS: z
    .number()
    .int()
    .min(60)
    .max(30 * 86_400)
    .default(86_400),
});
export type CreateShareRequest = z.input<typeof createShareRequest>;
export type CreateShareInput = z.output<typeof createShareRequest>;
export const share = z.object({
  id: z.string(),
  operationId: z.string(),
  name: z.string(),
  createdBy: z.string().describe('name of the user who created it'),
  createdAt: z.string(),
  expiresAt: z.string(),
});
export type Share = z.infer<typeof share>;
export const shareList = z.object({ items: z.array(share) });
export type ShareList = z.infer<typeof shareList>;
/** Only this answer contains the secret. It is the fragment of `link`, and a bearer secret for programs. */
export const createdShare = share.extend({ secret: z.string(), link: z.string() });
export type CreatedShare = z.infer<typeof createdShare>;

/** What keeps the server from being `ok`. `data_disk_low` is a warning; with the others it cannot write. */
export const healthReasonCodes = [
  'database_full',
  'database_damaged',
  'database_unavailable',
  'data_disk_low',
] as const;
/** What an administrator should look at although the server works. */
export const healthWarnings = ['clock_jumped'] as const;
export const health = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  reasons: z
    .array(z.object({ code: z.enum(healthReasonCodes), message: z.string(), hint: z.string() }))
    .optional()
    .describe('only with `degraded`'),
  warnings: z
    .array(z.enum(healthWarnings))
    .optional()
    .describe('clock_jumped: the clock of the host has jumped in the last 24 hours'),
});
export type HealthReason = NonNullable<z.infer<typeof health>['reasons']>[number];
export type Health = z.infer<typeof health>;
export type HealthWarning = (typeof healthWarnings)[number];
