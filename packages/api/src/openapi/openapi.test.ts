import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApiClient } from '../client/client.ts';
import { endpoints } from '../endpoints/endpoints.ts';
import { errorRegistry } from '../errors/registry.ts';
import { createOpenApiDocument } from './document.ts';

/** Each call of the client and the request that it sends. The answers have the fields of the endpoint's schema. */
async function recordCalls(): Promise<Map<string, string>> {
  let sent = '';
  const client = createApiClient({
    baseUrl: 'http://wcc.test',
    fetch: (input, init) => {
      sent = `${init.method} ${new URL(input).pathname}`;
      return Promise.resolve(answerTo(sent));
    },
  });
  const calls = new Map<string, string>();
  for (const [name, call] of Object.entries(client)) {
    // Ids first, then any body or query: only the address matters here.
    await (call as (...args: unknown[]) => Promise<unknown>)(...argumentsOf(name));
    calls.set(name, sent);
  }
  return calls;
}

function answerTo(call: string): Response {
  const [method] = call.split(' ');
  const path = find(call);
  const schema = endpoints.find((row) => row.method === method && row.path === path)?.answer.schema;
  if (schema === undefined) return new Response(null, { status: 204 });
  const { required = [] } = z.toJSONSchema(schema, { unrepresentable: 'any' });
  return Response.json(Object.fromEntries(required.map((field) => [field, null])));
}

const verbs: Record<string, string> = { orderVm: 'start' };
const numbers = /Image$|^copyPlan$|Vm$|^vm$|^image$|Disk$|^setCdrom$|^screenTicket$/;

function argumentsOf(name: string): unknown[] {
  // Their last argument is a signal, which this test omits.
  if (name === 'copyPlan') return [100, {}];
  if (name.endsWith('icket')) return { watchTicket: [], ticket: [{}] }[name] ?? [100];
  const first = numbers.test(name) ? 100 : 'a';
  return [first, verbs[name] ?? (name === 'growDisk' ? 0 : 'b'), {}];
}

const patterns = endpoints.map(({ method, path }) => ({
  method,
  path,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** The address with the most literal parts wins, as in a router: `/api/images/sample` is not an image. */
function find(call: string): string | undefined {
  const [method, address = ''] = call.split(' ');
  const found = patterns.filter((row) => row.method === method && row.pattern.test(address));
  return found.toSorted((a, b) => a.path.split('{').length - b.path.split('{').length)[0]?.path;
}

/** Endpoints without JSON answers, which the typed client does not call. */
const withoutCall = [
  'GET /api/operations/{id}/events',
  'POST /api/events',
  'GET /api/ws',
  'GET /metrics',
  'GET /api/openapi.json',
  'GET /api/docs',
];
const isBytes =
  /^(POST|OPTIONS|HEAD|PATCH|DELETE) \/api\/uploads(\/\{id\})?$|\/download$|\/(serial|serial\/socket|screenshot|screen)$/;

describe('the table of endpoints', () => {
  it('the table of endpoints contains every call of the typed client', async () => {
    const calls = await recordCalls();
    expect(calls.size).toBeGreaterThan(40);
    const unknown = [...calls].filter(([, call]) => find(call) === undefined);
    expect(unknown.map(([name, call]) => `${name}: ${call}`)).toEqual([]);
  });

  it('the typed client has a call for every JSON endpoint', async () => {
    const calls = [...(await recordCalls()).values()];
    const called = new Set(calls.map((call) => `${call.split(' ')[0]} ${find(call)}`));
    const rows = endpoints.map(({ method, path }) => `${method} ${path}`);
    const verbOfOne =
      /\/(cancel|pause|resume|retry|start|shutdown|power-off|reset|discard-saved-state|adopt)$/;
    const missing = rows.filter(
      (row) => !called.has(row) && !withoutCall.includes(row) && !isBytes.test(row) && !verbOfOne.test(row),
    );
    expect(missing).toEqual([]);
  });

  it('every endpoint has only registered error codes, and each code once', () => {
    for (const { method, path, errors = [] } of endpoints) {
      expect(new Set(errors).size, `${method} ${path}`).toBe(errors.length);
      for (const code of errors) expect(errorRegistry).toHaveProperty(code);
    }
  });
});

describe('the document', () => {
  const document = createOpenApiDocument('1.2.3');
  const { schemas } = document.components as { schemas: Record<string, Record<string, unknown>> };

  it('the document makes request fields with a default optional, and allows unknown fields in answers', () => {
    expect(schemas['CopyImageRequest']).toMatchObject({ required: ['name'], additionalProperties: false });
    expect(schemas['Image']).not.toHaveProperty('additionalProperties');
    expect(schemas['Image']?.['required']).toContain('copiedFrom');
  });

  it('the document describes headers, parameters and error answers', () => {
    const copy = document.paths['/api/images/{id}/copy']?.['post'];
    expect(copy?.parameters?.map(({ in: place, name }) => `${place} ${name}`)).toEqual([
      'path id',
      'header Idempotency-Key',
    ]);
    expect(copy?.responses['507']?.description).toContain('`no_space`');
    expect(copy?.responses['202']).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Accepted' } } },
    });
    expect(document.paths['/api/images']?.['get']?.parameters).toMatchObject([
      { in: 'query', name: 'cursor', required: false },
      { in: 'query', name: 'limit', required: false, schema: { type: 'integer', default: 50 } },
    ]);
  });

  it('the document has sentences of at most 25 words', () => {
    const texts: string[] = [];
    JSON.stringify(document, (key, value: unknown) => {
      if ((key === 'summary' || key === 'description') && typeof value === 'string') texts.push(value);
      return value;
    });
    expect(texts.length).toBeGreaterThan(200);
    const sentences = texts.flatMap((text) => text.split(/(?<=[.!?:;])\s+/));
    expect(sentences.filter((sentence) => sentence.split(/\s+/).length > 25)).toEqual([]);
  });

  it('the document gives every operation a unique id', () => {
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});
