import { expect, it } from 'vitest';
import { sampleSnapshot } from '../conformance/sample-snapshot.ts';
import { SnapshotCache } from './snapshot-cache.ts';

it('removes the oldest ended snapshots beyond 2000, but no running one', () => {
  const cache = new SnapshotCache();
  cache.put(sampleSnapshot({ id: 'running' }));
  for (let number = 0; number < 2500; number += 1)
    cache.put(sampleSnapshot({ id: `ended${number}`, state: 'succeeded' }));
  expect(cache.ids()).toHaveLength(2000);
  expect(cache.get('running')).toBeDefined();
  expect(cache.get('ended0')).toBeUndefined();
  expect(cache.get('ended2499')).toBeDefined();
});
