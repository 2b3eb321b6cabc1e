import { endpoints } from '@wcc/api/openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer } from '../server.testkit.ts';
import type { Answer, AskOptions, ServerUnderTest } from '../server.testkit.ts';

let server: ServerUnderTest;
/** Secret of a share link, which may watch one operation and nothing else. */
let share: string;
let viewer: string;
type Described = Pick<(typeof endpoints)[number], 'method' | 'path' | 'bodyType'>;

beforeAll(async () => {
  server = await startTestServer();
  await server.addUser('owner');
  await server.addUser('watcher', 'viewer');
  const cookie = await server.signIn('owner');
  viewer = await server.signIn('watcher');
  const subject = { kind: 'database', id: 7, name: 'orders' };
  const made = await server.ask('POST', '/api/operations', {
    cookie,
    body: { action: 'backup_database', subject, leaseS: 600 },
  });
  const { id } = made.json['operation'] as { id: string };
  const link = await server.ask('POST', `/api/operations/${id}/shares`, { cookie, body: { name: 'link' } });
  share = String(link.json['secret']);
});
afterAll(() => server.close());

const described = endpoints.filter(({ signedIn, answer }) => signedIn !== 'none' && answer.status !== 101);
const withBody = described.filter(({ body, bodyType }) => body !== undefined || bodyType !== undefined);
/** Events and tickets are open to share links, which then may name their operation only. */
const openToShares = new Set(['POST /api/events', 'POST /api/ws-tickets']);

/** A body that no parser accepts: only an answer from before the parser can name another problem. */
function askBroken({ method, path, bodyType }: Described, options: AskOptions): Promise<Answer> {
  const headers = { 'content-type': bodyType ?? 'application/json', ...options.headers };
  const named = path.replaceAll('{id}', '7').replaceAll(/\{[^}]+\}/g, '1');
  return server.ask(method, named, { rawBody: '{', ...options, headers });
}

describe('SM2: rights come before the parser', () => {
  it('answers 401 without credentials on every endpoint that needs them, whatever the body is', async () => {
    expect(described.length).toBeGreaterThan(50);
    for (const endpoint of described) {
      const { status } = await askBroken(endpoint, {});
      expect([endpoint.method, endpoint.path, status]).toEqual([endpoint.method, endpoint.path, 401]);
    }
  });

  it('answers a share link on every endpoint with a body by its rights, whatever the body is', async () => {
    expect(withBody.length).toBeGreaterThan(20);
    for (const endpoint of withBody) {
      const name = `${endpoint.method} ${endpoint.path}`;
      if (openToShares.has(name)) continue;
      const { status } = await askBroken(endpoint, { bearer: share });
      expect([name, [401, 403, 404].includes(status) ? 'refused' : status]).toEqual([name, 'refused']);
    }
  });

  it('answers a viewer by rights on the endpoints that create something', async () => {
    for (const path of ['/api/vms', '/api/vms/quick-create', '/api/images/import', '/api/images/7/copy']) {
      const { status } = await askBroken({ method: 'POST', path }, { cookie: viewer });
      expect([path, status]).toEqual([path, 403]);
    }
  });

  it('does not read the metadata of an upload from a caller who may not upload', async () => {
    const metadata = { 'tus-resumable': '1.0.0', 'upload-metadata': `filename ${'='.repeat(8000)}` };
    for (const who of [{ bearer: share }, { cookie: viewer }]) {
      const { status } = await server.ask('POST', '/api/uploads', { ...who, headers: metadata });
      expect(status).toBe(403);
    }
  });
});
