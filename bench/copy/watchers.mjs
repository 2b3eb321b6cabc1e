import { fork, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCopy, preload } from '@wcc/copy';
import { createGateway, createHub } from '@wcc/progress/server';
import { showSize } from './options.mjs';
import { interleave, judge, selfDifference } from './rounds.mjs';

const watcherCount = 1000;
const stalledCount = 100;
const wantedRatio = 0.97;
const clientsFile = fileURLToPath(new URL('watchers-clients.mjs', import.meta.url));

/**
 * A thousand watchers of one copy; a hundred of them never read. Hub, gateway and copy share one process; the
 * watchers run in another. The worker's own clock measures the copy.
 */
export async function runWatchers({ directory, sizeBytes, rounds }) {
  const source = join(directory, 'watched');
  const target = join(directory, 'watched-copy');
  execFileSync('sh', [
    '-c',
    `head -c ${sizeBytes} /dev/urandom > '${source}' && sync '${source}' && cat '${source}' > /dev/null`,
  ]);
  await preload();
  const gateway = await openGateway();
  const readings = { ends: 0, snapshots: 0, rounds: 0 };

  const copy = async (watch) => {
    rmSync(target, { force: true });
    execFileSync('sync');
    const job = startCopy(source, target, { durable: false });
    watch?.(job);
    return (await job.done).elapsedMs;
  };
  const watchedCopy = async () => {
    const audience = await gather(gateway);
    try {
      const took = await copy((job) => gateway.hub.pull(audience.id, () => recordOf(audience.id, job)));
      const { ends, snapshots } = await audience.dismiss();
      readings.ends += ends;
      readings.snapshots += snapshots;
      readings.rounds += 1;
      return took;
    } finally {
      await audience.stop();
    }
  };

  const results = await interleave(
    [
      { name: 'no watchers', run: () => copy() },
      { name: 'no watchers (again)', run: () => copy() },
      { name: `${watcherCount} watch, ${stalledCount} of them stalled`, run: watchedCopy },
    ],
    rounds,
  );
  await gateway.close();
  return {
    title: `${watcherCount} watchers, ${stalledCount} of them stalled (${showSize(sizeBytes)})`,
    results,
    gates: gatesOf(results, readings, rounds),
  };
}

function gatesOf(results, readings, rounds) {
  const alone = results.get('no watchers');
  const watched = results.get(`${watcherCount} watch, ${stalledCount} of them stalled`);
  const ratio = alone.min / watched.min;
  const medians = (alone.median / watched.median).toFixed(2);
  const controls = [selfDifference(results, 'no watchers')];
  const readers = (watcherCount - stalledCount) * readings.rounds;
  const each = (readings.snapshots / readers).toFixed(1);
  return [
    {
      gate: `copy speed with ${watcherCount} watchers, ${stalledCount} stalled`,
      measured: `${ratio.toFixed(2)} × (medians ${medians} ×, A/A ${(controls[0] * 100).toFixed(1)} %)`,
      wanted: `≥ ${wantedRatio} ×`,
      verdict: judge({ isMet: ratio >= wantedRatio, rounds, controls }),
    },
    {
      gate: 'readers that receive the terminal snapshot within 1 s',
      measured: `${readings.ends} of ${readers} (${each} snapshots each)`,
      wanted: 'all',
      verdict: judge({ isMet: readings.ends === readers, rounds }),
    },
  ];
}

async function openGateway() {
  const hub = createHub();
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const gateway = createGateway({
    hub,
    server,
    hosts: (host) => host === `127.0.0.1:${port}`,
    origins: (origin) => origin === undefined,
    authenticate: async () => ({ user: 'bench', session: 'bench' }),
    user: ({ user, session }) => ({ user, session, expiresAtMs: null }),
    authorize: () => true,
    limits: { socketsPerUser: watcherCount, pendingUpgradesPerAddress: watcherCount },
  });
  return {
    hub,
    port,
    close: async () => {
      await gateway.shutdown();
      hub.close();
      server.close();
    },
  };
}

/** Starts the watchers of one round. Resolves when each of them is subscribed. */
async function gather({ hub, port }) {
  const id = recordId();
  hub.put(recordOf(id, null));
  const child = fork(clientsFile, [String(port), id, String(watcherCount), String(stalledCount)]);
  // Real watchers run on other machines, so these must not take the copy's processor.
  setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const exited = once(child, 'exit');
  await once(child, 'message');
  return {
    id,
    dismiss: async () => {
      hub.put({
        ...recordOf(id, null),
        state: 'succeeded',
        phaseIndex: 2,
        endedAt: new Date().toISOString(),
      });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      child.send('report');
      const [report] = await once(child, 'message');
      return report;
    },
    stop: async () => {
      child.kill();
      await exited;
      hub.remove(id, 'deleted');
    },
  };
}

function recordId() {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  return `${Array.from({ length: 25 }, () => letters[Math.floor(Math.random() * 32)]).join('')}a`;
}

const createdAt = new Date().toISOString();

/** The snapshot that a server publishes for this copy. */
function recordOf(id, job) {
  const progress = job?.progress();
  const isMoving = progress === undefined || progress.phase === 'transfer';
  const transfer = {
    name: 'transfer',
    unit: 'bytes',
    done: isMoving ? (progress?.doneBytes ?? 0) : 0,
    durable: 0,
    total: isMoving ? (progress?.totalBytes ?? null) : null,
    state: 'running',
    elapsedMs: progress?.phaseElapsedMs ?? 0,
  };
  const pending = ['flush', 'publish'].map((name) => ({ name, state: 'pending' }));
  return {
    id,
    action: 'copy_vm_image',
    subject: { kind: 'image', id: 100, name: 'debian-13.raw' },
    target: { kind: 'image', id: 101, name: 'web-07-disk.raw' },
    owner: 'bench',
    state: 'running',
    phases: [transfer, ...pending],
    phaseIndex: isMoving ? 0 : 1,
    method: 'kernel-copy',
    elapsedMs: progress?.elapsedMs ?? 0,
    createdAt,
  };
}
