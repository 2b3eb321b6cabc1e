// Measures the upload of a file and compares wcc with other servers. See --help.
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions } from './options.mjs';
import { gatesOf, loadNow, render, summarise, writeResults } from './report.mjs';
import { runOnce } from './round.mjs';
import { subjects } from './subjects.mjs';

const options = readOptions();
const load = loadNow();
const home = mkdtempSync(join(options.dir ?? tmpdir(), 'wcc-bench-upload-'));
const sizeBytes = options.mib * 1024 ** 2;
const samples = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
try {
  const file = { big: join(home, 'big'), small: join(home, 'small') };
  const sha256 = writeRandom(file.big, sizeBytes);
  file.smallSha256 = writeRandom(file.small, 1024 ** 2);
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const name of Object.keys(subjects)) {
      execFileSync('sync');
      const sample = await runOnce(name, { home: join(home, 'run'), file, sizeBytes, sha256 });
      samples[name].push(sample);
      console.error(`${round} ${name}: ${Math.round(sample.ms)} ms, ${sample.cpuS.toFixed(2)} s of CPU`);
    }
  }
} finally {
  rmSync(home, { recursive: true });
}
const summary = summarise(samples, sizeBytes);
const gates = gatesOf(summary);
const markdown = render({ summary, gates, mib: options.mib, load });
console.log(markdown);
if (options.write) writeResults(fileURLToPath(new URL('../RESULTS.md', import.meta.url)), markdown);
if (gates.some(([, , , verdict]) => verdict === 'MISSED')) process.exitCode = 1;

/** @returns the SHA-256 of the bytes written */
function writeRandom(path, bytes) {
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  for (let left = bytes; left > 0; left -= 1024 ** 2) {
    const part = randomBytes(Math.min(left, 1024 ** 2));
    hash.update(part);
    writeSync(file, part);
  }
  closeSync(file);
  return hash.digest('hex');
}
