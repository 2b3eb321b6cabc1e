import { runRound } from './round.mjs';

/** Minimum number of rounds for a verdict. */
export const minRounds = 7;
/** Maximum share of the machine used by other processes in the median round. */
const maxBusyShare = 0.1;
/** Maximum difference of a subject from its own repetition. */
const maxSelfDifference = 0.1;
/** Maximum load of the load generator. A higher load would limit the result. */
const maxGeneratorShare = 0.9;
export const againSuffix = ' (again)';

/**
 * Runs subjects in turn, each round in another order. A name that ends with `(again)` is the control: the same
 * subject once more.
 * @returns the figures of all rounds by name
 */
export async function interleave(names, { rounds, plan }) {
  const all = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const at = round % names.length;
    for (const name of [...names.slice(at), ...names.slice(0, at)]) {
      const figures = await runRound(name.replace(againSuffix, ''), plan);
      all.get(name).push(figures);
      const { p99Ms, cpuMs, othersShare } = figures;
      console.error(
        `  ${round + 1}/${rounds} ${name}: p99 ${p99Ms} ms, ${cpuMs.toFixed(0)} ms CPU, others ${(othersShare * 100).toFixed(0)} %`,
      );
    }
  }
  return all;
}

export function medianOf(list) {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
}

/** The median of one figure over the rounds of a subject. */
export function median(all, name, figure) {
  return medianOf(all.get(name).map((round) => round[figure]));
}

/** Difference of the medians of a subject and its repetition, as a share. */
export function selfDifference(all, name, figure) {
  const [one, other] = [median(all, name, figure), median(all, name + againSuffix, figure)];
  return Math.abs(one - other) / Math.min(one, other);
}

/** The verdict of a limit; `no verdict` if the measurement was not reliable. */
export function judge({ isMet, all, rounds = minRounds, selfDifference: self = 0 }) {
  if (rounds < minRounds) return `no verdict (${rounds} rounds)`;
  const every = [...all.values()].flat();
  const others = medianOf(every.map(({ othersShare }) => othersShare));
  if (others > maxBusyShare) return `no verdict (busy machine: ${(others * 100).toFixed(0)} %)`;
  const generator = medianOf(every.map(({ generatorShare }) => generatorShare));
  if (generator > maxGeneratorShare) return 'no verdict (generator at its limit)';
  if (self > maxSelfDifference) return `no verdict (A/A ${(self * 100).toFixed(1)} %)`;
  return isMet ? 'met' : 'MISSED';
}
