import { expect, it } from 'vitest';
import { hasWritten } from './storage-failure.ts';

it.each([
  [{ code: 0, stderr: '' }, true],
  [{ code: 0, stderr: 'qemu-img: warning: Could not set AIO state: Operation not permitted\n' }, true],
  [{ code: 0, stderr: 'qemu-img: Failed to flush the L2 block cache: Disk quota exceeded\n' }, false],
  [{ code: 0, stderr: 'qemu-img: Failed to flush the refcount block cache: Input/output error\n' }, false],
  [{ code: 1, stderr: '' }, false],
  [{ code: null, stderr: '' }, false],
])('D5: a program that ends with %j has written: %s', (run, expected) => {
  expect(hasWritten(run)).toBe(expected);
});
