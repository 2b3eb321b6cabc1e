import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configHints } from './errors.ts';
import { environmentName, helpText, options } from './options.ts';

const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');

/** Rows of the tables whose first cell is code. */
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

it('docs/configuration.md tells every option as it is', () => {
  const told = options.map(({ flag, value, default: fallback, description }) => [
    `\`--${flag}${value === null ? '' : ` ${value}`}\``,
    `\`${environmentName(flag)}\``,
    fallback ?? 'none',
    description,
  ]);
  expect(rows(4)).toEqual(told);
});

it('docs/configuration.md tells what to do about every refusal', () => {
  expect(rows(2)).toEqual(Object.entries(configHints).map(([code, hint]) => [`\`${code}\``, hint]));
});

it('--help names every flag, its environment twin, its default and the secret that has no flag', () => {
  const help = helpText();
  for (const { flag, default: fallback, description } of options) {
    expect(help).toContain(`--${flag}`);
    expect(help).toContain(environmentName(flag));
    expect(help).toContain(description);
    if (fallback !== null) expect(help).toContain(`[${fallback}]`);
  }
  expect(help).toContain('WCC_ADMIN_TOKEN');
  expect(help).toContain('--version');
});
