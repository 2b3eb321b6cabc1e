// Measures the copy engine against its performance limits and against cp. See --help.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freeSpace } from '@wcc/copy';
import { runBlocked } from './blocked.mjs';
import { readOptions } from './options.mjs';
import { runReflink } from './reflink.mjs';
import { render, writeResults } from './report.mjs';
import { runReporting } from './reporting.mjs';
import { runSparse } from './sparse.mjs';
import { runWarm } from './warm.mjs';
import { runWatchers } from './watchers.mjs';

const parts = {
  warm: runWarm,
  sparse: runSparse,
  reflink: runReflink,
  blocked: runBlocked,
  reporting: runReporting,
  watchers: runWatchers,
};

const results = fileURLToPath(new URL('../RESULTS.md', import.meta.url));
const options = readOptions();
const unknown = options.only.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`unknown parts: ${unknown.join(', ')}; the parts are ${Object.keys(parts).join(', ')}`);
const directory = mkdtempSync(join(options.directory, 'wcc-bench-'));
try {
  const { fsType } = await freeSpace(directory);
  for (const name of options.only) {
    console.error(`${name} …`);
    const section = await parts[name]({ ...options, directory });
    const markdown = render(section, { rounds: options.rounds, fsType });
    console.log(`${markdown}\n`);
    if (options.write) writeResults(results, { part: name, markdown });
    if (section.gates.some(({ verdict }) => verdict === 'MISSED')) process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
