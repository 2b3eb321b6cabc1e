import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { createApiClient } from '@wcc/api/client';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { MiB, sha256 } from '../kit/images.ts';
import { driverSkipReason, startMachineHost } from '../kit/machine-host.ts';
import type { MachineHost } from '../kit/machine-host.ts';
import { listImages, waitForState } from '../kit/operations.ts';
import {
  findBrokenLink,
  readTable,
  releaseClock,
  releasesWithFixture,
  unpackRelease,
} from '../kit/release-fixture.ts';
import type { AuditRow, ReleaseFixture } from '../kit/release-fixture.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createTusClient } from '../kit/tus.ts';

describe.each(releasesWithFixture())('a restored backup of release %s', (release) => {
  let workspace: Workspace;
  let fixture: ReleaseFixture;
  let server: TestServer;
  let before: {
    operations: { id: string }[];
    audit: AuditRow[];
    images: (Pick<Image, 'id' | 'name' | 'state'> & { baseId: number | null })[];
  };

  beforeAll(async () => {
    workspace = makeWorkspace('restored');
    fixture = unpackRelease(release, workspace.path, { as: 'restored' });
    const { manifest, dataDir, poolDir } = fixture;
    before = {
      operations: readTable(dataDir, 'operations'),
      audit: readTable(dataDir, 'audit'),
      images: readTable(dataDir, 'images'),
    };
    server = await startServer({
      home: workspace.path,
      dataDir,
      poolDir,
      token: manifest.adminToken,
      args: ['--hypervisor', 'qemu', '--free-space-floor', '0', '--max-copies-per-pool', '4'],
      env: releaseClock(manifest),
    });
  });
  afterAll(async () => {
    await server.close();
    workspace.remove();
  });

  const idOf = (what: string): string => fixture.manifest.unfinished[what]!.id;

  it('keeps images, machines, operations and the audit record', async () => {
    const shown = await listImages(server);
    for (const { id, name, state } of before.images)
      expect(shown.find((one) => one.id === id)).toMatchObject({ name, state });
    const names = (await server.api.vms()).items.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['lv-web', 'web-1', 'db-1']));
    for (const { id } of before.operations) expect((await server.api.operation(id)).id).toBe(id);
    const audit = readTable<AuditRow>(fixture.dataDir, 'audit');
    expect(audit.slice(0, before.audit.length)).toEqual(before.audit);
    expect(findBrokenLink(audit)).toBeNull();
  });

  it('restarts a copy from zero and completes it with the right bytes', async () => {
    const { manifest, poolDir } = fixture;
    const { id, name } = manifest.unfinished['copyPaused']!;
    await server.api.resume(id);
    await waitForState(server, id, { states: ['succeeded'] });
    expect(await sha256(join(poolDir, name))).toBe(manifest.digests['大きなイメージ.raw']);
  });

  it('fails an upload whose partial file was replaced, and accepts a new upload', async () => {
    const token = fixture.manifest.tokens['aliceWrite']!.secret;
    const tus = createTusClient(server.baseUrl, { authorization: `Bearer ${token}` });
    const path = `/api/uploads/${idOf('uploadSending')}`;
    const { offset } = await tus.head(path);
    const answer = await tus.patch(path, offset!, Buffer.from('some'));
    expect(answer).toMatchObject({ status: 410, code: 'upload_gone' });
    const { error } = await waitForState(server, idOf('uploadSending'), { states: ['failed'] });
    expect(error).toMatchObject({ code: 'upload_gone' });
    const { name } = fixture.manifest.unfinished['uploadSending']!;
    const again = await tus.create(name, MiB);
    expect(await tus.patch(again, 0, Buffer.alloc(MiB))).toMatchObject({ status: 204 });
  });

  it('registers the file of a copy that was published before the crash', async () => {
    const { name } = fixture.manifest.unfinished['copyPublished']!;
    await waitForState(server, idOf('copyPublished'), { states: ['succeeded', 'failed'] });
    await server.api.rescan((await server.api.pools()).items[0]!.id);
    expect((await listImages(server)).find((image) => image.name === name)).toMatchObject({ state: 'ready' });
    expect(await sha256(join(fixture.poolDir, name))).toBe(fixture.manifest.digests['small disk.raw']);
  });
});

describe.each(releasesWithFixture())('a libvirt machine of release %s', (release) => {
  const refusal = driverSkipReason('libvirt');
  if (refusal !== null) console.log(`skipped: a libvirt machine of ${release}: ${refusal}`);
  let host: MachineHost;
  let fixture: ReleaseFixture;

  beforeAll(async () => {
    if (refusal !== null) return;
    host = await startMachineHost('libvirt', {
      prepare(home) {
        fixture = unpackRelease(release, home);
        const { uid, gid } = statSync(home);
        execFileSync('chown', ['-R', `${uid}:${gid}`, fixture.dataDir, fixture.poolDir]);
      },
    });
  });
  afterAll(() => host?.close());

  it.skipIf(refusal !== null)('is recognised by its tag and changed like a new machine', async () => {
    const xml = join(host.home, 'lv-web.xml');
    writeFileSync(xml, definitionFor(fixture, host.home));
    await host.virsh('define', xml);
    const token = fixture.manifest.tokens['aliceWrite']!.secret;
    const alice = createApiClient({ baseUrl: host.server.baseUrl, token });
    const vm = (await alice.vms()).items.find(({ name }) => name === 'lv-web');
    expect(vm).toMatchObject({ state: 'shut_off', foreign: false, memoryBytes: 64 * MiB });
    await alice.changeVm(vm!.id!, { memoryBytes: 96 * MiB });
    const defined = await host.virsh('dumpxml', '--inactive', 'lv-web');
    expect(defined).toContain(`${96 * 1024}</memory>`);
    // The guest keeps its hardware.
    expect(machineTypeOf(defined)).toBe(
      machineTypeOf(readFileSync(join(fixture.libvirtDir, 'lv-web.xml'), 'utf8')),
    );
  });
});

/** The saved definition, with the paths and the tag of this data directory. */
function definitionFor({ manifest, libvirtDir, dataDir }: ReleaseFixture, home: string): string {
  const moved = (text: string): string => text.replaceAll(manifest.root, home);
  const mark = createHash('sha256').update(join(dataDir, 'machines/libvirt')).digest('hex').slice(0, 32);
  return moved(readFileSync(join(libvirtDir, 'lv-web.xml'), 'utf8'))
    .replace(/owner=(['"])[0-9a-f]{32}\1/, `owner="${mark}"`)
    .replace(/(<wcc:machine [^>]*>)([A-Za-z0-9+/=]+)/, (_all, tag: string, text: string) => {
      return tag + Buffer.from(moved(Buffer.from(text, 'base64').toString())).toString('base64');
    });
}

function machineTypeOf(xml: string): string | undefined {
  return /machine=['"](pc-q35-[0-9.]+)['"]/.exec(xml)?.[1];
}
