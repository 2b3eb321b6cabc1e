import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { doctorChecks } from './checks.ts';
import { doctorFindings, fillDoctorText } from './findings.ts';

const page = readFileSync(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8');

/** Rows of the tables with this number of columns whose first cell is code. */
function rows(columns: number): string[][] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    )
    .filter((cells) => cells.length === columns);
}

it('docs/doctor.md lists every check and every result with its texts', () => {
  const checks = rows(3).filter(([id = '']) => !/`(ok|warning|failed|skipped)`/.test(id));
  expect(checks.map((cells) => cells.slice(0, 2))).toEqual(
    Object.entries(doctorChecks).map(([id, title]) => [`\`${id}\``, title]),
  );
  const plain = (text: string): string => text.replaceAll('\\', '');
  expect(rows(4).map((cells) => cells.map(plain))).toEqual(
    Object.entries(doctorFindings).map(([code, { state, found, advice }]) =>
      [`\`${code}\``, state, found, advice ?? '–'].map(plain),
    ),
  );
});

it('fillDoctorText gives sizes and durations their unit, and leaves unknown parameters', () => {
  const text = '{freeBytes} {smallBytes} {writeMs} {limitMs} {path} {unknown}';
  const parameters = {
    freeBytes: 1_288_490_189,
    smallBytes: 12,
    writeMs: 1.0834,
    limitMs: 20_000,
    path: '/a',
  };
  expect(fillDoctorText(text, parameters)).toBe('1.2 GiB 12 B 1.08 ms 20 s /a {unknown}');
});
