import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

const MiB = 1024 ** 2;
const fewestRounds = 7;

export function summarise(samples, sizeBytes) {
  return Object.fromEntries(
    Object.entries(samples).map(([name, rounds]) => [
      name,
      {
        rate: median(rounds.map(({ ms }) => sizeBytes / MiB / (ms / 1000))),
        cpu: median(rounds.map(({ cpuS }) => cpuS / (sizeBytes / 1024 ** 3))),
        memory: median(rounds.map(({ memoryBytes }) => memoryBytes / MiB)),
        rounds: rounds.length,
      },
    ]),
  );
}

export function gatesOf(summary) {
  const { wcc } = summary;
  const self = Math.abs(wcc.rate / summary['wcc (again)'].rate - 1);
  const noise = `A/A ${(self * 100).toFixed(1)} %`;
  const verdict = (isMet) => (wcc.rounds < fewestRounds ? 'no verdict' : isMet ? 'met' : 'MISSED');
  // No verdict if a subject differs from its repetition by more than its distance from the limit.
  const compared = (value, limit) =>
    Math.abs(value / limit - 1) < self ? `no verdict (${noise})` : verdict(value >= limit);
  const ratio = (name) => wcc.rate / summary[name].rate;
  const [tus, nginx] = [ratio('@tus/server + file-store'), ratio('nginx DAV PUT')];
  return [
    ['speed against @tus/server + file-store', `${tus.toFixed(2)} × (${noise})`, '≥ 2 ×', compared(tus, 2)],
    ['speed against nginx DAV PUT', `${nginx.toFixed(2)} × (${noise})`, '≥ 0.6 ×', compared(nginx, 0.6)],
    ['CPU of the server', `${wcc.cpu.toFixed(2)} s/GiB`, '≤ 1.5 s/GiB', verdict(wcc.cpu <= 1.5)],
    [
      'memory of one upload above idle',
      `${wcc.memory.toFixed(1)} MiB`,
      '≤ 16 MiB',
      verdict(wcc.memory <= 16),
    ],
  ];
}

export function render({ summary, gates, mib, load }) {
  const rows = Object.entries(summary).map(([name, { rate, cpu, memory, rounds }]) => [
    name,
    Math.round(rate),
    cpu.toFixed(2),
    memory.toFixed(1),
    rounds,
  ]);
  const machine = `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
  const busy =
    load > 1 ? ` Load of the machine before the run: ${load.toFixed(1)}; the machine was busy.` : '';
  return [
    `### A file of ${mib} MiB by loopback`,
    '',
    ...table(['gate', 'measured', 'wanted', 'verdict'], gates),
    '',
    ...table(['receiver', 'MiB/s', 'server CPU s/GiB', 'MiB above idle', 'rounds'], rows),
    '',
    'Only wcc has the file on the disk when it answers: the others leave it in the page cache.',
    '',
    `${machine}, Node ${process.versions.node}, curl sends; medians of interleaved rounds, \`sync\` before each.${busy}`,
  ].join('\n');
}

export const loadNow = () => loadavg()[0];

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Replaces one benchmark's part of the results. */
export function writeResults(path, markdown, { name = 'upload', heading = 'Uploads' } = {}) {
  const [start, end] = [`<!-- ${name}: start -->`, `<!-- ${name}: end -->`];
  const text = `${start}\n\n${markdown}\n\n${end}`;
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '# Results\n';
  const [before, rest] = old.split(start);
  const after = rest?.split(end)[1];
  if (after === undefined) writeFileSync(path, `${old.trimEnd()}\n\n## ${heading}\n\n${text}\n`);
  else writeFileSync(path, `${before}${text}${after}`);
}
