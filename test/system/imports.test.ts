import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImportImageRequest, Operation } from '@wcc/api';
import { fileHandler, startFileServer } from '../kit/network/file-server.ts';
import type { FileServer } from '../kit/network/file-server.ts';
import { runCli } from '../kit/cli.ts';
import { MiB } from '../kit/images.ts';
import { currentPhase, findImage, expectNoOrphans, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { computeDigest } from '../kit/tus.ts';

/** Imports from good and bad file servers, by a real wcc. */
let server: TestServer;
let files: FileServer;
/** A server on a forbidden address, which no import may reach. */
let forbidden: FileServer;
let number = 0;

beforeAll(async () => {
  [files, forbidden] = await Promise.all([startFileServer(), startFileServer('127.0.0.2')]);
  const args = ['--free-space-floor', '0', '--import-allow', '127.0.0.1', '--max-copies-per-pool', '32'];
  server = await startServer({ args });
});
afterAll(async () => {
  await Promise.all([server.close(), files.close(), forbidden.close()]);
});

const freshName = (): string => `import-${(number += 1)}.raw`;
const stored = (name: string): Promise<Buffer> => readFile(join(server.poolDir, name));
const hexOf = (bytes: Buffer): string => computeDigest(bytes).toString('hex');

async function start(url: string, more: Partial<ImportImageRequest> = {}): Promise<Operation> {
  const { operation } = await server.api.importImage({ url, name: freshName(), ...more });
  return operation;
}

const ended = (operation: Operation, state: string): Promise<Operation> =>
  waitForState(server, operation.id, { states: [state] });

/** Expects no file, no image, no hidden file and no reserved space. */
async function expectNothingLeft(names: readonly string[]): Promise<void> {
  await expectNoOrphans(server.poolDir);
  expect(readdirSync(server.poolDir).filter((name) => names.includes(name))).toEqual([]);
  for (const name of names) expect(await findImage(server, name)).toBeUndefined();
  expect((await server.api.pools()).items[0]?.reservedBytes).toBe(0);
}

describe('an import from a good server', () => {
  it('registers an equal file with its digest and leaves no other file', async () => {
    const bytes = randomBytes(5 * MiB + 3);
    const url = files.serve('/good.raw', fileHandler(bytes, { etag: '"1"' }));
    const operation = await ended(await start(url, { sha256: hexOf(bytes) }), 'succeeded');
    expect(operation.phases.map(({ name, state }) => `${name}:${state}`)).toEqual([
      'connect:done',
      'receive:done',
      'flush:done',
      'inspect:done',
      'publish:done',
    ]);
    expect(operation).toMatchObject({ error: null, warnings: [], bytes: { written: bytes.length } });
    const { name } = operation.subject;
    expect((await stored(name)).equals(bytes)).toBe(true);
    expect(await findImage(server, name)).toMatchObject({
      id: operation.result?.id,
      format: 'raw',
      sizeBytes: bytes.length,
      sha256: hexOf(bytes),
      state: 'ready',
    });
    await expectNoOrphans(server.poolDir);
  });

  it('F24: wcc image import takes the name that the other server gives, and refuses what is no image', async () => {
    const bytes = randomBytes(MiB);
    const url = files.serve(
      '/get',
      fileHandler(bytes, { headers: { 'content-disposition': 'attachment; filename="Named by it.raw"' } }),
    );
    const imported = await runCli(['image', 'import', url], { server });
    expect(imported, imported.stderr).toMatchObject({ code: 0 });
    expect((await stored('Named by it.raw')).equals(bytes)).toBe(true);
    const page = files.serve('/page.iso', fileHandler(Buffer.from('<!doctype html><title>Sign in</title>')));
    const refused = await runCli(['image', 'import', page, '--json'], { server });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'not_an_image' } });
  });

  it('F18: an import accepts an unknown length, and refuses an empty file', async () => {
    const bytes = randomBytes(3 * MiB);
    const chunked = files.serve('/chunked.raw', (response) => void response.end(bytes));
    const empty = files.serve('/empty.raw', fileHandler(Buffer.alloc(0)));
    const whole = await ended(await start(chunked), 'succeeded');
    expect((await stored(whole.subject.name)).equals(bytes)).toBe(true);
    const refused = await ended(await start(empty), 'failed');
    expect(refused.error).toMatchObject({ code: 'not_an_image', message: 'The file is empty.' });
    await expectNoOrphans(server.poolDir);
  });

  it('refuses a wrong digest, names both digests, and leaves no file', async () => {
    const bytes = randomBytes(2 * MiB);
    const url = files.serve('/other.raw', fileHandler(bytes));
    const operation = await ended(await start(url, { sha256: hexOf(randomBytes(1)) }), 'failed');
    expect(operation.error?.code).toBe('digest_mismatch');
    expect(operation.error?.message).toContain(hexOf(bytes));
    await expectNothingLeft([operation.subject.name]);
  });

  it('leaves no file after a cancel and sends no further request', async () => {
    const bytes = randomBytes(8 * MiB);
    const url = files.serve('/slow.raw', fileHandler(bytes, { bytesPerSecond: 2 * MiB }));
    const operation = await start(url);
    await until(async () => (currentPhase(await server.api.operation(operation.id))?.done ?? 0) >= MiB, {
      what: 'the first bytes',
    });
    await server.api.cancel(operation.id);
    await ended(operation, 'cancelled');
    await expectNothingLeft([operation.subject.name]);
    expect(files.requestsFor('/slow.raw')).toHaveLength(1);
  });
});

