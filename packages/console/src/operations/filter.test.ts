import { describe, expect, it } from 'vitest';
import { formatFilter, isFiltered, matchesFilter, noFilter, parseFilter, queryOf } from './filter.ts';
import { snapshotOf } from './operations-state.testkit.ts';

const search =
  '?state=queued,failed&action=copy_vm_image&owner=me&subject=image:100&from=2026-01-01&to=2026-01-02';

describe('the filter of the operations page', () => {
  it('is stored completely in the address', () => {
    const filter = parseFilter(search);
    expect(filter).toEqual({
      states: ['queued', 'failed'],
      action: 'copy_vm_image',
      isOwn: true,
      subject: 'image:100',
      from: '2026-01-01',
      to: '2026-01-02',
    });
    expect(formatFilter(filter)).toBe(search);
    expect(parseFilter(formatFilter({ ...noFilter, action: 'a&b=c' })).action).toBe('a&b=c');
  });

  it('ignores malformed conditions of an address', () => {
    expect(parseFilter('?state=running,burning&subject=7&from=yesterday&to=2026-1-1&owner=all')).toEqual({
      ...noFilter,
      states: ['running'],
    });
    expect(isFiltered(parseFilter('?colour=red'))).toBe(false);
    expect(formatFilter(noFilter)).toBe('');
  });

  it('maps to the query of the API', () => {
    expect(queryOf(noFilter, 'u1')).toEqual({});
    expect(queryOf(parseFilter(search), 'u1')).toEqual({
      state: 'queued,failed',
      action: 'copy_vm_image',
      owner: 'u1',
      subject: 'image:100',
      since: new Date(2026, 0, 1).toISOString(),
      until: new Date(2026, 0, 3).toISOString(),
    });
  });

  it.each([
    ['?state=running', true],
    ['?state=failed', false],
    ['?action=copy_vm_image', true],
    ['?action=make_sample_image', false],
    ['?subject=image:100', true],
    ['?subject=image:101', false],
    ['?from=2025-12-01&to=2026-02-01', true],
    ['?from=2026-01-03', false],
    ['?to=2025-12-30', false],
  ])('%s matches a running copy of image 100 of 1 January: %s', (query, isShown) => {
    expect(matchesFilter(snapshotOf(), parseFilter(query), 'u1')).toBe(isShown);
  });

  it('distinguishes own operations from those of other users', () => {
    expect(matchesFilter(snapshotOf(), parseFilter('?owner=me'), 'u1')).toBe(true);
    expect(matchesFilter(snapshotOf(), parseFilter('?owner=me'), 'u2')).toBe(false);
  });
});
