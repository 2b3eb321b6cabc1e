import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image, Operation, Vm } from '@wcc/api';
import { createApiClient } from '@wcc/api/client';
import type { ApiClient } from '@wcc/api/client';
import { runCli } from '../kit/cli.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { fileHandler, startFileServer } from '../kit/network/file-server.ts';
import type { FileServer } from '../kit/network/file-server.ts';
import { checkQcow2, MiB, sha256 } from '../kit/images.ts';
import { driverSkipReason } from '../kit/machine-host.ts';
import { powerOffMachines } from '../kit/machines.ts';
import {
  currentPhase,
  expectNoOrphans,
  findOrphans,
  hasEnded,
  listImages,
  waitForState,
} from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import {
  findBrokenLink,
  readTable,
  releaseClock,
  releasesWithFixture,
  unpackRelease,
} from '../kit/release-fixture.ts';
import type { AuditRow, Manifest, ReleaseFixture, Unfinished } from '../kit/release-fixture.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { signIn } from '../kit/session.ts';
import { createTusClient } from '../kit/tus.ts';

interface Sidecar {
  offset: string;
  doneBytes: string;
}

interface OperationRow {
  id: string;
  state: string;
  input: string;
  record: string;
}

type ImageRow = Omit<Image, 'pool' | 'usedBy' | 'template'> & { template: number };

interface LogRow {
  operationId: string;
  number: number;
  at: string;
  kind: string;
  text: string;
}

const refusal = driverSkipReason('qemu');
if (refusal !== null) console.log(`skipped: data of earlier releases: ${refusal}`);

/**
 * Opens the data directory and pool of an earlier release whose server was killed. The server must keep all data and
 * end unfinished work as documented. The server's clock starts at the time of the kill.
 */
