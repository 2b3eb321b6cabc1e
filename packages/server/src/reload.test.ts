import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readConfig } from './config/read-config.ts';
import type { ServerConfig } from './config/config.ts';
import type { ServerUnderTest } from './http/server.testkit.ts';
import { startTestServer } from './http/server.testkit.ts';

let directory: string;
let server: ServerUnderTest;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcc-reload-'));
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

function certificate(name: string): NonNullable<ServerConfig['tls']> {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1'.split(' ');
  execFileSync('openssl', [...kind, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

async function nameOfPeer(): Promise<unknown> {
  const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

function configWith(changes: Partial<ServerConfig>): ServerConfig {
  const command = readConfig([], { HOME: directory });
  if (command.kind !== 'serve') throw new Error('not a configuration');
  return { ...command.config, ...changes };
}

it('a reload takes new TLS files, and keeps the earlier ones if the new ones do not match', async () => {
  const [first, second] = [certificate('first'), certificate('second')];
  server = await startTestServer({ tls: first });
  expect(await nameOfPeer()).toBe('first');
  const mixed = { cert: first.cert, key: second.key };
  expect(() => server.running.reload(configWith({ tls: mixed }))).toThrow(
    expect.objectContaining({ code: 'tls_unreadable' }),
  );
  expect(await nameOfPeer()).toBe('first');
  server.running.reload(configWith({ tls: second }));
  expect(await nameOfPeer()).toBe('second');
});

it('a reload changes the level of the log, and names the settings that need a restart', async () => {
  server = await startTestServer();
  const { dataDir } = server;
  server.running.reload(configWith({ dataDir, port: 1, tls: certificate('late'), logLevel: 'info' }));
  const line =
    server
      .log()
      .split('\n')
      .find((each) => each.includes('settings were read again')) ?? '{}';
  const { needRestart } = JSON.parse(line) as { needRestart: string[] };
  expect(needRestart).toEqual(expect.arrayContaining(['port', 'tls']));
  expect(needRestart).not.toContain('logLevel');
  expect(needRestart).not.toContain('dataDir');
  const before = server.log().length;
  server.running.reload(configWith({ dataDir, logLevel: 'error' }));
  expect(server.log().slice(before)).toBe('');
});
