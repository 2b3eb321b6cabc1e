import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adminToken, startTestServer } from '../http/server.testkit.ts';

it('SL10: a copy of a user who is disabled runs to its end, and an administrator may cancel another one', async () => {
  const server = await startTestServer();
  try {
    await writeFile(join(server.dataDir, 'images', 'a.raw'), randomBytes(4 * 1024 ** 2));
    const asAdmin = { bearer: adminToken };
    const pools = (await server.ask('GET', '/api/pools', asAdmin)).json['items'] as { id: string }[];
    await server.ask('POST', `/api/pools/${pools[0]?.id}/rescan`, asAdmin);
    const images = (await server.ask('GET', '/api/images', asAdmin)).json['items'] as { id: number }[];
    const user = await server.addUser('ann');
    const cookie = await server.signIn('ann');
    const copy = async (name: string, bytesPerSecond: number): Promise<string> => {
      const body = { name, method: 'copy', bytesPerSecond };
      const answer = await server.ask('POST', `/api/images/${images[0]?.id}/copy`, { cookie, body });
      expect(answer.status).toBe(202);
      return (answer.json['operation'] as { id: string }).id;
    };
    const stateOf = async (id: string): Promise<unknown> =>
      (await server.ask('GET', `/api/operations/${id}`, asAdmin)).json['state'];
    const [quick, slow] = [await copy('quick.raw', 1024 ** 2), await copy('slow.raw', 65_536)];
    await expect.poll(() => stateOf(slow), { timeout: 20_000 }).toBe('running');
    const disabled = await server.ask('PATCH', `/api/users/${user}`, {
      ...asAdmin,
      body: { disabled: true },
    });
    expect(disabled.status).toBe(200);
    expect((await server.ask('GET', `/api/operations/${slow}`, { cookie })).status).toBe(401);
    await expect.poll(() => stateOf(quick), { timeout: 30_000 }).toBe('succeeded');
    expect(await stateOf(slow)).toBe('running');
    await server.ask('POST', `/api/operations/${slow}/cancel`, asAdmin);
    await expect.poll(() => stateOf(slow), { timeout: 20_000 }).toBe('cancelled');
  } finally {
    await server.close();
  }
}, 90_000);
