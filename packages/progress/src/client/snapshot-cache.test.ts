import { expect, it } from 'vitest';
import { sampleSnapshot } from '../conformance/sample-snapshot.ts';
import { SnapshotCache } from './snapshot-cache.ts';

it('forgets the oldest ended ones of very many, never one that runs', () => {
  const held = new SnapshotCache();
  held.put(sampleSnapshot({ id: 'running' }));
  for (let number = 0; number < 2500; number += 1)
    held.put(sampleSnapshot({ id: `ended${number}`, state: 'succeeded' }));
  expect(held.ids()).toHaveLength(2000);
  expect(held.get('running')).toBeDefined();
  expect(held.get('ended0')).toBeUndefined();
  expect(held.get('ended2499')).toBeDefined();
});
