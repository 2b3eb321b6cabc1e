import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** Formats one part of a run as Markdown. */
export function render({ title, results, gates }, { rounds, fsType }) {
  const machine = `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${fsType}`;
  return [
    `### ${title}`,
    '',
    ...table(['gate', 'measured', 'wanted', 'verdict'], gates.map(Object.values)),
    ...renderTimes(results),
    '',
    `${machine}, Node ${process.versions.node}, ${rounds} interleaved rounds, \`sync\` before each; milliseconds.`,
  ].join('\n');
}

function renderTimes(results) {
  const rows = [...results].map(([name, { min, median, max, rounds }]) => [
    name,
    ...[min, median, max].map((value) => value.toFixed(1)),
    rounds,
  ]);
  return rows.length === 0 ? [] : ['', ...table(['way', 'min', 'median', 'max', 'rounds'], rows)];
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Replaces one part of the results. All other parts stay. */
export function writeResults(path, { part: name, markdown }) {
  const start = `<!-- copy/${name}: start -->`;
  const end = `<!-- copy/${name}: end -->`;
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '# Results\n';
  const part = `${start}\n\n${markdown}\n\n${end}`;
  const [before, rest] = old.split(start);
  const after = rest?.split(end)[1];
  writeFileSync(path, after === undefined ? `${old.trimEnd()}\n\n${part}\n` : `${before}${part}${after}`);
}
