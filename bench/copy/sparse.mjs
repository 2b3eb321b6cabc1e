import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { copyFile, preload } from '@wcc/copy';
import { interleave, judge } from './rounds.mjs';
import { timeCommand } from './subjects.mjs';
import { compare } from './warm.mjs';

const mib = 1024 ** 2;
const gib = 1024 ** 3;
const fileBytes = 40 * gib;
const pieceCount = 64;

/** A file of 40 GiB with 64 MiB of data. Holes must cost no time and stay holes. */
export async function runSparse({ directory, rounds }) {
  const source = join(directory, 'sparse');
  const target = join(directory, 'sparse-copy');
  makeSparse(source);
  await preload();
  const ours = async () => {
    rmSync(target, { force: true });
    execFileSync('sync');
    const startedMs = performance.now();
    await copyFile(source, target, { durable: false });
    return performance.now() - startedMs;
  };
  const cp = () => timeCommand(`cp '${source}' '${target}'`, target);
  const results = await interleave(
    [
      { name: 'cp', run: cp },
      { name: 'cp (again)', run: cp },
      { name: '@wcc/copy, durable: false', run: ours },
      { name: '@wcc/copy, durable: false (again)', run: ours },
    ],
    rounds,
  );
  await ours();
  const before = charactersRead();
  rmSync(target);
  await copyFile(source, target);
  const read = (charactersRead() - before) / (pieceCount * mib);
  const hasSameExtents = dataRanges(source) === dataRanges(target);
  return {
    title: 'Sparse: 40 GiB with 64 MiB of data (a warm worker thread)',
    results,
    gates: [
      {
        gate: 'bytes read, of the data',
        measured: read.toFixed(3),
        wanted: '≤ 1.05',
        verdict: judge({ isMet: read <= 1.05, rounds }),
      },
      {
        gate: 'the same extents',
        measured: String(hasSameExtents),
        wanted: 'true',
        verdict: judge({ isMet: hasSameExtents, rounds }),
      },
      compare(results, { ours: '@wcc/copy, durable: false', theirs: 'cp', wanted: 0.91, rounds }),
    ],
  };
}

function makeSparse(path) {
  const fd = openSync(path, 'w');
  const piece = Buffer.alloc(mib);
  for (let index = 0; index < pieceCount; index += 1) {
    writeSync(fd, randomFillSync(piece), 0, mib, index * (fileBytes / pieceCount));
  }
  ftruncateSync(fd, fileBytes);
  closeSync(fd);
  execFileSync('sync', [path]);
}

/** Bytes that all threads of this process have read, by read(2), copy_file_range(2) and similar calls. */
function charactersRead() {
  return Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'latin1'))[1]);
}

/** Logical ranges as filefrag lists them. Adjacent ones are joined, because they may be apart on the disk. */
function dataRanges(path) {
  const listing = execFileSync('filefrag', ['-s', '-v', path], { encoding: 'utf8', maxBuffer: 64 * mib });
  const ranges = [];
  for (const [, start, end] of listing.matchAll(/^\s*\d+:\s+(\d+)\.\.\s*(\d+):/gm)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.end + 1 === Number(start)) last.end = Number(end);
    else ranges.push({ start: Number(start), end: Number(end) });
  }
  return JSON.stringify(ranges);
}
