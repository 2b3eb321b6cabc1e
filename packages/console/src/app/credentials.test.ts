import { describe, expect, it } from 'vitest';
import { findPasswordProblem } from '@wcc/api';
import { generatePassword, isUserName } from './credentials.ts';

describe('credentials', () => {
  it('isUserName accepts only valid user names', () => {
    for (const name of ['a', 'sato', 'x.y_z-1', '0', 'a'.repeat(32)])
      expect(isUserName(name), name).toBe(true);
    for (const name of ['', 'Sato', '-a', '.a', 'a b', 'ä', 'a'.repeat(33)])
      expect(isUserName(name), name).toBe(false);
  });

  it('generated passwords are long, easy to read and never repeated', () => {
    const made = Array.from({ length: 2000 }, generatePassword);
    expect(new Set(made).size).toBe(made.length);
    for (const password of made) {
      expect(findPasswordProblem(password)).toBeNull();
      expect(password).toMatch(/^[a-hjkmnp-z2-9](?:-?[a-hjkmnp-z2-9])*$/);
      expect(password).toHaveLength(20);
    }
  });

  it('generated passwords use every character about equally often', () => {
    const counts = new Map<string, number>();
    const text = Array.from({ length: 2000 }, generatePassword).join('').replaceAll('-', '');
    for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    expect(counts.size).toBe(31);
    const mean = text.length / 31;
    // The tolerance is about ±22 standard deviations, so only a biased choice fails the test.
    for (const [letter, count] of counts) {
      expect(count, letter).toBeGreaterThan(mean * 0.4);
      expect(count, letter).toBeLessThan(mean * 1.6);
    }
  });
});
