import { describe, expect, it } from 'vitest';
import { createRetention } from './retention.ts';

const minuteMs = 60_000;

describe('retention', () => {
  it('keeps ended operations for more than ten minutes', () => {
    const retention = createRetention();
    retention.ended('a', 0);
    retention.ended('b', minuteMs);
    retention.ended('a', minuteMs);
    expect(retention.due(10 * minuteMs + 1)).toEqual([]);
    expect(retention.due(11 * minuteMs)).toEqual(['a']);
    expect(retention.due(11 * minuteMs)).toEqual([]);
    retention.forget('b');
    expect(retention.due(99 * minuteMs)).toEqual([]);
  });

  it('keeps at most 10,000 ended operations, the newest', () => {
    const retention = createRetention();
    for (let index = 0; index < 10_003; index += 1) retention.ended(String(index), index);
    expect(retention.due(20_000)).toEqual(['0', '1', '2']);
  });
});
