import { expect, it } from 'vitest';
import { createUndo } from './undo.ts';

it('undo runs every step once, last step first, and waits for each', async () => {
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

it('undo continues after a failure and throws the first one', async () => {
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
