import { readArguments } from '../arguments.mjs';

const help = `npm run bench:upload -- [options]
  --rounds N   interleaved rounds; fewer than 7 give no verdict (default: 7)
  --mib N      size of the file in MiB (default: 1024)
  --dir DIR    directory for the files, on a disk and not a tmpfs (default: the system's temporary directory)
  --write      write the results to bench/RESULTS.md
Needs curl and nginx (apt install nginx-light), a quiet machine, and space for two files.`;

/** Parses the command line. Ends the process at --help. */
export function readOptions() {
  const values = readArguments(help, {
    rounds: '7',
    mib: '1024',
    dir: undefined,
  });
  const [rounds, mib] = [Number(values.rounds), Number(values.mib)];
  if (!(rounds > 0 && mib > 0)) throw new Error('--rounds and --mib must be greater than 0');
  return { rounds, mib, dir: values.dir, write: values.write };
}
