// Start times by CPU: the bundles beside the unbundled programs and a bare `node -e 0`, in turn.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArguments } from '../arguments.mjs';
import { secondsOf, startServer } from './cpu.mjs';

const pathOf = (path) => fileURLToPath(new URL(`../../packages/${path}`, import.meta.url));
const help = `Measures the CPU time of starts: the bundles beside the unbundled programs and a bare node, in turns.
Prints the results only.

Options:
  --rounds N   starts of each program (default: 7)
  --memory S   also prints the memory of a server with an empty pool S seconds after it is ready`;
const given = readArguments(help, { rounds: '7', memory: undefined });
const rounds = Number(given.rounds);
const memoryAfterS = Number(given.memory ?? 0);
if (!(rounds >= 1 && memoryAfterS >= 0)) throw new Error('--rounds and --memory need numbers');
const token = 'a-token-for-this-benchmark-0123456789';

const home = mkdtempSync(join(tmpdir(), 'wcc-bench-start-'));
const env = { PATH: process.env.PATH, HOME: home, WCC_ADMIN_TOKEN: token };
const cli = { bundle: pathOf('cli/bin/wcc.js'), dist: pathOf('cli/dist/main.js') };
const server = { bundle: pathOf('server/bundle/main.js'), dist: pathOf('server/dist/main.js') };
const bare = 'node -e 0';

try {
  const running = await start(server.bundle, 'running');
  const client = { ...env, WCC_URL: running.url, WCC_TOKEN: token };
  const subjects = { [bare]: [['-e', '0'], env] };
  for (const args of [['--version'], ['image', '--help'], ['op', 'ls']])
    for (const kind of ['bundle', 'dist'])
      subjects[`wcc ${args.join(' ')}, ${kind}`] = [[cli[kind], ...args], client];
  const commands = await measure(subjects, (subject) => secondsOf(...subject));
  await running.stop();
  print('Commands', commands, bare);
  const servers = await measure({ dist: server.dist, bundle: server.bundle }, measureServer);
  print('Server, until it is ready', servers, 'dist');
  if (memoryAfterS > 0) await measureMemory();
} finally {
  rmSync(home, { recursive: true });
}

/** One value of each subject per round, so that other work on the machine meets all of them. */
async function measure(subjects, one) {
  const seconds = new Map(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, subject] of Object.entries(subjects)) seconds.get(name).push(await one(subject));
  return seconds;
}

async function measureServer(main) {
  const running = await start(main, 'one');
  await running.stop();
  rmSync(join(home, 'one'), { recursive: true });
  return running.seconds;
}

function start(main, name) {
  const pool = join(home, name, 'pool');
  mkdirSync(pool, { recursive: true });
  const flags = [
    '--port',
    '0',
    '--data-dir',
    join(home, name, 'data'),
    '--pool',
    pool,
    '--log-level',
    'error',
  ];
  return startServer([main, ...flags], env);
}

function print(title, seconds, reference) {
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  console.log(`\n| ${title} | CPU s median | min | ratio to ${reference} |\n|---|---|---|---|`);
  for (const [name, values] of seconds) {
    const ratio = median(values.map((value, round) => value / seconds.get(reference)[round]));
    console.log(
      `| ${name} | ${median(values).toFixed(3)} | ${Math.min(...values).toFixed(3)} | ${ratio.toFixed(2)} |`,
    );
  }
}

async function measureMemory() {
  const running = await start(server.bundle, 'memory');
  await new Promise((resolve) => setTimeout(resolve, memoryAfterS * 1000));
  const { anonymous, resident } = running.memory();
  await running.stop();
  console.log(
    `\n${memoryAfterS} s after ready: RssAnon ${anonymous.toFixed(0)} MiB, resident ${resident.toFixed(0)} MiB`,
  );
}
