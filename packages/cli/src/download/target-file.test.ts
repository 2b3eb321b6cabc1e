import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProgram } from '../program.ts';
import { defaultTargetFile } from './target-file.ts';

describe('SL1: the file of a download without a named file', () => {
  it('is the name of the image', () => {
    for (const name of ['debian.raw', 'Windows 11.qcow2', 'web-01-disk0.qcow2'])
      expect(defaultTargetFile({ id: 100, name })).toBe(name);
  });

  it.each([
    '../planted',
    '/tmp/planted',
    'a/b',
    '.',
    '..',
    '',
    'a\0b',
    './a',
    '~/../x/',
    '.bashrc',
    'a\nb',
    '..\\x',
  ])('is refused for the name %j', (name) => {
    expect(() => defaultTargetFile({ id: 100, name })).toThrow(
      expect.objectContaining({ exit: 'local_file', code: 'invalid_name' }) as Error,
    );
  });
});

describe('SL1: wcc image download', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'wcc-download-'));
  });
  afterEach(() => rm(home, { recursive: true }));

  it('writes no file to a place that the server names', async () => {
    const planted = join(home, 'planted');
    const asked: string[] = [];
    const server = createServer(({ url = '' }, response) => {
      asked.push(url);
      const image = { id: 100, name: planted, poolId: 'p', sizeBytes: 4, format: 'raw', state: 'ready' };
      response.setHeader(
        'content-type',
        url.includes('download') ? 'application/octet-stream' : 'application/json',
      );
      response.setHeader('etag', '"a"');
      response.end(
        url.includes('download')
          ? 'evil'
          : JSON.stringify(url === '/api/images/100' ? image : { items: [image] }),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stream = { write: () => true };
    const env = { HOME: home, XDG_CONFIG_HOME: home, WCC_URL: url, WCC_TOKEN: 'wcc_x' };
    const { signal } = new AbortController();
    const program = await createProgram(
      { env, stdin: Readable.from([]), stdout: stream, stderr: stream, interrupt: signal },
      '1.2.3',
    );
    const run = program.parseAsync(['node', 'wcc', 'image', 'download', '100']);
    await expect(run).rejects.toMatchObject({ exit: 'local_file', code: 'invalid_name' });
    expect(asked.length).toBeGreaterThan(0);
    expect(existsSync(planted)).toBe(false);
    server.close();
  });
});
