import { existsSync } from 'node:fs';
import { readArguments } from '../arguments.mjs';

const help = `Measures a server with a long history beside one with an almost empty database, in turns. Both
databases have the schema and the rows of the last release, and the first start updates them.

Options:
  --operations N  ended operations of the long history (default: 1000000)
  --images N      images of the large pool (default: 10000)
  --rounds N      requests of each kind and server, and starts: N / 40 (default: 200)
  --seconds N     length of each look at the processor time (default: 10)
  --port N        first of two ports (default: 8490)
  --dir DIR       where databases and pools are made (default: the temporary directory)
  --write         replaces this part in bench/RESULTS.md`;

const counts = ['operations', 'images', 'rounds', 'seconds', 'port'];

export function readOptions() {
  const given = readArguments(help, {
    operations: '1000000',
    images: '10000',
    rounds: '200',
    seconds: '10',
    port: '8490',
    dir: undefined,
  });
  const { dir, write } = given;
  const options = Object.fromEntries(counts.map((name) => [name, Number(given[name])]));
  for (const [name, value] of Object.entries(options))
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} needs a whole number above 0`);
  if (dir !== undefined && !existsSync(dir)) throw new Error(`--dir ${dir} does not exist`);
  return { ...options, dir, write };
}
