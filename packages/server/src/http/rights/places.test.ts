import { CopyError } from '@wcc/copy';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepted } from '@wcc/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { errorFor } from '../../access/located-error.ts';
import type { Principal } from '../../access/principal.ts';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { toApiError } from '../problems.ts';
import { adminToken, startTestServer } from '../server.testkit.ts';
import type { ServerUnderTest } from '../server.testkit.ts';

const MiB = 1024 ** 2;
let server: ServerUnderTest;
let ann: string;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'wcc a place-'));
  server = await startTestServer({ dataDir, freeSpaceFloor: { bytes: 0, fraction: 0 } });
  await server.addUser('ann');
  ann = await server.signIn('ann');
});
afterAll(() => server.close());

it('SL11: a failed start names the file to its operator, and its place to an administrator only', async () => {
  const disks = [{ kind: 'blank', sizeBytes: MiB, format: 'raw' }];
  const body = { name: 'web', cpus: 1, memoryBytes: 32 * MiB, disks, start: false };
  const { operation } = accepted.parse((await server.ask('POST', '/api/vms', { cookie: ann, body })).json);
  await waitUntil('the machine', async () => {
    const { json } = await server.ask('GET', `/api/operations/${operation.id}`, { cookie: ann });
    return json['state'] === 'succeeded';
  });
  await rm(join(server.dataDir, 'images', 'web-disk0.raw'));
  const address = `/api/vms/${operation.subject.id}/start`;
  const seen = await server.ask('POST', address, { cookie: ann });
  expect(seen.json['code']).toBe('hypervisor_failed');
  expect(seen.json['detail']).toContain('images/web-disk0.raw');
  expect(seen.text).not.toContain(server.dataDir);
  const whole = await server.ask('POST', address, { bearer: adminToken });
  expect(whole.json['detail']).toContain(join(server.dataDir, 'images', 'web-disk0.raw'));
});

it('SL11: an error of the copy engine names its file to an administrator only', () => {
  const error = toApiError(new CopyError('permission', { path: '/srv/pool/a.raw', detail: 'open EACCES' }));
  const role = (name: Principal['role']): Principal =>
    ({ kind: 'session', role: name, scope: 'write', limitedTo: null }) as Principal;
  expect(errorFor(role('admin'), error).message).toContain('/srv/pool/a.raw');
  for (const principal of [role('operator'), role('viewer'), null]) {
    const { message, code } = errorFor(principal, error);
    expect([code, message]).toEqual(['permission', expect.stringMatching(/\(open EACCES\)$/)]);
  }
});
