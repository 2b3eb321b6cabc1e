// Compares copy, upload and watch of this checkout and another one, e.g. the previous commit. See --help.
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readArguments } from './arguments.mjs';
import { writeResults } from './copy/report.mjs';
import { selfDifference, summarize } from './copy/rounds.mjs';

const usage = `node bench/compare.mjs CHECKOUT [--rounds 15] [--mib 1024] [--write]

CHECKOUT is another, built checkout. Both run in turns. This checkout runs twice, as a control. If its two results
differ by more than 10 %, there is no verdict. Needs an idle machine with two cores.`;
const maxSelfDifference = 0.1;
const mebibyte = 1024 ** 2;

const values = readArguments(usage, { rounds: '15', mib: '1024' }, 1);
const rounds = Number(values.rounds);
const sizeBytes = Number(values.mib) * mebibyte;
const checkouts = {
  this: resolve(fileURLToPath(new URL('..', import.meta.url))),
  other: resolve(values.words[0]),
};
checkouts['this (again)'] = checkouts.this;
const home = mkdtempSync(join(tmpdir(), 'wcc-bench-compare-'));
const source = join(home, 'source');

/**
 * One measurement of each benchmark. Each function returns the milliseconds of a checkout: elapsed or processor time.
 */
const ways = {
  'copy, not durable, ms': (checkout) => timeCopy(checkout, 'scratch'),
  'copy, durable, ms': (checkout) => timeCopy(checkout, 'durable'),
  'upload, ms': async (checkout) => {
    const { runOnce } = await import(pathToFileURL(join(checkout, 'bench/upload/round.mjs')).href);
    const file = { big: source, small: join(home, 'small'), smallSha256: digests.small };
    const result = await runOnce('wcc', { home: join(home, 'run'), file, sizeBytes, sha256: digests.source });
    return result.ms;
  },
  'watch, 900 + 100 stalled, ms of CPU': async (checkout) => {
    const { runRound } = await import(pathToFileURL(join(checkout, 'bench/watch/round.mjs')).href);
    return (await runRound('wcc', { reading: 900, stalled: 100, hz: 50, ms: 4000 })).cpuMs;
  },
};

const digests = { source: writeRandom(source, sizeBytes), small: writeRandom(join(home, 'small'), mebibyte) };
const rows = [];
try {
  for (const [name, run] of Object.entries(ways)) {
    const times = Object.fromEntries(Object.keys(checkouts).map((subject) => [subject, []]));
    for (let round = 0; round < rounds; round += 1) {
      const subjects = Object.keys(checkouts);
      const turn = round % subjects.length;
      for (const subject of [...subjects.slice(turn), ...subjects.slice(0, turn)]) {
        execFileSync('sync');
        times[subject].push(await run(checkouts[subject]));
      }
    }
    rows.push(
      rowOf(name, new Map(Object.entries(times).map(([subject, list]) => [subject, summarize(list)]))),
    );
    console.error(rows.at(-1).join(' | '));
  }
} finally {
  rmSync(home, { recursive: true });
}

const other = execFileSync('git', ['-C', checkouts.other, 'rev-parse', '--short', 'HEAD'], {
  encoding: 'utf8',
});
const head = [
  'bench',
  'this, best',
  'other, best',
  'this, median',
  'other, median',
  'ratio of best',
  'A/A',
  'verdict',
];
const markdown = [
  `### Compared with commit ${other.trim()}`,
  '',
  ...[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`),
  '',
  `${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.versions.node}, ${rounds} interleaved rounds, ${values.mib} MiB; ` +
    '`node bench/compare.mjs CHECKOUT --write`.',
].join('\n');
console.log(markdown);
if (values.write) {
  const results = fileURLToPath(new URL('RESULTS.md', import.meta.url));
  writeResults(results, { part: 'compare', markdown });
}

function timeCopy(checkout, way) {
  const target = join(home, 'target');
  rmSync(target, { force: true });
  const one = join(checkout, 'bench/copy/one.mjs');
  const output = execFileSync(process.execPath, [one, way, source, target], { encoding: 'utf8' });
  rmSync(target);
  return Number(output);
}

function rowOf(name, results) {
  const [ours, theirs] = [results.get('this'), results.get('other')];
  const self = selfDifference(results, 'this');
  const ratio = ours.min / theirs.min;
  const verdict =
    rounds < 7
      ? `no verdict (${rounds} rounds)`
      : self > maxSelfDifference
        ? `no verdict (A/A ${(self * 100).toFixed(1)} %)`
        : ratio > 1 + maxSelfDifference
          ? 'slower'
          : 'as before or faster';
  const show = (ms) => ms.toFixed(0);
  return [
    name,
    show(ours.min),
    show(theirs.min),
    show(ours.median),
    show(theirs.median),
    `${ratio.toFixed(2)} ×`,
    `${(self * 100).toFixed(1)} %`,
    verdict,
  ];
}

/** @returns the SHA-256 of the bytes written */
function writeRandom(path, bytes) {
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  for (let left = bytes; left > 0; left -= mebibyte) {
    const part = randomBytes(Math.min(left, mebibyte));
    hash.update(part);
    writeSync(file, part);
  }
  closeSync(file);
  return hash.digest('hex');
}
