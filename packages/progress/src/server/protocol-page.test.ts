import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventRefusalStatuses } from './events/options.ts';

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The statuses in the first column of the tables under one heading. */
function statusesUnder(heading: string): number[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\d{3})` +\|/gm)].map(([, status]) =>
    Number(status),
  );
}

describe('docs/protocol.md', () => {
  it('lists every status of a refused stream of one operation', () => {
    const { malformed, ...refusals } = eventRefusalStatuses;
    expect(statusesUnder('Server-sent events')).toEqual(
      [200, 204, 401, ...Object.values(refusals)].toSorted((one, other) => one - other),
    );
    expect(statusesUnder('Combined stream')).toContain(malformed);
  });
});
