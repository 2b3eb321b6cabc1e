import { expect, it } from 'vitest';
import { createAttempts } from './attempts.ts';

it('attempts of one key are limited for the rest of the window, and each window has one first refusal', () => {
  let nowMs = 0;
  const attempts = createAttempts({ max: 3, now: () => nowMs });
  const taken = Array.from({ length: 6 }, () => attempts.take('ann'));
  expect(taken.map((refusal) => refusal?.isFirst ?? null)).toEqual([null, null, null, true, false, false]);
  expect(taken[3]?.retryAfterS).toBe(60);
  expect(attempts.take('bob')).toBeNull();
  nowMs = 59_500;
  expect(attempts.take('ann')).toEqual({ retryAfterS: 1, isFirst: false });
  nowMs = 60_000;
  expect(attempts.take('ann')).toBeNull();
});

it('attempts start at zero after their key is forgotten, and memory of keys is bounded', () => {
  const attempts = createAttempts({ max: 1, now: () => 0 });
  attempts.take('ann');
  attempts.forget('ann');
  expect(attempts.take('ann')).toBeNull();
  for (let key = 0; key < 20_000; key += 1) attempts.take(`user${key}`);
  expect(attempts.take('user19999')).not.toBeNull();
  expect(attempts.take('ann')).toBeNull();
});
