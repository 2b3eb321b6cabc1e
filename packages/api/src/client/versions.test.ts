import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { version } from '../version.ts';
import { createApiClient } from './client.ts';
import type { ApiProblem } from './problem.ts';

interface Recorded {
  status: number;
  type?: string;
  /** The header `wcc-version`. */
  version?: string;
  body: string;
}

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  server = undefined;
  await closed;
});

/** Answers `GET /api/health` like a server of that version, and every other request with the recorded answer. */
async function replay(recorded: Recorded, healthVersion: string | null): Promise<string> {
  const listening = createServer((request, response) => {
    const isHealth = request.url === '/api/health' && healthVersion !== null;
    const answer: Recorded = isHealth
      ? { status: 200, body: JSON.stringify({ status: 'ok', version: healthVersion }) }
      : recorded;
    response.writeHead(answer.status, {
      'content-type': answer.type ?? 'application/json; charset=utf-8',
      ...(answer.version === undefined ? {} : { 'wcc-version': answer.version }),
    });
    response.end(answer.body);
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

async function problemOf(promise: Promise<unknown>): Promise<ApiProblem> {
  return promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as ApiProblem,
  );
}

const problemType = 'application/problem+json; charset=utf-8';
/** Answers of a server 0.1.0, as it sent them. */
const notFoundOf010: Recorded = {
  status: 404,
  type: problemType,
  body: '{"type":"about:blank","title":"There is no such thing, or you may not see it.","status":404,"detail":"There is no such thing, or you may not see it.","code":"not_found","hint":"Check the id."}',
};
const unknownFieldOf010: Recorded = {
  status: 400,
  type: problemType,
  body: '{"type":"about:blank","title":"The request is malformed.","status":400,"detail":"There is no field \\"speed\\".","code":"malformed_request","hint":"Send well-formed JSON with the documented fields.","field":"speed"}',
};

describe('a client of another version than the server', () => {
  it('gets version_mismatch for a field that a server 0.1.0 does not know', async () => {
    const client = createApiClient({ baseUrl: await replay(unknownFieldOf010, '0.1.0') });
    const problem = await problemOf(client.copyImage(100, { name: 'b.raw' }));
    expect(problem).toMatchObject({ status: 400, code: 'version_mismatch', field: 'speed' });
    expect(problem.message).toBe(`The server is wcc 0.1.0, and this program is wcc ${version}.`);
    expect(problem.hint).toBe(`Upgrade the server to ${version}, or use this program in version 0.1.0.`);
    expect(problem.cause).toMatchObject({ code: 'malformed_request', message: 'There is no field "speed".' });
  });

  it('keeps not_found, and names both versions in the hint', async () => {
    const client = createApiClient({ baseUrl: await replay(notFoundOf010, '0.1.0') });
    const problem = await problemOf(client.orphans('1'));
    expect(problem).toMatchObject({ status: 404, code: 'not_found' });
    expect(problem.hint).toBe(`Check the id. The server is wcc 0.1.0, and this program is wcc ${version}.`);
  });

  it.each([
    ['an address that a newer server removed', { status: 410, code: 'endpoint_removed' }],
    ['a method that the server does not know', { status: 405, code: 'method_not_allowed' }],
  ])('gets version_mismatch for %s', async (_what, { status, code }) => {
    const body = JSON.stringify({ type: 'about:blank', title: 'No.', status, code, hint: 'Do it.' });
    const baseUrl = await replay({ status, type: problemType, version: '10.0.0', body }, null);
    const problem = await problemOf(createApiClient({ baseUrl }).images());
    expect(problem).toMatchObject({ status, code: 'version_mismatch' });
    expect(problem.hint).toBe('Upgrade this program to 10.0.0.');
  });

  it.each([
    ['without a required field', '{"entries":[]}'],
    ['that is not an object', '[]'],
    ['that is not JSON', '<!doctype html>'],
  ])('gets version_mismatch for an answer %s', async (_what, body) => {
    const baseUrl = await replay({ status: 200, version: '10.0.0', body }, null);
    const hint = 'Reload this page.';
    const problem = await problemOf(createApiClient({ baseUrl, versionHint: hint }).images());
    expect(problem).toMatchObject({ status: 200, code: 'version_mismatch', hint });
  });
});

describe('a client of the same version as the server', () => {
  it('a client of the server version gets a problem unchanged', async () => {
    const baseUrl = await replay({ ...unknownFieldOf010, version }, null);
    const problem = await problemOf(createApiClient({ baseUrl }).images());
    expect(problem.code).toBe('malformed_request');
    expect(problem.cause).toBeUndefined();
  });

  it('reports foreign_answer for an answer without a required field', async () => {
    const baseUrl = await replay({ status: 200, version, body: '{}' }, null);
    expect(await problemOf(createApiClient({ baseUrl }).images())).toMatchObject({ code: 'foreign_answer' });
  });
});

it('an answer of another program is foreign_answer, not version_mismatch', async () => {
  const baseUrl = await replay({ status: 200, type: 'text/html', body: '<!doctype html>' }, null);
  const problem = await problemOf(createApiClient({ baseUrl }).images());
  expect(problem).toMatchObject({ status: 200, code: 'foreign_answer' });
});
