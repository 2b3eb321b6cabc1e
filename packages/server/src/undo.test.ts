import { expect, it } from 'vitest';
import { createUndo } from './undo.ts';

it('runs every step once, the last one first, and waits for each', async () => {
  const undo = createUndo();
  const ran: string[] = [];
  undo.add(() => ran.push('store'));
  undo.add(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    ran.push('copies');
  });
  await Promise.all([undo.all(), undo.all()]);
  expect(ran).toEqual(['copies', 'store']);
});

it('goes on past a failure and tells the first one', async () => {
  const undo = createUndo();
  const ran: string[] = [];
  undo.add(() => ran.push('store'));
  undo.add(() => Promise.reject(new Error('second')));
  undo.add(() => {
    throw new Error('first');
  });
  await expect(undo.all()).rejects.toThrow('first');
  expect(ran).toEqual(['store']);
});
