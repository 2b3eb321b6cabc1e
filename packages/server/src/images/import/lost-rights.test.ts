import { setTimeout as sleep } from 'node:timers/promises';
import { accepted } from '@wcc/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import type { ServerUnderTest } from '../../http/server.testkit.ts';
import { adminToken, startTestServer } from '../../http/server.testkit.ts';
import { serveEndlessFile } from './endless-file.testkit.ts';
import type { EndlessFile } from './endless-file.testkit.ts';

/** Rounds in which a user loses the right while an import begins. */
const rounds = Number(process.env['WCC_REVOKE_TRIES'] ?? '20');
let server: ServerUnderTest;
let files: EndlessFile;
/** Users who import side by side. */
const importers: { id: string; secret: string }[] = [];

beforeAll(async () => {
  server = await startTestServer({
    importAllow: ['127.0.0.1'],
    freeSpaceFloor: { bytes: 0, fraction: 0 },
    maxCopiesPerPool: 32,
  });
  files = await serveEndlessFile();
  for (const name of ['ida', 'ina', 'iris', 'isa', 'ivo']) {
    const id = await server.addUser(name);
    const cookie = await server.signIn(name);
    const made = await server.ask('POST', '/api/tokens', { cookie, body: { name: 'ci', scope: 'write' } });
    importers.push({ id, secret: String(made.json['secret']) });
  }
});
afterAll(async () => {
  files.close();
  await server.close();
});

type Importer = (typeof importers)[number];

const change = ({ id }: Importer, body: object): ReturnType<ServerUnderTest['ask']> =>
  server.ask('PATCH', `/api/users/${id}`, { bearer: adminToken, body });

async function begin({ secret }: Importer, path: string): Promise<string | null> {
  const body = { url: files.url(path), name: `${path.slice(1)}.raw` };
  const answer = await server
    .ask('POST', '/api/images/import', { bearer: secret, body })
    // The request of a user who was just disabled may be cut.
    .catch(() => null);
  return answer?.status === 202 ? accepted.parse(answer.json).operation.id : null;
}

interface Round {
  importer: Importer;
  round: number;
  /** From the request to the loss of the right. */
  delayMs: number;
}

/** @returns the bytes before and after the first second without the right */
async function loseRight({ importer, round, delayMs }: Round): Promise<{ before: number; late: number }> {
  const path = `/endless-${round}`;
  const importing = begin(importer, path);
  await sleep(delayMs);
  const loss = round % 3 === 0 ? { role: 'viewer' } : { disabled: true };
  expect((await change(importer, loss)).status).toBe(200);
  await sleep(1000);
  const before = files.sentBytes(path);
  await sleep(200);
  const late = files.sentBytes(path) - before;
  await importing;
  await change(importer, { disabled: false, role: 'operator' });
  return { before, late };
}

it(
  'SH4: an import ends within a second after its user is disabled or loses the right, in every instant',
  { timeout: 60_000 + rounds * 1000 },
  async () => {
    const outcomes: (Round & { before: number; late: number })[] = [];
    for (let round = 0; round < rounds; round += importers.length) {
      const together = importers.map(async (importer, at): Promise<(typeof outcomes)[number]> => {
        const delayMs = at % 2 === 0 ? Math.random() * 20 : Math.random() * 300;
        const one = { importer, round: round + at, delayMs };
        return { ...one, ...(await loseRight(one)) };
      });
      outcomes.push(...(await Promise.all(together)));
    }
    expect(outcomes.filter(({ late }) => late > 0)).toEqual([]);
    expect(outcomes.some(({ before }) => before > 0)).toBe(true);
  },
);

it('an import outlives a new password and the end of its session', async () => {
  const path = '/outlives';
  const [importer] = importers as [Importer];
  const id = await begin(importer, path);
  await waitUntil('its bytes', () => files.sentBytes(path) > 3);
  await change(importer, { password: 'another correct horse battery' });
  await sleep(500);
  const { json } = await server.ask('GET', `/api/operations/${id}`, { bearer: adminToken });
  expect(json['state']).toBe('running');
  await change(importer, { disabled: true });
  await waitUntil('its end', async () => {
    const answer = await server.ask('GET', `/api/operations/${id}`, { bearer: adminToken });
    return answer.json['state'] === 'cancelled';
  });
  const log = await server.ask('GET', `/api/operations/${id}/log`, { bearer: adminToken });
  expect(log.text).toContain('cancelling: requested by wcc');
});
