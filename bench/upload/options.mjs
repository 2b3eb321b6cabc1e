import { parseArgs } from 'node:util';

const help = `npm run bench:upload -- [options]
  --rounds N   rounds, subjects taking turns; fewer than 7 give no verdict (default 7)
  --mib N      size of the file (default 1024)
  --dir DIR    where the files go; a disk, not a tmpfs (default: the system's temporary directory)
  --write      put the result into bench/RESULTS.md
Needs curl and nginx (apt install nginx-light), a quiet machine, and room for two files.`;

/** What the command line asks for; ends the process at --help. */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      mib: { type: 'string', default: '1024' },
      dir: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    process.exit(0);
  }
  const [rounds, mib] = [Number(values.rounds), Number(values.mib)];
  if (!(rounds > 0 && mib > 0)) throw new Error('--rounds and --mib must be more than 0');
  return { rounds, mib, dir: values.dir, write: values.write };
}
