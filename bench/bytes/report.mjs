import { cpus, totalmem } from 'node:os';
import { median, table } from '../upload/report.mjs';

const fewestRounds = 7;
/** Maximum difference of wcc from its repetition. A larger one voids the comparison. */
const maxSelfDifference = 0.1;
const GiB = 1024 ** 3;

export function summarise(samples) {
  const times = samples.map(({ ms }) => ms);
  const used = samples.flatMap(({ cpuS }) => cpuS ?? []);
  return {
    min: Math.min(...times),
    median: times.length === 0 ? Number.NaN : median(times),
    cpuS: used.length === 0 ? null : median(used),
    rounds: samples.length,
  };
}

/** What each part must reach. `of`: the number that is compared. */
const gates = {
  download: { peer: 'nginx sendfile', of: 'min', least: 0.8, cpu: 0.5 },
  'download, TLS': { peer: 'nginx ssl', of: 'min', least: 0.9 },
  convert: { peer: 'qemu-img convert && sync FILE', of: 'min', least: 0.85 },
  upload: { cpu: 0.9 },
  import: { peer: 'curl && sync FILE', of: 'median', least: 0.95, cpu: 1.4 },
};

const mostMarkCompacts = 5;

/** @param parts samples by part and subject; `wcc` and `wcc (again)` are the same server */
export function gatesOf(parts, { sizeBytes, markCompacts, importedBytes }) {
  const rows = Object.entries(parts).flatMap(([part, subjects]) => gatesOfPart(part, subjects, sizeBytes));
  const perTenGiB = importedBytes === 0 ? Number.NaN : (markCompacts / importedBytes) * 10 * GiB;
  const rounds = parts.import?.wcc.length ?? 0;
  return [
    ...rows,
    [
      'import: mark-compacts per 10 GiB',
      perTenGiB.toFixed(1),
      `≤ ${mostMarkCompacts}`,
      verdict(perTenGiB <= mostMarkCompacts, { rounds, self: 0 }),
    ],
  ];
}

function gatesOfPart(part, subjects, sizeBytes) {
  const { peer, of = 'min', least, cpu } = gates[part];
  const [wcc, again] = [summarise(subjects.wcc), summarise(subjects['wcc (again)'])];
  const { rounds } = again;
  const rows = [];
  if (peer !== undefined) {
    const self = Math.abs(wcc[of] / again[of] - 1);
    const ratio = summarise(subjects[peer])[of] / wcc[of];
    const measured = `${ratio.toFixed(2)} × (A/A ${(self * 100).toFixed(1)} %)`;
    const name = `${part}: speed against ${peer}, by ${of === 'min' ? 'minima' : 'medians'}`;
    rows.push([name, measured, `≥ ${least} ×`, verdict(ratio >= least, { rounds, self })]);
  }
  if (cpu !== undefined) {
    const perGiB = (wcc.cpuS / sizeBytes) * GiB;
    const self = Math.abs(wcc.cpuS / again.cpuS - 1);
    const measured = `${perGiB.toFixed(2)} s/GiB (A/A ${(self * 100).toFixed(1)} %)`;
    rows.push([
      `${part}: CPU of the server, median`,
      measured,
      `≤ ${cpu} s/GiB`,
      verdict(perGiB <= cpu, { rounds, self }),
    ]);
  }
  return rows;
}

function verdict(isMet, { rounds, self }) {
  if (!(rounds >= fewestRounds)) return `no verdict (${rounds} rounds)`;
  if (!(self <= maxSelfDifference)) return `no verdict (A/A ${(self * 100).toFixed(1)} %)`;
  return isMet ? 'met' : 'MISSED';
}

export function render({ parts, gates: rows, options, load, uptimeS, sizeBytes }) {
  const machine = `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / GiB)} GiB`;
  const busy =
    load > 1 ? ` Load of the machine before the run: ${load.toFixed(1)}; the machine was busy.` : '';
  const results = Object.entries(parts).flatMap(([part, subjects]) =>
    Object.entries(subjects).map(([name, samples]) => {
      const { min, median: middle, cpuS, rounds } = summarise(samples);
      const cpu = cpuS === null ? '' : ((cpuS / sizeBytes) * GiB).toFixed(2);
      return [part, name, min.toFixed(0), middle.toFixed(0), cpu, rounds];
    }),
  );
  return [
    `### A file of ${options.mib} MiB by loopback`,
    '',
    ...table(['gate', 'measured', 'wanted', 'verdict'], rows),
    '',
    ...table(['what', 'by', 'min ms', 'median ms', 'server CPU s/GiB', 'rounds'], results),
    '',
    `The imports began ${Math.round(uptimeS)} s after the start of the server, after ${options.earlier} others.`,
    '',
    `${machine}, Node ${process.versions.node}, curl receives; interleaved rounds, \`sync\` before each.${busy}`,
  ].join('\n');
}
