import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiError, toProblem } from './errors.ts';
import { errorCodes, errorRegistry } from './registry.ts';

const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
/** Rows of the table in docs/errors.md: code, status, message, hint. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe('the error registry', () => {
  it('equals the table of docs/errors.md', () => {
    const expected = errorCodes.map((code) => {
      const { status, message, hint } = errorRegistry[code];
      return [`\`${code}\``, String(status), message, hint];
    });
    expect(rows).toEqual(expected);
  });

  it('has an error status, and whole sentences of at most 25 words', () => {
    for (const { status, message, hint } of Object.values(errorRegistry)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(message).toMatch(/^[A-Z].*\.$/);
      expect(hint).toMatch(/^[A-Z].*\.$/);
      for (const text of [message, hint]) expect(text.split(' ').length, text).toBeLessThanOrEqual(25);
    }
  });
});

describe('a problem document', () => {
  it('contains code, message and hint, and a field only if one is invalid', () => {
    const cause = new Error('inside');
    const plain = toProblem(new ApiError('exists', { message: 'A user of this name exists.', cause }));
    expect(plain).toEqual({
      type: 'about:blank',
      title: 'The name is taken.',
      status: 409,
      detail: 'A user of this name exists.',
      code: 'exists',
      hint: 'Choose another name.',
    });
    expect(toProblem(new ApiError('exists', { field: 'name' }))).toMatchObject({ field: 'name' });
  });
});