describe('an import after a broken connection', () => {
  it('resumes at the last durable byte, by Range and If-Range', async () => {
    const bytes = randomBytes(6 * MiB);
    const cutAfterBytes = ({ number: at }: { number: number }): number | null => (at < 3 ? 1.5 * MiB : null);
    const url = files.serve('/cut.raw', fileHandler(bytes, { etag: '"one"', cutAfterBytes }));
    const operation = await ended(await start(url, { sha256: hexOf(bytes) }), 'succeeded');
    const asked = files.requestsFor('/cut.raw');
    expect(asked.length).toBe(4);
    expect(asked[0]?.fromByte).toBeNull();
    for (const { fromByte, request } of asked.slice(1)) {
      expect(fromByte).toBeGreaterThan(0);
      expect(request.headers['if-range']).toBe('"one"');
    }
    // The server sent no byte twice.
    expect(asked.map(({ fromByte }) => fromByte ?? 0)).toEqual([0, 1.5 * MiB, 3 * MiB, 4.5 * MiB]);
    expect((await stored(operation.subject.name)).equals(bytes)).toBe(true);
  });

  it('restarts when the file has changed, so that one image never mixes two versions', async () => {
    const [old, now] = [randomBytes(4 * MiB), randomBytes(4 * MiB)];
    const before = fileHandler(old, { etag: '"old"', cutAfterBytes: () => MiB });
    // One server honours If-Range, one ignores If-Range and sends the new tag, and one sends only a new length.
    const honest = files.serve('/changed-1.raw', (response, asked) =>
      (asked.number === 0 ? before : fileHandler(now, { etag: '"new"' }))(response, asked),
    );
    const careless = (etag: string | null, bytes: Buffer) =>
      files.serve(`/changed-${etag ?? 'none'}.raw`, (response, asked) => {
        if (asked.number === 0) return before(response, asked);
        const from = asked.fromByte ?? 0;
        const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
        const tag = etag === null ? {} : { etag: `"${etag}"` };
        response.writeHead(asked.fromByte === null ? 200 : 206, { ...range, ...tag });
        return void response.end(bytes.subarray(from));
      });
    const shorter = now.subarray(0, 3 * MiB);
    const gone = files.serve('/changed-gone.raw', (response, asked) => {
      if (asked.number === 0) return before(response, asked);
      return fileHandler(now.subarray(0, 512), { etag: asked.fromByte === null ? '"x"' : '"old"' })(
        response,
        asked,
      );
    });
    const wanted: [string, Buffer][] = [
      [honest, now],
      [careless('new', now), now],
      [careless(null, shorter), shorter],
      [gone, now.subarray(0, 512)],
    ];
    await Promise.all(
      wanted.map(async ([url, bytes]) => {
        const operation = await ended(await start(url), 'succeeded');
        expect((await stored(operation.subject.name)).equals(bytes), url).toBe(true);
        const { items } = await server.api.operationLog(operation.id);
        expect(items.map(({ text }) => text).join('\n')).toMatch(/restarted at 0 bytes: /);
      }),
    );
    await expectNoOrphans(server.poolDir);
  });

  it('restarts with a server without ranges or tags', async () => {
    const bytes = randomBytes(3 * MiB);
    const cutAfterBytes = ({ number: at }: { number: number }): number | null => (at === 0 ? MiB : null);
    const urls = [
      files.serve('/no-range.raw', fileHandler(bytes, { etag: '"t"', hasRanges: false, cutAfterBytes })),
      files.serve('/no-tag.raw', fileHandler(bytes, { cutAfterBytes })),
      files.serve('/weak.raw', fileHandler(bytes, { etag: 'W/"t"', cutAfterBytes })),
    ];
    const all = await Promise.all(urls.map(async (url) => ended(await start(url), 'succeeded')));
    for (const { subject } of all) expect((await stored(subject.name)).equals(bytes)).toBe(true);
    // A weak tag does not identify bytes, so the import does not send it.
    expect(files.requestsFor('/weak.raw').map(({ fromByte }) => fromByte)).toEqual([null, null]);
  });
});

