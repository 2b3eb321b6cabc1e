import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, launch } from '../upload/subjects.mjs';

const token = 'a-token-of-the-benchmark-0123456789abcdef';
export const authorization = `Bearer ${token}`;
const main = fileURLToPath(new URL('../../packages/server/bundle/main.js', import.meta.url));
const readyWithinMs = 60_000;

/** A certificate for the servers with TLS. curl does not check it. */
export function makeCertificate(home) {
  const files = { cert: join(home, 'cert.pem'), key: join(home, 'key.pem') };
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const out = ['-keyout', files.key, '-out', files.cert];
  execFileSync('openssl', ['req', '-x509', ...kind, ...names, ...out], { stdio: 'ignore' });
  return files;
}

/** Starts wcc with the file in its pool. */
export async function startWcc(home, { file, tls = null }) {
  const [port, pool] = [await freePort(), join(home, 'pool')];
  mkdirSync(pool, { recursive: true, mode: 0o755 });
  copyFileSync(file, join(pool, 'source.raw'));
  const flags = ['--port', port, '--data-dir', join(home, 'data'), '--pool', pool, '--free-space-floor', '0'];
  const more =
    tls === null ? ['--import-allow', '127.0.0.0/8'] : ['--tls-cert', tls.cert, '--tls-key', tls.key];
  const argv = ['--trace-gc', main, ...flags, ...more, '--log-level', 'error'].map(String);
  const child = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, WCC_ADMIN_TOKEN: token },
  });
  const startedAt = performance.now();
  let markCompacts = 0;
  child.stdout.on('data', (text) => (markCompacts += text.toString().split('Mark-Compact').length - 1));
  const base = `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`;
  const server = {
    child,
    base,
    pool,
    markCompacts: () => markCompacts,
    uptimeS: () => (performance.now() - startedAt) / 1000,
    ask: (method, path, body) => ask(base, { method, path, body }),
    stop: () => stop(child),
  };
  try {
    await until(async () => (await ask(base, { method: 'GET', path: '/api/health' })).status === 200);
    const image = await until(async () => {
      const { json } = await server.ask('GET', '/api/images');
      return json.items.find(({ name, state }) => name === 'source.raw' && state === 'ready');
    });
    return { ...server, imageId: image.id, download: `${base}/api/images/${image.id}/download` };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

/** Starts nginx as Debian configures it, with and without TLS. */
export async function startNginx(home, { directory, tls }) {
  const [plain, secure] = [await freePort(), await freePort()];
  mkdirSync(home, { recursive: true });
  const configuration = `
    daemon off; master_process off; pid ${home}/pid; error_log stderr crit;
    events {}
    http {
      access_log off; sendfile on; tcp_nopush on; client_body_temp_path ${home}/body;
      server { listen 127.0.0.1:${plain}; root ${directory}; }
      server { listen 127.0.0.1:${secure} ssl; ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; root ${directory}; }
    }`;
  writeFileSync(join(home, 'nginx.conf'), configuration);
  const child = launch('/usr/sbin/nginx', ['-p', home, '-c', join(home, 'nginx.conf')]);
  const url = `http://127.0.0.1:${plain}/source.raw`;
  await until(async () => (await ask(url, { method: 'HEAD', path: '' })).status === 200);
  return { child, url, secureUrl: `https://127.0.0.1:${secure}/source.raw`, stop: () => stop(child) };
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** One request. Its certificate is not checked. */
function ask(base, { method, path, body }) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const type = text === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const send = base.startsWith('https:') ? secureRequest : plainRequest;
    const options = { method, headers: { authorization, ...type }, agent: false, rejectUnauthorized: false };
    const sent = send(`${base}${path}`, options, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const received = Buffer.concat(parts).toString('utf8');
        const isJson = /json/.test(answer.headers['content-type'] ?? '');
        resolve({ status: answer.statusCode, text: received, json: isJson ? JSON.parse(received) : null });
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

/** Waits for a result that is neither false nor undefined. */
async function until(look) {
  for (const deadline = performance.now() + readyWithinMs; performance.now() < deadline;) {
    const found = await look().catch(() => undefined);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing answered within ${readyWithinMs} ms`);
}
