import { readArguments } from '../arguments.mjs';

const help = `npm run bench:bytes -- [options]
  --rounds N    interleaved rounds; fewer than 7 give no verdict (default: 7)
  --mib N       size of the file in MiB (default: 1024)
  --earlier N   imports before the measured ones (default: 10)
  --uptime S    seconds that the server runs before the measured imports (default: 300)
  --minutes N   stops starting rounds in time to end after about this long (default: 12)
  --dir DIR     directory for the files, on a disk and not a tmpfs (default: the system's temporary directory)
  --write       write the results to bench/RESULTS.md
Needs curl, nginx (apt install nginx-light), openssl and qemu-img, a quiet machine, and space for five files.`;

/** Parses the command line. Ends the process at --help. */
export function readOptions() {
  const given = readArguments(help, {
    rounds: '7',
    mib: '1024',
    earlier: '10',
    uptime: '300',
    minutes: '12',
    dir: undefined,
  });
  const numbers = ['rounds', 'mib', 'earlier', 'uptime', 'minutes'].map((name) => [
    name,
    Number(given[name]),
  ]);
  const wrong = numbers.find(([, value]) => !(value >= 0));
  if (wrong !== undefined) throw new Error(`--${wrong[0]} must be a number`);
  return { ...Object.fromEntries(numbers), dir: given.dir, write: given.write };
}
