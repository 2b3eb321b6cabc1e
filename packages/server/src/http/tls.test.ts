import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { pageKeyHeader } from '@wcc/api';
import type { ServerUnderTest } from './server.testkit.ts';
import { adminToken, password, startTestServer } from './server.testkit.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl)
  console.log('Skipped, TLS: openssl is not installed, and nothing else here makes a certificate.');

let directory: string;
let tls: { cert: string; key: string };
let server: ServerUnderTest;

describe.skipIf(!hasOpenssl)('with TLS files', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wcc-tls-'));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const names = 'subjectAltName=DNS:wcc.example.org,DNS:*.wild.example.org,IP:192.0.2.7';
    const command = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
    ];
    execFileSync(
      'openssl',
      [...command, '-subj', '/CN=wcc', '-addext', names, '-keyout', key, '-out', cert],
      {
        stdio: 'ignore',
      },
    );
    tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    server = await startTestServer({ tls, hsts: true });
  });
  afterAll(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });

  async function ask(
    method: string,
    path: string,
    options: { headers?: Record<string, string>; body?: unknown } = {},
  ) {
    const outgoing = secureRequest({
      host: '127.0.0.1',
      port: server.port,
      path,
      method,
      rejectUnauthorized: false,
      agent: false,
      headers: {
        host: `wcc.example.org:${server.port}`,
        'content-type': 'application/json',
        ...options.headers,
      },
    });
    if (options.body !== undefined) outgoing.write(JSON.stringify(options.body));
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += String(part);
    return {
      status: response.statusCode,
      headers: response.headers,
      json: JSON.parse(text) as Record<string, unknown>,
    };
  }

  it('accepts the names of the certificate, but no wildcard', async () => {
    const statuses: Record<string, number | undefined> = {};
    for (const name of ['wcc.example.org', '192.0.2.7', 'localhost', 'a.wild.example.org', 'evil.example']) {
      const { status } = await ask('GET', '/api/health', { headers: { host: `${name}:${server.port}` } });
      statuses[name] = status;
    }
    expect(statuses).toEqual({
      'wcc.example.org': 200,
      '192.0.2.7': 200,
      localhost: 200,
      'a.wild.example.org': 403,
      'evil.example': 403,
    });
  });

  it('sets a cookie bound to host and TLS; with it, a ticket opens a socket', async () => {
    const origin = `https://wcc.example.org:${server.port}`;
    const user = { name: 'sato', role: 'operator', password };
    await ask('POST', '/api/users', { headers: { authorization: `Bearer ${adminToken}` }, body: user });
    const signedIn = await ask('POST', '/api/session', {
      headers: { origin },
      body: { name: 'sato', password },
    });
    const set = signedIn.headers['set-cookie']?.[0] ?? '';
    expect(set).toMatch(
      /^__Host-wcc_sid_\d+=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(signedIn.headers['strict-transport-security']).toMatch(/max-age=/);
    const cookie = set.split(';', 1)[0] ?? '';
    const ticket = await ask('POST', '/api/ws-tickets', {
      headers: { origin, cookie, [pageKeyHeader]: String(signedIn.json['pageKey']) },
      body: { purpose: 'watch' },
    });
    const socket = new WebSocket(
      `wss://127.0.0.1:${server.port}/api/ws`,
      ['wcc.v1', `wcc.ticket.${String(ticket.json['ticket'])}`],
      { origin, headers: { cookie, host: `wcc.example.org:${server.port}` }, rejectUnauthorized: false },
    );
    const [hello] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(hello.toString())).toMatchObject({ t: 'hello', v: 1 });
    socket.close();
    await once(socket, 'close');
  });

  it('refuses a key that does not match the certificate, before it creates anything', async () => {
    const wrong = startTestServer({ tls: { ...tls, key: 'no key' } });
    await expect(wrong).rejects.toMatchObject({ code: 'tls_unreadable' });
  });
});
