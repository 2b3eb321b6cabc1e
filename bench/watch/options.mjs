import { parseArgs } from 'node:util';

export const partNames = ['stalled', 'many', 'cost', 'slow', 'memory'];
/** The ten minutes of `memory` run only when they are asked for. */
const defaultParts = partNames.filter((name) => name !== 'memory');

const help = `npm run bench:watch -- [options]
  --rounds N      rounds of each comparison; fewer than 7 give no verdict (default 7)
  --only a,b      of: ${partNames.join(', ')} (default: ${defaultParts.join(', ')})
  --seconds N     of publishing in each round (default 5)
  --minutes N     without reading, in the part memory (default 10)
  --write         put the parts that ran into bench/RESULTS.md
Server on core 0, generator on core 1 (taskset). Needs a quiet machine, 9,500 files a process (ulimit -n), and takes
about 15 minutes without memory.`;

/** What the command line asks for; ends the process at --help. */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      only: { type: 'string', default: defaultParts.join(',') },
      seconds: { type: 'string', default: '5' },
      minutes: { type: 'string', default: '10' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    process.exit(0);
  }
  const only = values.only.split(',');
  const unknown = only.filter((name) => !partNames.includes(name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; there is ${partNames.join(', ')}`);
  const numbers = { rounds: values.rounds, ms: values.seconds * 1000, minutes: values.minutes };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(Number(value) > 0)) throw new Error(`--${name === 'ms' ? 'seconds' : name} must be more than 0`);
    numbers[name] = Number(value);
  }
  return { ...numbers, only, write: values.write };
}