describe.skipIf(refusal !== null).each(releasesWithFixture())('data of release %s', (release) => {
  let workspace: Workspace;
  let fixture: ReleaseFixture;
  let manifest: Manifest;
  let files: FileServer;
  let server: TestServer;
  /** The client of alice, who owns most of the data. */
  let alice: ApiClient;
  let before: { operations: OperationRow[]; log: LogRow[]; audit: AuditRow[]; images: ImageRow[] };
  const sidecars = new Map<string, Sidecar>();

  beforeAll(async () => {
    workspace = makeWorkspace('release');
    fixture = unpackRelease(release, workspace.path);
    ({ manifest } = fixture);
    const { dataDir, poolDir, clientDir } = fixture;
    before = {
      operations: readTable(dataDir, 'operations'),
      log: readTable(dataDir, 'operationLog'),
      audit: readTable(dataDir, 'audit'),
      images: readTable(dataDir, 'images'),
    };
    for (const { id } of Object.values(manifest.unfinished)) {
      const path = join(poolDir, `.wcc-${id}.json`);
      if (readdirSync(poolDir).includes(`.wcc-${id}.json`))
        sidecars.set(id, JSON.parse(readFileSync(path, 'utf8')) as Sidecar);
    }
    const { hostname, port, pathname } = new URL(String(inputOf('importRunning')['url']));
    // The operation stores this address, so all runs on this host share it.
    files = await until(() => startFileServer(hostname, Number(port)).catch(() => null), {
      what: `${hostname}:${port} to be free`,
    });
    const bytes = readFileSync(join(clientDir, 'import.raw'));
    files.serve(pathname, fileHandler(bytes, { etag: '"of-the-fixture"' }));
    server = await startServer({
      home: workspace.path,
      dataDir,
      poolDir,
      token: manifest.adminToken,
      args: ['--hypervisor', 'qemu', '--free-space-floor', '0', '--import-allow', '127.0.0.0/8'],
      env: releaseClock(manifest),
    });
    alice = clientOf('aliceWrite');
    const accounts = join(clientDir, 'config/wcc/servers.json');
    writeFileSync(accounts, readFileSync(accounts, 'utf8').replaceAll(manifest.origin, server.baseUrl));
  });
  afterAll(async () => {
    await powerOffMachines(server);
    await Promise.all([server.close(), files.close()]);
    workspace.remove();
  });

  function inputOf(what: string): Record<string, unknown> {
    const row = before.operations.find(({ id }) => id === manifest.unfinished[what]?.id);
    return JSON.parse(row!.input) as Record<string, unknown>;
  }
  function unfinished(what: string): Unfinished {
    return manifest.unfinished[what]!;
  }
  function clientOf(token: string): ApiClient {
    return createApiClient({ baseUrl: server.baseUrl, token: manifest.tokens[token]!.secret });
  }
  const cli = (...args: readonly string[]): ReturnType<typeof runCli> =>
    runCli(args, {
      cwd: fixture.clientDir,
      env: { XDG_CONFIG_HOME: join(fixture.clientDir, 'config') },
    });
  const end = (id: string, ...states: readonly string[]): Promise<Operation> =>
    waitForState(server, id, { states });
  const inPool = (name: string): string => join(fixture.poolDir, name);

  async function allOperations(): Promise<Operation[]> {
    const found: Operation[] = [];
    let cursor: string | undefined;
    do {
      const page = await server.api.operations({ limit: 20, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined);
    return found;
  }

  async function logOf(id: string): Promise<{ kind: string; text: string }[]> {
    return (await server.api.operationLog(id)).items;
  }

  /** The file has the right bytes and is registered. */
  async function expectImage(name: string, digest: string): Promise<void> {
    expect(await sha256(inPool(name)), name).toBe(digest);
    const found = (await listImages(server)).find((image) => image.name === name);
    expect(found, name).toMatchObject({ state: 'ready' });
  }

  describe('users and rights', () => {
    it('keeps every user with role and state, and their passwords', async () => {
      const { items } = await server.api.users();
      expect(Object.fromEntries(items.map(({ name, role }) => [name, role]))).toEqual(manifest.roles);
      for (const { id, name, disabled } of items) {
        expect(id).toBe(manifest.users[name] ?? id);
        expect(disabled).toBe(name === 'carol');
        const password = manifest.passwords[name]!;
        const headers = { origin: server.baseUrl, 'content-type': 'application/json' };
        const body = JSON.stringify({ name, password });
        const answer = await rawRequest(`${server.baseUrl}/api/session`, { method: 'POST', headers, body });
        expect(answer.status, name).toBe(disabled ? 401 : 200);
      }
    });

    it('SH3: old browser sessions, which have no page key, sign in again and learn why', async () => {
      for (const [name, cookie] of Object.entries(manifest.sessions)) {
        const answer = await rawRequest(`${server.baseUrl}/api/session`, { headers: { cookie } });
        expect([name, answer.status, answer.json()['code']]).toEqual([name, 401, 'page_key_missing']);
      }
    });

    it('accepts old bearer tokens within their scope, refuses a revoked one', async () => {
      const { revoked, ...others } = manifest.tokens;
      for (const { secret, userName } of Object.values(others)) {
        const { user } = await createApiClient({ baseUrl: server.baseUrl, token: secret }).session();
        expect(user.name).toBe(userName);
      }
      await expect(clientOf('revoked').session()).rejects.toMatchObject({ code: 'unauthenticated' });
      const rescan = clientOf('aliceRead').rescan((await alice.pools()).items[0]!.id);
      await expect(rescan).rejects.toMatchObject({ code: 'forbidden' });
      const listed = (await server.api.tokens({ owner: 'all' })).items;
      for (const { id, name, scope } of Object.values(others)) {
        expect(listed).toContainEqual(expect.objectContaining({ id, name, scope }));
      }
      expect(listed.map(({ id }) => id)).not.toContain(revoked!.id);
    });

    it('keeps grants and first-boot profiles', async () => {
      for (const [operation, levels] of Object.entries(manifest.grants)) {
        const { items } = await alice.grants(operation);
        expect(Object.fromEntries(items.map(({ userId, level }) => [userId, level]))).toEqual(levels);
      }
      const { headers } = await signIn(server, { name: 'bob', password: manifest.passwords['bob']! });
      for (const operation of Object.keys(manifest.grants)) {
        const answer = await rawRequest(`${server.baseUrl}/api/operations/${operation}`, {
          headers,
        });
        expect(answer.status).toBe(200);
      }
      expect(await alice.profile()).toEqual(manifest.profile);
    });

    it('opens old share links, refuses a revoked one', async () => {
      const { revoked, ...open } = manifest.shares;
      for (const { id, operationId, name, secret, link } of Object.values(open)) {
        const { pathname, hash } = new URL(link);
        expect(hash).toBe(`#${secret}`);
        const page = await rawRequest(`${server.baseUrl}${pathname}`);
        expect([page.status, page.headers['content-type']]).toEqual([
          200,
          expect.stringContaining('text/html'),
        ]);
        const shown = await createApiClient({ baseUrl: server.baseUrl, token: secret }).operation(
          operationId,
        );
        expect(shown).toMatchObject({ id: operationId, ownerName: '' });
        expect((await alice.shares(operationId)).items).toContainEqual(expect.objectContaining({ id, name }));
      }
      const closed = createApiClient({ baseUrl: server.baseUrl, token: revoked!.secret });
      await expect(closed.operation(revoked!.operationId)).rejects.toMatchObject({ status: 401 });
    });

    it('accepts the login file of the old command line', async () => {
      const { code, stdout, stderr } = await cli('op', 'ls', '--json', '--limit', '1000');
      expect(code, stderr).toBe(0);
      expect((JSON.parse(stdout) as { items: unknown[] }).items).toHaveLength(manifest.counts['operations']!);
    });
  });

  describe('history', () => {
    it('shows every ended operation as it ended', async () => {
      const shown = new Map((await allOperations()).map((operation) => [operation.id, operation]));
      const all = before.operations.map(({ id }) => id);
      expect(all).toHaveLength(manifest.counts['operations']!);
      expect([...shown.keys()]).toEqual(expect.arrayContaining(all));
      for (const row of before.operations.filter(hasEnded)) {
        const { phases, ...record } = JSON.parse(row.record) as Operation;
        const operation = await server.api.operation(row.id);
        expect(operation).toMatchObject(record);
        expect(operation.phases.map(({ name }) => name)).toEqual(phases.map(({ name }) => name));
      }
    });

    it('keeps every line of every log, in its order', async () => {
      for (const { id } of before.operations) {
        const lines = before.log.filter(({ operationId }) => operationId === id);
        const old = lines.map(({ at, kind, text }) => ({ at, kind, text }));
        expect((await logOf(id)).slice(0, old.length)).toEqual(old);
      }
    });

    it('returns the old operation for a repeated Idempotency-Key', async () => {
      const { path, key, body, operation } = manifest.idempotent;
      const answer = await rawRequest(server.baseUrl + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${manifest.tokens['aliceWrite']!.secret}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(body),
      });
      expect([answer.status, answer.json()]).toEqual([
        202,
        { operation: expect.objectContaining({ id: operation }) },
      ]);
    });

    it('keeps every image with its id, state and template mark', async () => {
      const shown = await listImages(server);
      for (const row of before.images) {
        const { id, name, format, state, stateReason, virtualSizeBytes, owner, copiedFrom } = row;
        const image = shown.find((one) => one.id === id);
        const facts = { id, name, format, state, stateReason, virtualSizeBytes, owner, copiedFrom };
        expect(image).toMatchObject({ ...facts, template: row.template === 1 });
      }
      const states = new Set(before.images.map(({ state, stateReason }) => stateReason ?? state));
      expect([...states].toSorted()).toEqual(['backing_file', 'hard_link', 'missing', 'ready', 'symlink']);
    });

    it('F1: keeps the raw images that it made or received raw, whatever their guests wrote', () => {
      const made = before.images.filter(({ format, owner }) => format === 'raw' && owner !== null);
      const rows = readTable<{ id: number; fixedFormat: number }>(fixture.dataDir, 'images');
      const fixed = rows.filter(
        ({ id, fixedFormat }) => fixedFormat === 1 && made.some((row) => row.id === id),
      );
      expect(made.length).toBeGreaterThan(0);
      expect(fixed.length).toBe(made.length);
    });
  });

  it('D13: shows no digest that a release stored without a change time, until the file is read again', async () => {
    const [row] = before.images.filter(({ sha256: digest, state }) => digest !== null && state === 'ready');
    const read = async (): Promise<string | null> =>
      (await listImages(server)).find(({ id }) => id === row?.id)?.sha256 ?? null;
    expect(await read()).toBeNull();
    await server.api.verifyImage(row!.id, {});
    expect(await until(read, { what: 'the digest of the image' })).toBe(row?.sha256);
  });

  describe('operations that had not ended', () => {
    it('resumes a copy from its checkpoint and completes it with the right bytes', async () => {
      const { id, name } = unfinished('copyRunning');
      const { doneBytes } = sidecars.get(id)!;
      const { warnings, endedAt } = await end(id, 'succeeded');
      expect(warnings).toEqual([]);
      // Proves that the clock is shifted. Otherwise sessions, links and keys expire when the fixture gets old.
      expect(Date.parse(endedAt!) - Date.parse(manifest.madeAt)).toBeLessThan(600_000);
      const notes = (await logOf(id)).filter(({ kind }) => kind === 'note').map(({ text }) => text);
      expect(notes).toContainEqual(expect.stringContaining(`${doneBytes} bytes`));
      await expectImage(name, manifest.digests['大きなイメージ.raw']!);
    });

    it('keeps a paused copy paused, then completes it with the right bytes', async () => {
      const { id, name } = unfinished('copyPaused');
      const paused = await server.api.operation(id);
      expect(paused).toMatchObject({ state: 'paused', stateReason: { code: 'requested' } });
      expect(currentPhase(paused)?.done).toBe(Number(sidecars.get(id)!.doneBytes));
      await alice.resume(id);
      await end(id, 'succeeded');
      await expectImage(name, manifest.digests['大きなイメージ.raw']!);
    });

    it('completes a copy that was published before the crash', async () => {
      const { id, name } = unfinished('copyPublished');
      expect(await end(id, 'succeeded')).toMatchObject({ target: { name } });
      await expectImage(name, manifest.digests['small disk.raw']!);
    });

    it('runs the operations that were queued', async () => {
      await end(unfinished('copyQueued').id, 'succeeded');
      await expectImage(unfinished('copyQueued').name, manifest.digests['small disk.raw']!);
      await end(unfinished('convertQueued').id, 'succeeded');
      await checkQcow2(inPool(unfinished('convertQueued').name));
      await end(unfinished('verifyQueued').id, 'succeeded');
      const { result } = await end(unfinished('sampleQueued').id, 'succeeded');
      expect(await server.api.image(Number(result?.id))).toMatchObject({ sizeBytes: MiB, state: 'ready' });
    });

    it('resumes an upload at its durable offset, and a paused upload only after a resume', async () => {
      const { id, name, sha256: digest } = unfinished('uploadSending');
      const bytes = readFileSync(join(fixture.clientDir, 'upload.raw'));
      const tus = createTusClient(server.baseUrl, {
        authorization: `Bearer ${manifest.tokens['aliceWrite']!.secret}`,
      });
      const path = `/api/uploads/${id}`;
      const { offset } = await tus.head(path);
      expect(offset).toBe(Number(sidecars.get(id)!.offset));
      expect(offset).toBeGreaterThan(0);
      expect(await tus.patch(path, offset!, bytes.subarray(offset!))).toMatchObject({ status: 204 });
      await end(id, 'succeeded');
      await expectImage(name, digest);
      await finishPausedUpload(tus, bytes);
    });

    async function finishPausedUpload(tus: ReturnType<typeof createTusClient>, bytes: Buffer): Promise<void> {
      const { id, name, sha256: digest } = unfinished('uploadPaused');
      const path = `/api/uploads/${id}`;
      const offset = Number(sidecars.get(id)!.offset);
      // Sends few bytes, because a refusal closes the connection during a long body.
      const few = bytes.subarray(offset, offset + 10);
      expect(await tus.patch(path, offset, few)).toMatchObject({ code: 'upload_locked' });
      await alice.resume(id);
      expect(await tus.patch(path, offset, bytes.subarray(offset))).toMatchObject({ status: 204 });
      await end(id, 'succeeded');
      await expectImage(name, digest);
    }

    it('resumes an upload that wcc image upload started', async () => {
      const { id, name, sha256: digest } = unfinished('uploadWaiting');
      expect(await server.api.operation(id)).toMatchObject({ stateReason: { code: 'waiting_for_client' } });
      const { code, stdout, stderr } = await cli('image', 'upload', 'upload.raw', '--name', name);
      expect([code, stderr]).toEqual([0, expect.stringContaining('MiB')]);
      expect(stdout).toContain(name);
      expect(await server.api.operation(id)).toMatchObject({ state: 'succeeded' });
      await expectImage(name, digest);
    });

    it('resumes an import at its offset, and fails an import without its query', async () => {
      const { id, name } = unfinished('importRunning');
      await end(id, 'succeeded');
      const { pathname } = new URL(String(inputOf('importRunning')['url']));
      expect(files.requestsFor(pathname).map(({ fromByte }) => fromByte)).toEqual([
        Number(sidecars.get(id)!.offset),
      ]);
      await expectImage(name, await sha256(join(fixture.clientDir, 'import.raw')));
      const signed = await end(unfinished('importSigned').id, 'failed');
      expect(signed.error).toMatchObject({ code: 'import_failed' });
    });

    it('accepts reports and ends of published operations', async () => {
      const publisher = clientOf('alicePublish');
      for (const what of ['publishedRunning', 'publishedSilent']) {
        const { id } = unfinished(what);
        expect(await alice.operation(id)).toMatchObject({ state: 'interrupted' });
        const { operation } = await publisher.reportProgress(id, { done: 60 });
        expect([operation.state, currentPhase(operation)]).toMatchObject([
          'running',
          { name: 'compile', done: 60 },
        ]);
        await publisher.endOperation(id, { state: 'succeeded' });
      }
      const { id } = unfinished('publishedCancelling');
      expect((await publisher.reportProgress(id)).operation.state).toBe('cancelling');
      await publisher.endOperation(id, { state: 'cancelled' });
    });

    it('D13: starts a download of wcc image download again, because its entity tag has no change time', async () => {
      const { image, file } = manifest.download;
      const { code, stderr } = await cli('image', 'download', image, file);
      expect([code, stderr]).toEqual([0, expect.not.stringMatching(/ at \d+(\.\d+)? MiB/)]);
      expect(await sha256(join(fixture.clientDir, file))).toBe(manifest.digests[image]);
    });
  });

  describe('machines', () => {
    it('completes machines under creation, with their first-boot secrets', async () => {
      const { id, name } = unfinished('createPaused');
      expect(await alice.operation(id)).toMatchObject({ state: 'paused' });
      await alice.resume(id);
      for (const what of ['createPaused', 'createQueued']) await end(unfinished(what).id, 'succeeded');
      const half = await vmOf(name);
      expect(half).toMatchObject({ state: 'shut_off', operation: null });
      for (const disk of half!.disks)
        expect(await sha256(inPool(disk.name))).toBe(manifest.digests['大きなイメージ.raw']);
      const { uuid } = (await vmOf(unfinished('createQueued').name))!;
      const seed = readFileSync(join(fixture.dataDir, 'seeds', `${uuid}.iso`), 'latin1');
      const hash = /"hashed_passwd":"([^"]+)"/.exec(
        Buffer.from(/X-Merge-Type: .*\n\n([A-Za-z0-9+/=\s]+)/.exec(seed)![1]!, 'base64').toString(),
      )?.[1];
      expect(hash).toMatch(/^\$6\$fixture\$/);
      expect(readTable(fixture.dataDir, 'operationSecrets')).toEqual([]);
    });

    it('keeps the machines of both drivers', async () => {
      const { items } = await alice.vms();
      const named = Object.fromEntries(items.map((vm) => [vm.name, vm]));
      expect(Object.keys(named).toSorted()).toEqual(['db-1', 'half-1', 'later-1', 'lv-web', 'web-1']);
      expect(named['lv-web']).toMatchObject({
        state: 'shut_off',
        foreign: false,
        cdrom: { name: 'install.iso' },
      });
      expect(named['db-1']).toMatchObject({
        firmware: 'uefi',
        cdBus: 'sata',
        bootOrder: ['cdrom', 'disk'],
        memoryBytes: 96 * MiB,
      });
      expect(named['db-1']!.disks.map(({ index, sizeBytes }) => [index, sizeBytes])).toEqual([
        [0, 24 * MiB],
        [1, 6 * MiB],
        [2, 2 * MiB],
      ]);
      const [disk] = named['web-1']!.disks;
      const base = (await listImages(server)).find(({ name }) => name === 'テンプレート.raw');
      expect(disk).toMatchObject({ format: 'qcow2', base: base!.id });
      expect(base!.usedBy).toContainEqual({ kind: 'vm', id: named['web-1']!.id, name: 'web-1' });
    });

    it('removes the remaining files of a machine after a failed clean-up', async () => {
      const { name } = unfinished('orphanedVm');
      expect(await vmOf(name)).toBeUndefined();
      expect(readdirSync(fixture.poolDir).filter((file) => file.startsWith(name))).toEqual([]);
      const rows = readTable<{ name: string }>(fixture.dataDir, 'vms');
      expect(rows.map((row) => row.name)).not.toContain(name);
      const held = readTable<{ name: string }>(fixture.dataDir, 'nameReservations');
      expect(held.filter((row) => row.name.startsWith(name))).toEqual([]);
    });

    it('starts a qemu machine with its old machine type and serial log', async () => {
      const { id, uuid } = (await vmOf('web-1'))!;
      const serial = async (): Promise<string> => {
        const headers = { authorization: `Bearer ${server.token}` };
        return (await rawRequest(`${server.baseUrl}/api/vms/${id}/serial`, { headers })).text;
      };
      const old = await serial();
      expect(old).toContain('the guest is up');
      await alice.orderVm(id!, 'start');
      await until(async () => (await serial()).length > old.length, {
        what: 'the guest to write to its serial port',
      });
      expect((await serial()).startsWith(old)).toBe(true);
      const commands = readdirSync('/proc')
        .map((pid) => commandOf(pid))
        .filter((command) => command.includes(uuid));
      expect(commands).toEqual([expect.stringContaining('pc-q35-7.0')]);
      await alice.orderVm(id!, 'power-off');
    });

    async function vmOf(name: string): Promise<Vm | undefined> {
      return (await server.api.vms()).items.find((vm) => vm.name === name);
    }
  });

  describe('the end', () => {
    it('ends every operation once and releases all reserved space', async () => {
      const states = new Map((await allOperations()).map(({ id, state }) => [id, state]));
      for (const { id } of before.operations) {
        expect(['succeeded', 'failed', 'cancelled'], id).toContain(states.get(id));
        const ends = (await logOf(id)).filter(
          ({ kind, text }) => kind === 'state' && /^(succ|fail|cancelled)/.test(text),
        );
        expect(ends, id).toHaveLength(1);
      }
      expect((await server.api.pools()).items[0]?.reservedBytes).toBe(0);
    });

    it('leaves no hidden file except an orphan, which the API lists', async () => {
      const { id } = unfinished('orphan');
      await expectNoOrphans(fixture.poolDir, [id]);
      expect(await findOrphans(fixture.poolDir)).toEqual([`.wcc-${id}.partial`]);
      const { items } = await server.api.orphans((await server.api.pools()).items[0]!.id);
      expect(items.map((one) => one.id)).toEqual([id]);
    });

    it('keeps every audit row byte for byte, with an intact chain', async () => {
      const rows = readTable<AuditRow>(fixture.dataDir, 'audit');
      expect(rows.length).toBeGreaterThan(before.audit.length);
      expect(rows.slice(0, before.audit.length)).toEqual(before.audit);
      expect(findBrokenLink(rows)).toBeNull();
      const shown: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await server.api.audit({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
        shown.push(...page.items);
        cursor = page.next;
      } while (cursor !== undefined);
      for (const { previousHash: _before, hash: _hash, ...row } of before.audit)
        expect(shown).toContainEqual(row);
    });
  });
});

/** A process may end between the listing and this read. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
