import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { subjects } from './subjects.mjs';

const serverCore = 0;
const generatorCore = 1;
const settleMs = 1000;
const defaultDeadlineMs = 60_000;
const jiffyMs = 10;

/** A process on one core, controlled by messages. */
export function startPinned(file, core, args = []) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn('taskset', ['-c', String(core), process.execPath, path, ...args.map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let failed = null;
  const waiting = new Set();
  child.on('error', (error) => fail(error));
  child.on('exit', (code, signal) => fail(new Error(`${file} ${args[0] ?? ''} ended: ${code ?? signal}`)));
  const fail = (error) => {
    failed = error;
    for (const reject of waiting) reject(error);
  };
  return {
    child,
    send: (message) => {
      if (failed !== null) throw failed;
      child.send(message);
    },
    /** @returns the next message */
    hear: (deadlineMs = defaultDeadlineMs) =>
      new Promise((resolve, reject) => {
        if (failed !== null) return reject(failed);
        const end = (settle, value) => {
          clearTimeout(timer);
          waiting.delete(refuse);
          child.off('message', accept);
          settle(value);
        };
        const accept = (message) => end(resolve, message);
        const refuse = (error) => end(reject, error);
        const timer = setTimeout(
          () => refuse(new Error(`${file} ${args[0] ?? ''}: no message for ${deadlineMs} ms`)),
          deadlineMs,
        );
        waiting.add(refuse);
        return child.once('message', accept);
      }),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('exit', resolve);
        return child.kill('SIGKILL');
      }),
  };
}

/**
 * Runs one subject once, with a new server and new watchers.
 * @param plan `{ reading, stalled, slow?, hz, ms }`
 * @returns the figures of both sides
 */
export async function runRound(name, plan) {
  const { reading, stalled, slow = [], hz, ms } = plan;
  const watchers = reading + stalled + slow.length;
  const server = startPinned('server.mjs', serverCore, [name, watchers]);
  const generator = startPinned('clients.mjs', generatorCore);
  try {
    const { port, id } = await server.hear();
    const { framing } = subjects[name];
    generator.send({ open: { port, id, framing, reading, stalled, slow } });
    await generator.hear();
    const others = busyElsewhere([server.child.pid, generator.child.pid]);
    const costs = server.hear(ms + defaultDeadlineMs);
    // Awaited below. Until then a rejection, e.g. of a crashed server, must not end this process.
    costs.catch(() => undefined);
    server.send({ hz, ms });
    await sleep(settleMs);
    generator.send({ measure: true });
    await sleep(ms - settleMs - 100);
    generator.send({ stop: true });
    const figures = await costs;
    generator.send({ report: { endedAtMs: figures.endedAtMs } });
    return { ...figures, ...(await generator.hear()), othersShare: others() };
  } finally {
    await Promise.all([server.stop(), generator.stop()]);
  }
}

/** @returns a function that returns the share of the machine that other processes have used since */
function busyElsewhere(pids) {
  const start = { machine: machineMs(), ours: oursMs(pids) };
  return () => {
    const machine = machineMs();
    const busyMs = machine.busy - start.machine.busy - (oursMs(pids) - start.ours);
    return Math.max(0, busyMs / (machine.all - start.machine.all));
  };
}

/** Busy time of all cores. Excludes interrupts, because our own loopback traffic causes them. */
function machineMs() {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/);
  const [user, nice, system, idle, wait, irq, soft] = fields.map((value) => Number(value) * jiffyMs);
  return { busy: user + nice + system, all: user + nice + system + idle + wait + irq + soft };
}

function oursMs(pids) {
  return pids
    .map((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '))
    .reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12])) * jiffyMs, 0);
}
