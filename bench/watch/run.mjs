// Measures live progress against its performance limits and against other libraries. See --help.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runCost, runMany, runStalled } from './fan-out.mjs';
import { runMemory } from './memory.mjs';
import { readOptions } from './options.mjs';
import { render, writeResults } from './report.mjs';
import { runSlow } from './slow.mjs';

const parts = { stalled: runStalled, many: runMany, cost: runCost, slow: runSlow, memory: runMemory };
const results = fileURLToPath(new URL('../RESULTS.md', import.meta.url));
const options = readOptions();
execFileSync('taskset', ['-c', '0,1', 'true']);
for (const name of options.only) {
  console.error(`${name} …`);
  const section = await parts[name](options);
  const markdown = render(section);
  console.log(`${markdown}\n`);
  if (options.write) writeResults(results, { part: name, markdown });
  if (section.gates.some(({ verdict }) => verdict === 'MISSED')) process.exitCode = 1;
}
