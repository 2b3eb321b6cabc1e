// Floods a server on core 0 from core 1, and measures what an administrator can still do. See --help.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readArguments } from '../arguments.mjs';

const help = `Floods a server and measures: health p99 in milliseconds, the time of a cancel by an
administrator with a live session (limit: 2 s), and of a fresh sign-in (limit: 5 s).

  --seconds N    length of each flood (default: 10)
  --only KIND    slow, guesses, screens or bombs (default: all)
  --port N       port of the server (default: 8499)`;
const { seconds, only, port } = readArguments(help, { seconds: '10', only: '', port: '8499' });
const kinds = ['slow', 'guesses', 'screens', 'bombs'].filter((kind) => only === '' || kind === only);
const token = 'a-token-of-the-floods-0123456789abcdef';
const password = 'correct horse battery staple';
const origin = `http://127.0.0.1:${port}`;
const home = mkdtempSync(join(tmpdir(), 'wcc-floods-'));
const pathOf = (file) => fileURLToPath(new URL(file, import.meta.url));
const pinned = (core, args, options) => spawn('taskset', ['-c', core, process.execPath, ...args], options);

const main = pathOf('../../packages/server/bundle/main.js');
const server = pinned(
  '0',
  [
    main,
    '--port',
    port,
    '--data-dir',
    join(home, 'data'),
    '--trusted-proxy',
    '127.0.0.1',
    '--free-space-floor',
    '0',
  ],
  { stdio: ['ignore', 'ignore', 'inherit'], env: { PATH: process.env.PATH, WCC_ADMIN_TOKEN: token } },
);

async function ask(method, path, { body, headers = { authorization: `Bearer ${token}` } } = {}) {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const sent = { method, headers: { origin, ...type, ...headers }, body: JSON.stringify(body) };
  const answer = await fetch(`${origin}${path}`, sent);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  const json = text === '' ? {} : JSON.parse(text);
  return { json, cookie: answer.headers.get('set-cookie')?.split(';', 1)[0] };
}

let signIns = 0;
/** Signs in from a network of its own. @returns the headers of the session */
async function signIn() {
  signIns += 1;
  const headers = { 'x-forwarded-for': `198.51.100.${signIns % 250}` };
  const { cookie, json } = await ask('POST', '/api/session', { body: { name: 'chief', password }, headers });
  return { cookie, 'wcc-page-key': json.pageKey };
}

const sheep = {
  action: 'count_sheep',
  subject: { kind: 'flock', id: 7, name: 'merino' },
  total: 10,
  leaseS: 3600,
};

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const percentile = (values, part) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)];

/** What an administrator experiences for some seconds. */
async function measure(session) {
  const [health, cancels, signInTimes] = [[], [], []];
  const endsAt = performance.now() + Number(seconds) * 1000;
  const watch = async () => {
    while (performance.now() < endsAt) {
      health.push(await timed(() => fetch(`${origin}/api/health`).then((answer) => answer.text())));
      await sleep(20);
    }
  };
  const act = async () => {
    while (performance.now() < endsAt) {
      const { json } = await ask('POST', '/api/operations', { body: sheep });
      cancels.push(
        await timed(() => ask('POST', `/api/operations/${json.operation.id}/cancel`, { headers: session })),
      );
      signInTimes.push(await timed(signIn));
      await sleep(500);
    }
  };
  await Promise.all([watch(), act()]);
  return {
    healthMs: { median: percentile(health, 0.5), p99: percentile(health, 0.99) },
    slowestCancelMs: Math.max(...cancels),
    slowestSignInMs: Math.max(...signInTimes),
    samples: { health: health.length, cancels: cancels.length },
  };
}

async function prepare() {
  for (;;) {
    const answer = await fetch(`${origin}/api/health`).catch(() => null);
    if (answer?.ok) break;
    await sleep(100);
  }
  await ask('POST', '/api/users', { body: { name: 'chief', role: 'admin', password } });
  const session = await signIn();
  const report = await ask('POST', '/api/operations', { body: sheep });
  const path = `/api/operations/${report.json.operation.id}/shares`;
  const share = (await ask('POST', path, { body: {} })).json.secret;
  const sample = await ask('POST', '/api/images/sample', {
    body: { name: 'sample.raw', sizeBytes: 1024 ** 2 },
  });
  const image = (await end(sample.json.operation.id)).result.id;
  const size = { image, name: 'screen', cpus: 1, memoryBytes: 32 * 1024 ** 2 };
  const made = await ask('POST', '/api/vms/quick-create', { body: size });
  const vm = (await end(made.json.operation.id)).result.id;
  return { session, share, vm };
}

async function end(id) {
  for (;;) {
    const { json } = await ask('GET', `/api/operations/${id}`);
    if (json.state === 'failed') throw new Error(JSON.stringify(json.error));
    if (json.state === 'succeeded') return json;
    await sleep(50);
  }
}

async function flood(kind, { session, share, vm }) {
  const options = JSON.stringify({ origin, token, share, vm, names: ['chief', 'root1', 'root2'] });
  const attackers = pinned('1', [pathOf('attackers.mjs'), kind, port, options], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await sleep(2000);
  try {
    const figures = await measure(session);
    attackers.send('count');
    const [{ done }] = await once(attackers, 'message');
    return { ...figures, attacks: done };
  } finally {
    attackers.kill('SIGKILL');
    await once(attackers, 'exit');
  }
}

try {
  const prepared = await prepare();
  const alone = await measure(prepared.session);
  console.log('unloaded', JSON.stringify(alone));
  let isGood = true;
  for (const kind of kinds) {
    const figures = await flood(kind, prepared);
    const ratio = figures.healthMs.p99 / alone.healthMs.p99;
    const holds =
      ratio <= 5 && figures.slowestCancelMs <= 2000 && figures.slowestSignInMs <= 5000 && figures.attacks > 0;
    isGood &&= holds;
    console.log(holds ? 'holds' : 'FAILS', kind, `health p99 × ${ratio.toFixed(1)}`, JSON.stringify(figures));
    await sleep(2000);
  }
  await ask('POST', `/api/vms/${prepared.vm}/power-off`);
  process.exitCode = isGood ? 0 : 1;
} finally {
  server.kill('SIGTERM');
  await once(server, 'exit');
  rmSync(home, { recursive: true, force: true });
}
