import { execFileSync } from 'node:child_process';

/** Minimum rounds for a verdict, because single runs vary by a factor of four. */
export const minRounds = 15;
/** Maximum difference of a subject from its repetition. A run with a larger difference has no verdict. */
const maxSelfDifference = 0.03;

/**
 * Runs subjects in turn with a `sync` before each, and keeps their times in milliseconds. The order rotates each
 * round, so that no subject always follows the same one.
 * @param subjects `{ name, run, rounds? }`, where `run` returns the time it took
 */
export async function interleave(subjects, rounds) {
  const times = new Map(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const turned = [
      ...subjects.slice(round % subjects.length),
      ...subjects.slice(0, round % subjects.length),
    ];
    for (const { name, run, rounds: own = rounds } of turned) {
      if (round >= own) continue;
      execFileSync('sync');
      times.get(name).push(await run());
    }
  }
  return new Map([...times].map(([name, list]) => [name, summarize(list)]));
}

export function summarize(list) {
  const sorted = list.toSorted((a, b) => a - b);
  return {
    min: sorted[0],
    median: sorted[Math.floor(sorted.length / 2)],
    max: sorted.at(-1),
    rounds: sorted.length,
  };
}

/** Relative difference between the minima of a subject and its repetition. */
export function selfDifference(results, name) {
  const [one, other] = [results.get(name).min, results.get(`${name} (again)`).min];
  return Math.abs(one - other) / Math.min(one, other);
}

/** The smaller minimum of a subject and its repetition. */
export function bestOf(results, name) {
  return Math.min(results.get(name).min, results.get(`${name} (again)`)?.min ?? Number.POSITIVE_INFINITY);
}

/** The verdict of a limit; none after too few rounds, or if a subject differs too much from its repetition. */
export function judge({ isMet, rounds, controls = [] }) {
  if (rounds < minRounds) return `no verdict (${rounds} rounds)`;
  const worst = Math.max(0, ...controls);
  if (worst > maxSelfDifference) return `no verdict (A/A ${(worst * 100).toFixed(1)} %)`;
  return isMet ? 'met' : 'MISSED';
}
