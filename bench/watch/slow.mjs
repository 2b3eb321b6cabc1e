import { runRound } from './round.mjs';
import { ENOUGH_ROUNDS, judge } from './rounds.mjs';

const SPEEDS = [500, 5000];
const HZ = 50;
const MS = 40_000;
const GRACE_MS = 500;
const SUBJECTS = ['wcc', 'ws, serialised once', 'Socket.IO, tuned'];

/**
 * Readers of 500 and of 5,000 bytes a second, for 40 s: how far behind what they hold is. As many readers of each
 * speed as there are rounds elsewhere, at once: they cost next to nothing.
 */
export async function runSlow({ rounds }) {
  const slow = SPEEDS.flatMap((speed) => Array.from({ length: rounds }, () => speed));
  const all = new Map();
  for (const name of SUBJECTS) {
    // A reader without a limit measures the size of a snapshot.
    all.set(name, [await runRound(name, { reading: 1, stalled: 0, slow, hz: HZ, ms: MS })]);
  }
  return {
    title: 'Readers with little bandwidth',
    gates: SPEEDS.map((speed) => gateOf(all, speed, rounds)),
    tables: [
      { head: ['subject', 'bytes/s', ...moments().map((second) => `after ${second} s`)], rows: rowsOf(all) },
    ],
    note: `Milliseconds behind (now − \`at\` of what is held), the worst of ${rounds} readers within each second; ${HZ} events a second.`,
  };
}

/** Seconds that the table shows; the last is the last complete one. */
function moments() {
  return [5, 10, 20, 30, MS / 1000 - 3];
}

function gateOf(all, speed, rounds) {
  const [{ behind, snapshotBytes }] = all.get('wcc');
  const boundMs = (2 * snapshotBytes * 1000) / speed + GRACE_MS;
  const mostMs = Math.max(...behind[speed].filter((ms) => ms !== undefined));
  return {
    gate: `a reader of ${speed} bytes/s is at most 2 × snapshot / bandwidth + 0.5 s behind`,
    measured: `${mostMs} ms`,
    wanted: `≤ ${Math.round(boundMs)} ms`,
    verdict: judge({ isMet: mostMs <= boundMs, all, rounds: Math.min(rounds, ENOUGH_ROUNDS) }),
  };
}

function rowsOf(all) {
  return [...all].flatMap(([name, [{ behind }]]) =>
    SPEEDS.map((speed) => [name, speed, ...moments().map((second) => behind[speed][second] ?? '–')]),
  );
}
