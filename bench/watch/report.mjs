import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** One part of a run, in Markdown. */
export function render({ title, gates, tables, note }) {
  const machine = `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
  return [
    `### ${title}`,
    '',
    ...table(['gate', 'measured', 'wanted', 'verdict'], gates.map(Object.values)),
    ...tables.flatMap(({ head, rows }) => ['', ...table(head, rows)]),
    '',
    `${machine}, Node ${process.versions.node}. ${note}`,
  ].join('\n');
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Replaces one part of the results and keeps the rest. */
export function writeResults(path, { part, markdown }) {
  const start = `<!-- watch/${part}: start -->`;
  const end = `<!-- watch/${part}: end -->`;
  const text = `${start}\n\n${markdown}\n\n${end}`;
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '# Results\n';
  const [before, rest] = old.split(start);
  const after = rest?.split(end)[1];
  if (after !== undefined) return writeFileSync(path, `${before}${text}${after}`);
  const heading = old.includes('\n## Watching\n') ? '' : '## Watching\n\n';
  return writeFileSync(path, `${old.trimEnd()}\n\n${heading}${text}\n`);
}
