import { z } from 'zod';
import { password, userName } from './names.ts';

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

export const createUserRequest = z.strictObject({ name: userName, role, password });
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
  name: userName.default('admin'),
  password,
});
export type FirstSignInRequest = z.input<typeof firstSignInRequest>;
export type FirstSignInInput = z.output<typeof firstSignInRequest>;

export const session = z.object({
  user: user.omit({ disabled: true, createdAt: true }),
  /** Milliseconds until the session ends, from the server's clock. */
  expiresInMs: z.number(),
  version: z.string().describe('version of the server, for the reload banner'),
});
export type Session = z.infer<typeof session>;

export const ticketRequest = z.strictObject({
  purpose: z.enum(['watch', 'screen']),
  target: z.string().max(64).optional(),
});
export const ticket = z.object({ ticket: z.string(), expiresInS: z.number() });
export type Ticket = z.infer<typeof ticket>;

/** `read`: look; `write`: also change. Nothing beyond what its user may. */
export const tokenScope = z.enum(['read', 'write']);
export const createTokenRequest = z.strictObject({
  name: z.string().min(1).max(64),
  scope: tokenScope.default('write'),
  expiresInDays: z.number().int().min(1).max(366).default(90),
});
export type CreateTokenRequest = z.input<typeof createTokenRequest>;
export type CreateTokenInput = z.output<typeof createTokenRequest>;
export const token = z.object({
  id: z.string(),
  name: z.string(),
  scope: tokenScope,
  createdAt: z.string(),
  expiresAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
export type Token = z.infer<typeof token>;
export const tokenList = z.object({ items: z.array(token) });
export type TokenList = z.infer<typeof tokenList>;
/** The secret is told once, here, and kept hashed. */
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
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const health = z.object({ status: z.literal('ok'), version: z.string() });
export type Health = z.infer<typeof health>;
