import { readArguments } from '../arguments.mjs';

export const partNames = ['stalled', 'many', 'cost', 'slow', 'memory'];
/** The part `memory` takes ten minutes, so it runs only on request. */
const defaultParts = partNames.filter((name) => name !== 'memory');

const help = `npm run bench:watch -- [options]
  --rounds N      rounds of each comparison; fewer than 7 give no verdict (default 7)
  --only a,b      parts to run, of: ${partNames.join(', ')} (default: ${defaultParts.join(', ')})
  --seconds N     seconds of publishing in each round (default 5)
  --minutes N     minutes without reading, in the part memory (default 10)
  --write         write the results of these parts to bench/RESULTS.md
The server runs on core 0, the load generator on core 1 (taskset). Needs a quiet machine and 9,500 open files per
process (ulimit -n). Takes about 15 minutes without the part memory.`;

/** Parses the command line. Ends the process at --help. */
export function readOptions() {
  const values = readArguments(help, {
    rounds: '7',
    only: defaultParts.join(','),
    seconds: '5',
    minutes: '10',
  });
  const only = values.only.split(',');
  const unknown = only.filter((name) => !partNames.includes(name));
  if (unknown.length > 0)
    throw new Error(`unknown part: ${unknown.join(', ')}; known parts: ${partNames.join(', ')}`);
  const numbers = { rounds: values.rounds, ms: values.seconds * 1000, minutes: values.minutes };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(Number(value) > 0)) throw new Error(`--${name === 'ms' ? 'seconds' : name} must be more than 0`);
    numbers[name] = Number(value);
  }
  return { ...numbers, only, write: values.write };
}