describe('an import from a bad server', () => {
  it('reports the reason of every failure and leaves no file', { timeout: 120_000 }, async () => {
    const bytes = randomBytes(2 * MiB);
    const cases: [string, Parameters<FileServer['serve']>[1], RegExp][] = [
      ['404', (response) => void response.writeHead(404).end(), /^The server answered 404\.$/],
      ['403', (response) => void response.writeHead(403).end('no'), /answered 403/],
      // These errors may be temporary, so the import tries six times.
      [
        '500',
        (response) => void response.writeHead(500).end(),
        /after 6 attempts: the server answered 500\.$/,
      ],
      [
        'short',
        (response) => {
          response.writeHead(200, { 'content-length': String(2 * bytes.length) });
          response.write(bytes, () => setTimeout(() => response.destroy(), 50));
        },
        /after 6 attempts: the connection (broke|ended early)\.$/,
      ],
      [
        'long',
        (response) => {
          const { socket } = response;
          const said = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n';
          socket?.end(Buffer.concat([Buffer.from(said), bytes]));
        },
        /^$/,
      ],
      [
        'part-too-long',
        (response, asked) => {
          if (asked.fromByte === null) {
            response.writeHead(200, { 'content-length': String(bytes.length), etag: '"p"' });
            response.write(bytes.subarray(0, MiB), () => setTimeout(() => response.destroy(), 50));
            return;
          }
          const range = `bytes ${asked.fromByte}-${bytes.length - 1}/${bytes.length}`;
          response.writeHead(206, { 'content-range': range, etag: '"p"' }).end(bytes);
        },
        /sends more bytes than it announced/,
      ],
      [
        'packed',
        (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes),
        /compressed \(gzip\)/,
      ],
      ['garbage', (response) => void response.socket?.end('SSH-2.0-OpenSSH_9\r\n'), /sent invalid HTTP/],
      ['closes', (response) => void response.socket?.destroy(), /the connection broke/],
      [
        'loop',
        (response) => void response.writeHead(302, { location: '/loop' }).end(),
        /redirects more than 5 times/,
      ],
      [
        'away',
        (response) => void response.writeHead(301, { location: `${forbidden.origin}/secret` }).end(),
        /private network/,
      ],
      [
        'metadata',
        (response) => void response.writeHead(307, { location: 'http://169.254.169.254/latest/' }).end(),
        /private network/,
      ],
      [
        'user',
        (response) =>
          void response.writeHead(302, { location: `http://me:pw@127.0.0.1:${files.port}/good.raw` }).end(),
        /user name or a password/,
      ],
      [
        'file',
        (response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
        /http and https addresses only/,
      ],
    ];
    const names = await Promise.all(
      cases.map(async ([name, handler, message]) => {
        const operation = await start(files.serve(`/${name}`, handler), { name: `bad-${name}.raw` });
        // Node ignores bytes beyond Content-Length, so this import succeeds.
        const state = name === 'long' ? 'succeeded' : 'failed';
        const { error } = await waitForState(server, operation.id, { states: [state], timeoutMs: 100_000 });
        if (name === 'long') return null;
        expect(error?.message, name).toMatch(message);
        expect(error?.code).toMatch(/^import_(failed|refused|scheme|credentials|sign_in)$/);
        expect(error?.hint).not.toBe('');
        return operation.subject.name;
      }),
    );
    expect((await stored('bad-long.raw')).equals(bytes.subarray(0, 1000))).toBe(true);
    await expectNothingLeft(names.filter((name) => name !== null));
    expect(forbidden.requestCount).toBe(0);
    expect(files.requestsFor('/500')).toHaveLength(6);
    expect(files.requestsFor('/loop')).toHaveLength(6);
  });

  it('an import of a forbidden address is refused before a file is created', async () => {
    const refused = { code: 'import_refused', status: 422 };
    for (const url of [
      `${forbidden.origin}/secret`,
      `http://2130706434:${forbidden.port}/secret`,
      `http://[::ffff:127.0.0.2]:${forbidden.port}/secret`,
      'http://10.0.0.1/',
    ]) {
      await expect(start(url), url).rejects.toMatchObject(refused);
      await expect(server.api.importFacts(url), url).rejects.toMatchObject(refused);
    }
    const byCause = {
      import_credentials: `http://me:secret@127.0.0.1:${files.port}/good.raw`,
      import_scheme: 'file:///etc/passwd',
      invalid_input: 'no address',
    };
    for (const [code, url] of Object.entries(byCause))
      await expect(start(url), url).rejects.toMatchObject({ code });
    expect(forbidden.requestCount).toBe(0);
  });

  it('an import follows redirects, including to another server', async () => {
    const bytes = randomBytes(MiB);
    const other = await startFileServer();
    try {
      const there = other.serve('/there.raw', fileHandler(bytes));
      const hops = [1, 2, 3, 4].map((at) =>
        files.serve(
          `/hop-${at}`,
          (response) => void response.writeHead(302, { location: `hop-${at + 1}` }).end(),
        ),
      );
      files.serve('/hop-5', (response) => void response.writeHead(308, { location: there }).end());
      const operation = await ended(await start(hops[0] ?? ''), 'succeeded');
      expect((await stored(operation.subject.name)).equals(bytes)).toBe(true);
    } finally {
      await other.close();
    }
  });
});

it('an import uses the query of its URL, which no record, database or log contains', async () => {
  const secret = `sig-${randomBytes(12).toString('hex')}`;
  const bytes = randomBytes(MiB);
  files.serve('/signed', (response, asked) => {
    const isRight = asked.request.url?.endsWith(`?signature=${secret}`) === true;
    response.writeHead(302, { location: isRight ? `/behind?token=${secret}-2` : '/nothing' }).end();
  });
  files.serve('/behind', fileHandler(bytes));
  const good = await start(`${files.origin}/signed?signature=${secret}`);
  const failing = await start(`${files.origin}/missing?signature=${secret}`);
  const astray = await start(
    `${files.serve('/astray', (response) => void response.writeHead(302, { location: `http://10.0.0.1/?t=${secret}` }).end())}?s=${secret}`,
  );
  await expect(start(`http://me:${secret}@127.0.0.1/x?${secret}`)).rejects.toMatchObject({ status: 422 });
  const all = [await ended(good, 'succeeded'), await ended(failing, 'failed'), await ended(astray, 'failed')];
  expect((await stored(good.subject.name)).equals(bytes)).toBe(true);
  // A retry needs the URL again.
  await expect(server.api.retry(failing.id)).rejects.toMatchObject({ code: 'import_failed' });
  const details = await Promise.all(
    all.map(async ({ id }) => [await server.api.operation(id), await server.api.operationLog(id)]),
  );
  expect(JSON.stringify([all, details, (await server.api.audit({ limit: 200 })).items])).not.toContain(
    secret,
  );
  expect(server.log()).toContain('/api/images/import');
  expect(server.log()).not.toContain(secret);
  for (const file of readdirSync(server.dataDir).filter((name) => name.startsWith('wcc.sqlite'))) {
    const content = readFileSync(join(server.dataDir, file));
    if (file === 'wcc.sqlite-wal') expect(content.includes('/signed')).toBe(true);
    expect(content.includes(secret), file).toBe(false);
  }
});
