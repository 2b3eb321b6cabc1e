import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const token = 'a-token-of-the-benchmark-0123456789abcdef';
const tusHeaders = { 'tus-resumable': '1.0.0' };

/** Starts a server. Returns how to send a file to it. */
export const subjects = {
  wcc: startWcc,
  'wcc (again)': startWcc,
  'wcc, SHA-256 asked for': (home) => startWcc(home, { withDigest: true }),
  '@tus/server + file-store': (home) => startPeer(home, 'tus'),
  'nginx DAV PUT': startNginx,
  'pipeline, 4 MiB': (home) => startPeer(home, 'pipeline'),
};

async function startWcc(home, { withDigest = false } = {}) {
  const [port, pool] = [await freePort(), join(home, 'pool')];
  mkdirSync(pool, { mode: 0o755 });
  const flags = ['--port', port, '--data-dir', join(home, 'data'), '--pool', pool, '--free-space-floor', '0'];
  const argv = [join(root, 'packages/server/bundle/main.js'), ...flags, '--log-level', 'error'];
  const child = launch(process.execPath, argv.map(String), { WCC_ADMIN_TOKEN: token });
  const base = `http://127.0.0.1:${port}`;
  await answers(`${base}/api/health`);
  const headers = { ...tusHeaders, authorization: `Bearer ${token}` };
  return {
    child,
    directory: pool,
    async place({ name, sizeBytes, sha256 }) {
      const metadata = { filename: name, ...(withDigest ? { sha256 } : {}) };
      return { url: await create(`${base}/api/uploads`, { headers, metadata, sizeBytes }), headers };
    },
    method: 'PATCH',
  };
}

async function startPeer(home, kind) {
  const [port, directory] = [await freePort(), join(home, 'files')];
  mkdirSync(directory);
  const peers = fileURLToPath(new URL('./peers.mjs', import.meta.url));
  const child = launch(process.execPath, [peers, kind, String(port), directory]);
  const base = `http://127.0.0.1:${port}`;
  await answers(base);
  return {
    child,
    directory,
    async place({ name, sizeBytes }) {
      if (kind !== 'tus') return { url: `${base}/${name}`, headers: {} };
      const metadata = { filename: name };
      const url = await create(`${base}/files`, { headers: tusHeaders, metadata, sizeBytes });
      return { url, headers: tusHeaders };
    },
    method: kind === 'tus' ? 'PATCH' : 'PUT',
  };
}

async function startNginx(home) {
  const [port, directory] = [await freePort(), join(home, 'files')];
  for (const path of [directory, join(home, 'body')]) mkdirSync(path, { mode: 0o777 });
  const configuration = `
    daemon off; master_process off; pid ${home}/pid; error_log stderr crit;
    events {}
    http {
      access_log off; client_body_temp_path ${directory}; client_max_body_size 0;
      server { listen 127.0.0.1:${port}; location = / { return 204; }
        location / { root ${directory}; dav_methods PUT DELETE; } }
    }`;
  writeFileSync(join(home, 'nginx.conf'), configuration);
  const child = launch('/usr/sbin/nginx', ['-p', home, '-c', join(home, 'nginx.conf')]);
  const base = `http://127.0.0.1:${port}`;
  await answers(base);
  return {
    child,
    directory,
    place: async ({ name }) => ({ url: `${base}/${name}`, headers: {} }),
    method: 'PUT',
  };
}

const children = new Set();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

export function launch(program, argv, env = {}) {
  const child = spawn(program, argv, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, ...env },
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Creates a tus upload. @returns its URL */
export async function create(url, { headers, metadata, sizeBytes }) {
  const pairs = Object.entries(metadata).map(
    ([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`,
  );
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'upload-length': String(sizeBytes), 'upload-metadata': pairs.join(',') },
  });
  if (answer.status !== 201) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return new URL(answer.headers.get('location'), url).href;
}

export async function answers(url) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    const answer = await fetch(url).catch(() => null);
    await answer?.body?.cancel();
    if (answer !== null && answer.status !== 503) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer`);
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
