import { channel } from 'node:diagnostics_channel';
import { endpoints } from '@wcc/api/openapi';
import type { OpenApiDocument } from '@wcc/api/openapi';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer } from '../server.testkit.ts';
import type { ServerUnderTest } from '../server.testkit.ts';

let server: ServerUnderTest;
const registered = new Set<string>();

/** Records the routes of the real server; fastify publishes each new instance. */
function listen(message: unknown): void {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) registered.add(`${each} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
  });
}

beforeAll(async () => {
  channel('fastify.initialization').subscribe(listen);
  server = await startTestServer();
});

afterAll(async () => {
  channel('fastify.initialization').unsubscribe(listen);
  await server.close();
});

/** Every GET route also answers HEAD; the style sheet belongs to the page. */
const isImplied = (route: string): boolean =>
  route === 'GET /api/docs/style.css' ||
  (route.startsWith('HEAD ') && registered.has(route.replace('HEAD', 'GET')) && !documented.has(route));
const documented = new Set(endpoints.map(({ method, path }) => `${method} ${path}`));

describe('the description of the API', () => {
  it('describes exactly the routes of the server', () => {
    const own = [...registered].filter((route) => / \/(api\/|metrics)/.test(route) && !isImplied(route));
    expect(own.length).toBeGreaterThan(30);
    expect(own.filter((route) => !documented.has(route))).toEqual([]);
    // An upgrade does not use the routes.
    const asked = endpoints.filter(({ answer }) => answer.status !== 101);
    const routes = asked.map(({ method, path }) => `${method} ${path}`);
    expect(routes.filter((route) => !registered.has(route))).toEqual([]);
  });

  it('describes each route once', () => {
    expect(documented.size).toBe(endpoints.length);
  });

  it('is valid OpenAPI 3.1', async () => {
    const { status, headers, json } = await server.ask('GET', '/api/openapi.json');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(await new Validator().validate(structuredClone(json))).toMatchObject({ valid: true });
    expect(json).toMatchObject({ openapi: '3.1.1', info: { title: 'wcc', version: '0.0.0-test' } });
  });

  it('has no dangling reference', async () => {
    const { json, text } = await server.ask('GET', '/api/openapi.json');
    const { schemas } = (json as unknown as OpenApiDocument).components as {
      schemas: Record<string, unknown>;
    };
    const references = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference]) => reference ?? '');
    expect(references.length).toBeGreaterThan(50);
    const dangling = references.filter((reference) => {
      const [, name] = /^#\/components\/schemas\/(\w+)$/.exec(reference) ?? [];
      return name === undefined || schemas[name] === undefined;
    });
    expect(dangling).toEqual([]);
  });
});

describe('the page of the API', () => {
  it('shows every endpoint and schema, without inline script and style', async () => {
    const { status, headers, text } = await server.ask('GET', '/api/docs');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    for (const { path } of endpoints) expect(text).toContain(`<code>${path}</code>`);
    expect(text).toContain('id="schema-CopyImageRequest"');
    expect(text).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
    const anchors = [...text.matchAll(/href="#([^"]+)"/g)].map(([, anchor]) => anchor ?? '');
    expect(anchors.filter((anchor) => !text.includes(`id="${anchor}"`))).toEqual([]);
  });

  it('has its style sheet as a file', async () => {
    const { status, headers } = await server.ask('GET', '/api/docs/style.css');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/css; charset=utf-8');
  });
});
