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

it('docs/configuration.md lists every option with its description', () => {
  const expected = options.map(({ flag, value, default: fallback, description }) => [
    `\`--${flag}${value === null ? '' : ` ${value}`}\``,
    `\`${environmentName(flag)}\``,
    fallback ?? 'none',
    description,
  ]);
  expect(rows(4)).toEqual(expected);
});

it('docs/configuration.md lists every start-up error with its hint', () => {
  expect(rows(2)).toEqual(Object.entries(configHints).map(([code, hint]) => [`\`${code}\``, hint]));
});

it('--help lists every flag with environment variable and default, and the secret without a flag', () => {
  const help = helpText();
  for (const { flag, default: fallback, description } of options) {
    expect(help).toContain(`--${flag}`);
    expect(help).toContain(environmentName(flag));
    expect(help).toContain(description);
    if (fallback !== null) expect(help).toContain(`(default: ${fallback})`);
  }
  expect(help).toContain('WCC_ADMIN_TOKEN');
  expect(help).toContain('--version');
});
