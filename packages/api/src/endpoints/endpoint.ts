import type { z } from 'zod';
import type { ErrorCode } from '../errors/errors.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

/** What a header or a body that is no JSON is, in words. */
export interface Field {
  name: string;
  description: string;
  required?: boolean;
}

export interface Answer {
  status: number;
  description: string;
  /** Of a JSON body; without it the answer has none, or one of `mediaType`. */
  schema?: z.ZodType;
  /** Of a body that is no JSON. */
  mediaType?: string;
  headers?: readonly Field[];
}

/** One row of the table from which the API's description is made. */
export interface Endpoint {
  method: Method;
  /** As OpenAPI writes it: `/api/images/{id}`. */
  path: string;
  /** Under which heading it stands. */
  tag: string;
  summary: string;
  description?: string;
  /** `nobody`: no sign-in is needed; `session`: a cookie, no token. @default 'anybody' who is signed in */
  signedIn?: 'nobody' | 'session';
  query?: z.ZodObject;
  body?: z.ZodType;
  /** May be left out. @default false */
  isBodyOptional?: boolean;
  /** Of a body that is no JSON. */
  bodyType?: string;
  headers?: readonly Field[];
  answer: Answer;
  /** Those that this endpoint has beside the ones that all have. */
  errors?: readonly ErrorCode[];
}

/** Taken by whatever makes something. */
export const idempotencyKey: Field = {
  name: 'Idempotency-Key',
  description: 'For 24 hours the same key with the same body gives the same operation.',
};

export const location: Field = { name: 'Location', description: 'Address of what was made.' };

export const cursorNote = 'A page; `next`, when it is there, is the `cursor` of the following one.';
