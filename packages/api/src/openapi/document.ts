import type { Answer, Endpoint, Field } from '../endpoints/endpoint.ts';
import { endpoints } from '../endpoints/endpoints.ts';
import type { ErrorCode } from '../errors/registry.ts';
import { errorRegistry } from '../errors/registry.ts';
import { operationId } from '../operations.ts';
import { componentSchemas, inline, schemaOf } from './schemas.ts';
import type { JsonSchema } from './schemas.ts';
import { pageKeyHeader } from '../version.ts';

/** The parts of an OpenAPI 3.1 document that wcc uses. */
export interface OpenApiDocument {
  openapi: string;
  info: {
    title: string;
    version: string;
    description: string;
    license: { name: string; identifier: string };
  };
  tags: { name: string }[];
  paths: Record<string, Record<string, ApiOperation>>;
  components: JsonSchema;
}

export interface ApiOperation {
  tags: string[];
  operationId: string;
  summary: string;
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, ApiResponse>;
}

export interface Parameter {
  in: 'path' | 'query' | 'header';
  name: string;
  required: boolean;
  description?: string;
  schema: JsonSchema;
}

export interface ApiResponse {
  description: string;
  headers?: Record<string, { description: string; schema: JsonSchema }>;
  content?: Content;
}

type Content = Record<string, { schema?: JsonSchema }>;

const about = `The console and the command line use only these calls.
Long actions answer 202 with an operation that you can watch. Errors are RFC 9457 problem documents with a code and a hint.`;

/** The description of the whole API, from the table of endpoints and the schemas. */
export function createOpenApiDocument(version: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  for (const endpoint of endpoints) {
    const path = (paths[endpoint.path] ??= {});
    path[endpoint.method.toLowerCase()] = describe(endpoint);
  }
  return {
    openapi: '3.1.1',
    info: { title: 'wcc', version, description: about, license: { name: 'MIT', identifier: 'MIT' } },
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-wcc_sid_443',
          description:
            'The session cookie, named after the port; `wcc_sid_8471` over plain http. Changes need the exact Origin header.',
        },
        pageKey: {
          type: 'apiKey',
          in: 'header',
          name: pageKeyHeader,
          description: 'The `pageKey` of the answer to the sign-in. The cookie alone gives no access.',
        },
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of a user, or WCC_ADMIN_TOKEN.',
        },
      },
    },
  };
}

function describe(endpoint: Endpoint): ApiOperation {
  const { tag, summary, description, signedIn } = endpoint;
  const parameters = parametersOf(endpoint);
  return {
    tags: [tag],
    operationId: nameOf(endpoint),
    summary,
    ...(description === undefined ? {} : { description }),
    security: securityOf(signedIn),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(endpoint),
    responses: responsesOf(endpoint),
  };
}

function securityOf(signedIn: Endpoint['signedIn']): Record<string, string[]>[] {
  if (signedIn === 'none') return [];
  if (signedIn === 'ticket') return [{ session: [] }];
  const session = { session: [], pageKey: [] };
  return signedIn === 'session' ? [session] : [session, { token: [] }];
}

/** `POST /api/images/{id}/copy` → `post_images_id_copy`. */
function nameOf({ method, path }: Endpoint): string {
  const words = path
    .replace(/^\/api/, '')
    .split(/[^a-z]+/i)
    .filter((word) => word !== '');
  return [method.toLowerCase(), ...words].join('_');
}

function parametersOf({ path, query, headers = [] }: Endpoint): Parameter[] {
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']): Parameter => {
    return { in: 'path', name, required: true, schema: pathSchema(path, name) };
  });
  const { properties = {}, required = [] } = query === undefined ? {} : queryFacts(inline(query, 'input'));
  const parameters = Object.entries(properties).map(([name, { description, ...schema }]): Parameter => {
    const described = typeof description === 'string' ? { description } : {};
    return { in: 'query', name, required: required.includes(name), ...described, schema };
  });
  return [...named, ...parameters, ...headers.map(headerParameter)];
}

function queryFacts(schema: JsonSchema): { properties?: Record<string, JsonSchema>; required?: string[] } {
  return schema;
}

/** Ids of images and machines are numbers; ids of operations and uploads have their own alphabet. */
function pathSchema(path: string, name: string): JsonSchema {
  if (name === 'index') return { type: 'integer', minimum: 0 };
  if (name !== 'id') return { type: 'string' };
  if (/^\/api\/(images|vms)\//.test(path)) return { type: 'integer', minimum: 100 };
  return /^\/api\/(operations|uploads)\//.test(path) ? schemaOf(operationId, 'input') : { type: 'string' };
}

function headerParameter({ name, description, required = false }: Field): Parameter {
  return { in: 'header', name, required, description, schema: { type: 'string' } };
}

function bodyOf({ body, bodyType, isBodyOptional = false }: Endpoint): Pick<ApiOperation, 'requestBody'> {
  const required = !isBodyOptional;
  if (bodyType !== undefined) return { requestBody: { required, content: { [bodyType]: {} } } };
  if (body === undefined) return {};
  return { requestBody: { required, content: { 'application/json': { schema: schemaOf(body, 'input') } } } };
}

function responsesOf(endpoint: Endpoint): Record<string, ApiResponse> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(endpoint)) {
    const { status } = errorRegistry[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const refusals = [...byStatus].map(([status, codes]): [string, ApiResponse] => [
    String(status),
    refusal(codes.map((code) => `\`${code}\`: ${errorRegistry[code].message}`).join('\n'), endpoint),
  ]);
  const answer = endpoint.answer;
  return {
    [String(answer.status)]: successOf(answer),
    ...Object.fromEntries(refusals),
    default: refusal('Any other error, see its code.', endpoint),
  };
}

/** The common error codes for this kind of endpoint, and the endpoint's own codes. */
function errorsOf({ path, signedIn, body, bodyType, errors = [] }: Endpoint): Set<ErrorCode> {
  const all: ErrorCode[] = [];
  if (signedIn !== 'none') all.push('unauthenticated', 'forbidden');
  if (path.includes('{')) all.push('not_found');
  if (body !== undefined) all.push('malformed_request', 'invalid_input');
  if (body !== undefined || bodyType !== undefined) all.push('unsupported_media_type');
  return new Set([...all, ...errors]);
}

function refusal(description: string, { method }: Endpoint): ApiResponse {
  // An answer to HEAD has no body.
  if (method === 'HEAD') return { description };
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

function successOf({ description, schema, mediaType, headers }: Answer): ApiResponse {
  const content: Content | undefined =
    schema !== undefined
      ? { 'application/json': { schema: schemaOf(schema, 'output') } }
      : mediaType !== undefined
        ? { [mediaType]: {} }
        : undefined;
  return {
    description,
    ...(headers === undefined ? {} : { headers: Object.fromEntries(headers.map(headerOf)) }),
    ...(content === undefined ? {} : { content }),
  };
}

function headerOf({ name, description }: Field): [string, { description: string; schema: JsonSchema }] {
  return [name, { description, schema: { type: 'string' } }];
}
