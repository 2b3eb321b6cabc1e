// Measures a server with a long history beside one with an almost empty database. See --help.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { timeRequests, timeWriter, untilIdle } from './measure.mjs';
import { readOptions } from './options.mjs';
import { makeHistory, makeOld, release } from './release.mjs';
import { gatesOf, render, writeResults } from './report.mjs';
import { startServer } from './server.mjs';

const options = readOptions();
const load = loadavg()[0];
// The load has core 1, the servers have core 0.
execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' });
const home = mkdtempSync(join(options.dir ?? tmpdir(), 'wcc-bench-history-'));
const image = 100;
/** More images than a page of the list has. */
const fewImages = 100;
/** The purge begins ten seconds after the start. */
const purgeBeginsMs = 12_000;
let names = 0;

function say(text) {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

function subjectOf(server) {
  return { server, image, nextName: () => `copy-${(names += 1)}.raw` };
}

async function withServers({ few, many }, work) {
  const servers = [];
  try {
    servers.push(await startServer(few, options.port), await startServer(many, options.port + 1));
    return await work({ few: servers[0], many: servers[1] });
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** Subjects in turns. The almost empty one runs twice, as a control. */
const inTurns = ({ few, many }) => ({
  'almost empty': subjectOf(few),
  'long history': subjectOf(many),
  'almost empty (again)': subjectOf(few),
});

async function timeStarts({ few, many }) {
  const samples = { 'almost empty': [], 'long history': [], 'almost empty (again)': [] };
  const directories = { 'almost empty': few, 'long history': many, 'almost empty (again)': few };
  for (let round = 0; round < Math.ceil(options.rounds / 40); round += 1)
    for (const [name, directory] of Object.entries(directories)) {
      const server = await startServer(directory, options.port);
      samples[name].push(server.readyMs);
      await server.stop();
    }
  return samples;
}

const results = { rounds: options.rounds };
try {
  const made = {};
  for (const [name, size] of Object.entries({
    few: { operations: 10, images: fewImages },
    many: { operations: options.operations, images: options.images },
  })) {
    mkdirSync(join(home, name));
    made[name] = makeHistory(join(home, name), size);
    say(`made ${size.operations} operations, ${Math.round(made[name].databaseBytes / 1024 ** 2)} MiB`);
  }
  results.databaseBytes = made.many.databaseBytes;
  await withServers(made, async ({ few, many }) => {
    results.updates = { 'almost empty': few.readyMs, 'long history': many.readyMs };
    say(`updated from ${release} in ${Math.round(many.readyMs)} ms`);
    results.settleS = await untilIdle(many);
    say(`idle after ${Math.round(results.settleS)} s more`);
    results.requests = await timeRequests(inTurns({ few, many }), options.rounds);
    await untilIdle(many);
    const path = join(made.many.poolDir, 'image-00001.raw');
    results.writer = await timeWriter(many, { path, seconds: options.seconds });
  });
  results.pending = [made.few, made.many].map(makeOld).at(-1);
  say(`made ${results.pending} operations old`);
  results.starts = await timeStarts(made);
  say('started in turns');
  await withServers(made, async (servers) => {
    await sleep(purgeBeginsMs);
    results.purging = await timeRequests(inTurns(servers), options.rounds);
  });
} finally {
  rmSync(home, { recursive: true });
}
const gates = gatesOf(results, load);
const markdown = render({ results, gates, options, load });
console.log(markdown);
if (options.write) writeResults(fileURLToPath(new URL('../RESULTS.md', import.meta.url)), markdown);
if (gates.some(([, , , verdict]) => verdict === 'MISSED')) process.exitCode = 1;
