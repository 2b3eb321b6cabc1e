import { runRound } from './round.mjs';
import { minRounds, judge } from './rounds.mjs';

const speeds = [500, 5000];
const eventsPerSecond = 50;
const measuredMs = 40_000;
const graceMs = 500;
const subjects = ['wcc', 'ws, serialised once', 'Socket.IO, tuned'];

/**
 * Measures for 40 s how far readers of 500 and 5,000 bytes per second are behind. Runs one reader per round at the
 * same time, because such readers are cheap.
 */
export async function runSlow({ rounds }) {
  const slow = speeds.flatMap((speed) => Array.from({ length: rounds }, () => speed));
  const all = new Map();
  for (const name of subjects) {
    // A reader without a limit measures the size of a snapshot.
    all.set(name, [
      await runRound(name, { reading: 1, stalled: 0, slow, hz: eventsPerSecond, ms: measuredMs }),
    ]);
  }
  return {
    title: 'Readers with little bandwidth',
    gates: speeds.map((speed) => gateOf(all, speed, rounds)),
    tables: [
      { head: ['subject', 'bytes/s', ...moments().map((second) => `after ${second} s`)], rows: rowsOf(all) },
    ],
    note: `Milliseconds behind (now − \`at\` of the newest snapshot), the worst of ${rounds} readers within each second; ${eventsPerSecond} events a second.`,
  };
}

/** The seconds in the table. The last value is the last complete second. */
function moments() {
  return [5, 10, 20, 30, measuredMs / 1000 - 3];
}

function gateOf(all, speed, rounds) {
  const [{ behind, snapshotBytes }] = all.get('wcc');
  const boundMs = (2 * snapshotBytes * 1000) / speed + graceMs;
  const mostMs = Math.max(...behind[speed].filter((ms) => ms !== undefined));
  return {
    gate: `a reader of ${speed} bytes/s is at most 2 × snapshot / bandwidth + 0.5 s behind`,
    measured: `${mostMs} ms`,
    wanted: `≤ ${Math.round(boundMs)} ms`,
    verdict: judge({ isMet: mostMs <= boundMs, all, rounds: Math.min(rounds, minRounds) }),
  };
}

function rowsOf(all) {
  return [...all].flatMap(([name, [{ behind }]]) =>
    speeds.map((speed) => [name, speed, ...moments().map((second) => behind[speed][second] ?? '–')]),
  );
}
