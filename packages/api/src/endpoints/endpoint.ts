import type { z } from 'zod';
import type { ErrorCode } from '../errors/registry.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

/** A header, described in words. */
export interface Field {
  name: string;
  description: string;
  required?: boolean;
}

export interface Answer {
  status: number;
  description: string;
  /** Schema of a JSON body. Without it, the answer has no body or one of `mediaType`. */
  schema?: z.ZodType;
  /** Media type of a body that is not JSON. */
  mediaType?: string;
  headers?: readonly Field[];
}

/** One endpoint, as the table of the API describes it. */
export interface Endpoint {
  method: Method;
  /** The path in OpenAPI form: `/api/images/{id}`. */
  path: string;
  /** Heading in the documentation. */
  tag: string;
  summary: string;
  description?: string;
  /**
   * `none`: no credentials; `session`: cookie and page key, but no token; `ticket`: the cookie, and a ticket in the
   * body. @default cookie and page key, or token
   */
  signedIn?: 'none' | 'session' | 'ticket';
  query?: z.ZodObject;
  body?: z.ZodType;
  /** @default false */
  isBodyOptional?: boolean;
  /** Media type of a body that is not JSON. */
  bodyType?: string;
  headers?: readonly Field[];
  answer: Answer;
  /** Error codes of this endpoint, besides the common ones. */
  errors?: readonly ErrorCode[];
}

/** Accepted by all requests that create something. */
export const idempotencyKey: Field = {
  name: 'Idempotency-Key',
  description: 'For 24 hours, a request with the same key and body returns the same operation.',
};

export const location: Field = { name: 'Location', description: 'The address of the new resource.' };

export const cursorNote =
  'The answer is one page. `next` is the `cursor` of the next page; it is absent on the last page.';
