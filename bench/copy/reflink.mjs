import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { startCopy, preload } from '@wcc/copy';
import { showSize } from './options.mjs';
import { judge, summarize } from './rounds.mjs';

const mib = 1024 ** 2;
const limitMs = 50;
const extentCount = 1000;

/** Copies by shared blocks on an XFS loop mount: durable, published, and still instant. */
export async function runReflink({ directory, sizeBytes, rounds }) {
  if (process.getuid() !== 0)
    return { title: 'Reflink: not measured (a loop mount needs root)', results: new Map(), gates: [] };
  const base = mkdtempSync(join(directory, 'wcc-bench-xfs-'));
  const mount = join(base, 'mount');
  const image = join(base, 'image');
  mkdirSync(mount);
  writeFileSync(image, '');
  truncateSync(image, sizeBytes + 1024 * mib);
  execFileSync('mkfs.xfs', ['-q', '-m', 'reflink=1', image]);
  execFileSync('mount', ['-o', 'loop', image, mount]);
  try {
    return await measure(mount, { sizeBytes, rounds });
  } finally {
    execFileSync('umount', [mount]);
    rmSync(base, { recursive: true });
  }
}

async function measure(mount, { sizeBytes, rounds }) {
  const names = {
    [`${showSize(sizeBytes)} in one piece`]: join(mount, 'whole'),
    [`${extentCount} extents`]: join(mount, 'pieces'),
  };
  execFileSync('sh', ['-c', `head -c ${sizeBytes} /dev/urandom > '${join(mount, 'whole')}'`]);
  makePieces(join(mount, 'pieces'));
  await preload();
  const results = new Map();
  for (const [name, source] of Object.entries(names)) {
    const times = [];
    for (let round = 0; round < rounds; round += 1) {
      execFileSync('sync');
      const startedMs = performance.now();
      const { method } = await startCopy(source, `${source}-copy`).done;
      times.push(performance.now() - startedMs);
      if (method !== 'clone') throw new Error(`not cloned: ${method}`);
      rmSync(`${source}-copy`);
    }
    results.set(name, summarize(times));
  }
  const gates = [...results].map(([name, { min, median }]) => ({
    gate: `reflink, ${name}`,
    measured: `${min.toFixed(1)} ms (median ${median.toFixed(1)})`,
    wanted: `< ${limitMs} ms`,
    verdict: judge({ isMet: median < limitMs, rounds }),
  }));
  return { title: 'Reflink on XFS (loop mount, a warm worker thread, durable)', results, gates };
}

function makePieces(path) {
  const fd = openSync(path, 'w');
  const piece = Buffer.alloc(64 * 1024, 7);
  for (let index = 0; index < extentCount; index += 1)
    writeSync(fd, piece, 0, piece.length, index * piece.length * 2);
  closeSync(fd);
}
