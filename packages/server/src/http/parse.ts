import { ApiError } from '@wcc/api';
import type { FastifyRequest } from 'fastify';

interface Issue {
  code?: string | undefined;
  path: readonly PropertyKey[];
  message: string;
  keys?: readonly string[] | undefined;
  params?: Record<string, unknown> | undefined;
}

/** The part of a zod schema that is needed here. */
export interface Schema<Output> {
  safeParse(
    value: unknown,
  ): { success: true; data: Output } | { success: false; error: { issues: readonly Issue[] } };
}

/** Parses the body; a missing body counts as an empty object. @throws ApiError that names the field */
export function parseBody<Output>(schema: Schema<Output>, request: FastifyRequest): Output {
  return parse(schema, request.body ?? {});
}

/** Parses the query. @throws ApiError that names the parameter */
export function parseQuery<Output>(schema: Schema<Output>, request: FastifyRequest): Output {
  return parse(schema, { ...(request.query as object) });
}

/** Parses any other value. @throws ApiError that names the field */
export function parse<Output>(schema: Schema<Output>, value: unknown): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  // First the unknown fields: one of them is often the misspelt missing field.
  throw toError(issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]);
}

/** Wrong shape → malformed_request; value out of range → invalid_input; invalid image name → invalid_name. */
function toError(issue: Issue | undefined): ApiError {
  if (!issue) return new ApiError('malformed_request');
  const field = issue.keys?.[0] ?? issue.path.map(String).join('.');
  const named = field === '' ? {} : { field };
  if (issue.code === 'unrecognized_keys') {
    return new ApiError('malformed_request', { message: `Unknown field "${field}".`, ...named });
  }
  if (issue.code === 'invalid_type') {
    return new ApiError('malformed_request', { message: issue.message, ...named });
  }
  const code = issue.params?.['problem'] === undefined ? 'invalid_input' : 'invalid_name';
  return new ApiError(code, { message: issue.message, ...named });
}
