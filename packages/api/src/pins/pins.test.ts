import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiClient } from '../client/client.ts';
import { createPinnedFetch, parsePins } from './pins.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.log('Skipped, pins of servers: openssl is not installed.');

const wrong = `sha256//${'A'.repeat(43)}=`;

it('reads one or several pins, and nothing else', () => {
  expect(parsePins(` ${wrong} `)).toEqual([wrong]);
  expect(parsePins(`${wrong};sha256//${'b'.repeat(43)}=`)).toHaveLength(2);
  for (const text of ['sha256//short=', 'A'.repeat(44), `sha1//${'A'.repeat(43)}=`, `${wrong} ${wrong}`])
    expect(() => parsePins(text)).toThrow(TypeError);
});

describe.skipIf(!hasOpenssl)('createPinnedFetch', () => {
  let directory: string;
  let server: Server;
  let requests: string[];
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wcc-pins-'));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=other'.split(
      ' ',
    );
    execFileSync('openssl', [...kind, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    requests = [];
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.setHeader('content-type', 'application/json').end('{"items":[]}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });

  const clientWith = (...pins: string[]): ReturnType<typeof createApiClient> =>
    createApiClient({
      baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: 'secret',
      fetch: createPinnedFetch(pins),
    });

  /** As an independent program computes it. */
  function pinOfServer(): string {
    const key = join(directory, 'key.pem');
    const script = `openssl pkey -in ${key} -pubout -outform der | openssl dgst -sha256 -binary | base64`;
    return `sha256//${execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim()}`;
  }

  it('accepts a server with the pinned key, whatever its certificate says', async () => {
    expect(await clientWith(wrong, pinOfServer()).images()).toEqual({ items: [] });
    expect(requests).toEqual(['GET /api/images Bearer secret']);
  });

  it('sends nothing to a server with another key', async () => {
    const refused = clientWith(wrong).images();
    await expect(refused).rejects.toMatchObject({
      code: 'unreachable',
      cause: { name: 'PinMismatch', code: 'key_changed', pins: [wrong], presented: pinOfServer() },
    });
    expect(requests).toEqual([]);
  });
});
