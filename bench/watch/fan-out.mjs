import { subjects } from './subjects.mjs';
import { againSuffix, interleave, judge, median, selfDifference } from './rounds.mjs';

/** Events a second of a copy at 400 MB/s that reports every 8 MiB. */
const eventsPerSecond = 50;
const wantedP99Ms = 500;
const wantedCpu = 2;
const tunedSocketIo = 'Socket.IO, tuned';

const note = (rounds) =>
  `Server on core 0, generator on core 1; medians of ${rounds} interleaved rounds; ${eventsPerSecond} events a second, open-loop.`;

/** Runs every subject with 1,000 watchers, and 100 of them stop reading. */
export async function runStalled({ rounds, ms }) {
  const all = await interleave(['wcc', `wcc${againSuffix}`, ...Object.keys(subjects).slice(1)], {
    rounds,
    plan: { reading: 900, stalled: 100, hz: eventsPerSecond, ms },
  });
  return {
    title: '1,000 watchers, 100 of them stalled',
    gates: [
      stalenessGate(all, '1,000 watchers, 100 stalled', rounds),
      endGate(all, rounds),
      cpuGate(all, '1,000 watchers, 100 stalled', rounds),
    ],
    tables: [figures(all)],
    note: note(rounds),
  };
}

/** 9,000 watchers on one core. */
export async function runMany({ rounds, ms }) {
  const all = await interleave(['wcc', tunedSocketIo], {
    rounds,
    plan: { reading: 9000, stalled: 0, hz: eventsPerSecond, ms },
  });
  return {
    title: '9,000 watchers on one core',
    gates: [stalenessGate(all, '9,000 watchers', rounds), endGate(all, rounds)],
    tables: [figures(all)],
    note: note(rounds),
  };
}

/** 3,000 watchers, compared with a peer tuned for the lowest cost. */
export async function runCost({ rounds, ms }) {
  const all = await interleave(['wcc', tunedSocketIo, `wcc${againSuffix}`], {
    rounds,
    plan: { reading: 3000, stalled: 0, hz: eventsPerSecond, ms },
  });
  return {
    title: '3,000 watchers: cost',
    gates: [cpuGate(all, '3,000 watchers', rounds), stalenessGate(all, '3,000 watchers', rounds)],
    tables: [figures(all)],
    note: note(rounds),
  };
}

function stalenessGate(all, who, rounds) {
  const p99 = median(all, 'wcc', 'p99Ms');
  return {
    gate: `p99 staleness, ${who}`,
    measured: `${p99} ms (rounds ${all
      .get('wcc')
      .map(({ p99Ms }) => p99Ms)
      .join(', ')})`,
    wanted: `< ${wantedP99Ms} ms`,
    verdict: judge({ isMet: p99 < wantedP99Ms, all, rounds }),
  };
}

function endGate(all, rounds) {
  const least = Math.min(...all.get('wcc').map(({ endShare }) => endShare));
  return {
    gate: 'readers that receive the terminal snapshot within 1 s, in the worst round',
    measured: percent(least),
    wanted: 'all',
    verdict: judge({ isMet: least === 1, all, rounds }),
  };
}

function cpuGate(all, who, rounds) {
  const ratio = median(all, 'wcc', 'cpuMs') / median(all, tunedSocketIo, 'cpuMs');
  const self = selfDifference(all, 'wcc', 'cpuMs');
  return {
    gate: `processor time against tuned Socket.IO, ${who}`,
    measured: `${ratio.toFixed(2)} × (A/A ${percent(self)})`,
    wanted: `≤ ${wantedCpu} ×`,
    verdict: judge({ isMet: ratio <= wantedCpu, all, rounds, selfDifference: self }),
  };
}

const percent = (share) => `${(share * 100).toFixed(share === 1 ? 0 : 1)} %`;

/** The medians of all subjects, as a table. */
function figures(all) {
  const columns = {
    'p50 ms': ['p50Ms', 0],
    'p99 ms': ['p99Ms', 0],
    'CPU s': ['cpuMs', 2, 1000],
    'snapshots each': ['snapshotsEach', 1],
    'bytes each': ['snapshotBytes', 0],
    'RSS + MiB': ['rssMiB', 0],
    'sockets + MiB': ['socketMiB', 0],
    'event late p99 ms': ['eventLateMs', 0],
  };
  const head = ['subject', ...Object.keys(columns), 'end in 1 s', 'events carried out'];
  const rows = [...all.keys()].map((name) => [
    name,
    ...Object.values(columns).map(([figure, digits, unit = 1]) =>
      (median(all, name, figure) / unit).toFixed(digits),
    ),
    percent(median(all, name, 'endShare')),
    percent(median(all, name, 'eventsRan')),
  ]);
  return { head, rows };
}
