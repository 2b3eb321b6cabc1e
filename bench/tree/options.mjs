import { tmpdir } from 'node:os';
import { readArguments } from '../arguments.mjs';

const help = `npm run bench:tree -- [options]
  --rounds N            rounds; fewer than 7 give no verdict (default: 15)
  --files N             files of the tree, in directories of 100 (default: 1000)
  --size BYTES          size of each file (default: 20000)
  --directory DIR       directory for the copies (default: the temporary directory)
  --write               write the results to bench/RESULTS.md
Run it on a quiet machine, because write-back makes single runs vary by a factor of four.`;

/** Parses the command line. Ends the process at --help. */
export function readOptions() {
  const values = readArguments(help, {
    rounds: '15',
    files: '1000',
    size: '20000',
    directory: tmpdir(),
  });
  return {
    rounds: Number(values.rounds),
    files: Number(values.files),
    sizeBytes: Number(values.size),
    directory: values.directory,
    write: values.write,
  };
}
