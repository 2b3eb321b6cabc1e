// CPU seconds of child processes.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load(null);
const getrusage = libc.func('int getrusage(int who, _Out_ int64_t *usage)');
const ofChildren = -1;

/** Of all children that have ended. */
function childSeconds() {
  const usage = Array.from({ length: 18 }, () => 0);
  getrusage(ofChildren, usage);
  const [userS, userUs, systemS, systemUs] = usage.map(Number);
  return userS + systemS + (userUs + systemUs) / 1e6;
}

/** Runs a command to its end. @returns its CPU seconds */
export function secondsOf(argv, env) {
  const before = childSeconds();
  const { status, stderr } = spawnSync(process.execPath, argv, { env, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
  return childSeconds() - before;
}

/** Starts a server. Resolves when it is ready with the CPU seconds of its start. */
export async function startServer(argv, env) {
  const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const ready = /is ready at (\S+)/.exec(output);
      if (ready) resolve(ready[1]);
    });
    void ended.then(() => reject(new Error(`The server ended early: ${output}`)));
  });
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return {
    url,
    seconds: (Number(stat[11]) + Number(stat[12])) / 100,
    /** In MiB. */
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]) / 1024;
      return { anonymous: of('RssAnon'), resident: of('VmRSS') };
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
