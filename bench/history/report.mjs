import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { release } from './release.mjs';

const mostMs = 50;
const mostTimes = 3;
const mostReadyMs = 3000;
const mostShare = 0.03;
/** Above this load, other programs use the cores of the measurement. */
const quietLoad = 1;

const sorted = (values) => values.toSorted((a, b) => a - b);
const percentile = (values, part) => sorted(values)[Math.ceil(values.length * part) - 1];
const median = (values) => percentile(values, 0.5);
const p95 = (values) => percentile(values, 0.95);
const ms = (value) => (value < 100 ? value.toFixed(1) : String(Math.round(value)));
const percent = (share) => `${(share * 100).toFixed(2)} %`;

/** A limit that holds on a busy machine holds. One that does not hold there says nothing. */
function verdict(isMet, load) {
  return isMet ? 'met' : load > quietLoad ? 'no verdict: busy machine' : 'MISSED';
}

export function gatesOf({ requests, purging, starts, writer }, load) {
  return [
    ...requestGates(requests, { title: (kind) => kind, load }),
    ...requestGates(purging, { title: (kind) => `${kind}, during the purge`, load }),
    startGate(starts, load),
    writerGate(writer, load),
  ];
}

function requestGates(samples, { title, load }) {
  return Object.entries(samples).map(([kind, of]) => {
    const [long, few] = [p95(of['long history']), p95(of['almost empty'])];
    const control = p95(of['almost empty (again)']) / few;
    const isMet = long <= mostMs && long <= mostTimes * few;
    const measured = `${ms(long)} ms, ${(long / few).toFixed(2)} × (A/A ${control.toFixed(2)} ×)`;
    return [`p95 of ${title(kind)}`, measured, `≤ ${mostMs} ms, ≤ ${mostTimes} ×`, verdict(isMet, load)];
  });
}

function startGate(starts, load) {
  const worst = Math.max(...starts['long history']);
  const controls = `${ms(Math.max(...starts['almost empty']))} and ${ms(Math.max(...starts['almost empty (again)']))} ms`;
  const measured = `${ms(worst)} ms (almost empty: ${controls})`;
  return [
    'ready with a purge of all pending, slowest',
    measured,
    `≤ ${mostReadyMs} ms`,
    verdict(worst <= mostReadyMs, load),
  ];
}

function writerGate(writer, load) {
  const shares = Object.fromEntries(Object.entries(writer).map(([name, values]) => [name, median(values)]));
  const idle = Math.min(shares.idle, shares['idle (again)']);
  const measured = `${percent(shares.writing - idle)} (idle ${percent(shares.idle)}, again ${percent(shares['idle (again)'])})`;
  return [
    'core for a file that is written 20 times a second',
    measured,
    `≤ ${percent(mostShare)}`,
    verdict(shares.writing - idle <= mostShare, load),
  ];
}

export function render({ results, gates, options, load }) {
  const machine = `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
  const busy =
    load > quietLoad ? ` Load of the machine before the run: ${load.toFixed(1)}; the machine was busy.` : '';
  const { updates, settleS, requests, purging } = results;
  const rows = (samples, note) =>
    Object.entries(samples).flatMap(([kind, of]) =>
      Object.entries(of).map(([name, values]) => [
        `${kind}${note}`,
        name,
        ms(median(values)),
        ms(p95(values)),
        ms(Math.max(...values)),
      ]),
    );
  const all = [
    ...rows(requests, ''),
    ...rows(purging, ', during the purge'),
    ...rows({ start: results.starts }, ''),
  ];
  return [
    `### ${options.operations} ended operations and ${options.images} images`,
    '',
    ...table(['gate', 'measured', 'wanted', 'verdict'], gates),
    '',
    ...table(['what, in ms', 'database', 'median', 'p95', 'max'], all),
    '',
    `The first start updated ${Math.round(results.databaseBytes / 1024 ** 2)} MiB of ${release} in ${ms(updates['long history'] / 1000)} s, its backup included`,
    `(almost empty: ${ms(updates['almost empty'] / 1000)} s). The check and the look at the pool after it took ${Math.round(settleS)} s.`,
    '',
    `${machine}, Node ${process.versions.node}; servers on core 0, requests from core 1, ${options.rounds} rounds in turns.${busy}`,
  ].join('\n');
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Replaces this benchmark's part of the results. */
export function writeResults(path, markdown) {
  const [start, end] = ['<!-- history: start -->', '<!-- history: end -->'];
  const text = `${start}\n\n${markdown}\n\n${end}`;
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '# Results\n';
  const [before, rest] = old.split(start);
  const after = rest?.split(end)[1];
  if (after === undefined) writeFileSync(path, `${old.trimEnd()}\n\n## A long history\n\n${text}\n`);
  else writeFileSync(path, `${before}${text}${after}`);
}
