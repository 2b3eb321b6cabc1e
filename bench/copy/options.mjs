import { tmpdir } from 'node:os';
import { readArguments } from '../arguments.mjs';

const units = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

const help = `npm run bench:copy -- [options]
  --rounds N            rounds of each comparison; fewer than 15 give no verdict (default: 15)
  --size SIZE           size of the warm file, e.g. 256MiB (default: 2GiB)
  --only a,b            parts to run: warm, sparse, reflink, blocked, reporting, watchers (default: all)
  --directory DIR       directory for the copies (default: the temporary directory)
  --write               write the results of these parts to bench/RESULTS.md
Run it on a quiet machine, because write-back makes single runs vary by a factor of four.`;

/** Parses the command line. Ends the process at --help. */
export function readOptions() {
  const values = readArguments(help, {
    rounds: '15',
    size: '2GiB',
    only: 'warm,sparse,reflink,blocked,reporting,watchers',
    directory: tmpdir(),
  });
  return {
    rounds: Number(values.rounds),
    sizeBytes: parseSize(values.size),
    only: values.only.split(','),
    directory: values.directory,
    write: values.write,
  };
}

function parseSize(text) {
  const [, number, unit = ''] = /^(\d+)(KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`not a size: ${text}`);
  return Number(number) * units[unit];
}

export function showSize(bytes) {
  return bytes >= units.GiB ? `${bytes / units.GiB} GiB` : `${bytes / units.MiB} MiB`;
}
