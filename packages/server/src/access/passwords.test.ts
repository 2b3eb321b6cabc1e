import { expect, it } from 'vitest';
import { createPasswords, createTurns } from './passwords.ts';

/** Work that ends when the test says so. */
function createWork(): {
  started: string[];
  work: (name: string) => () => Promise<void>;
  end: (name: string) => void;
} {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    work: (name) => async () => {
      started.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    },
    end: (name) => ends.get(name)?.(),
  };
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

it('SM9: hashes of known users do not wait for those of strangers', async () => {
  const inTurn = createTurns();
  const { started, work, end } = createWork();
  const strangers = Array.from({ length: 10 }, (_, index) => inTurn(work(`s${index}`), { isKnown: false }));
  const first = inTurn(work('ann'), { isKnown: true });
  await settle();
  expect(started).toEqual(['s0', 'ann']);
  const second = inTurn(work('bob'), { isKnown: true });
  end('s0');
  await settle();
  // A known user comes before the strangers that wait.
  expect(started).toEqual(['s0', 'ann', 'bob']);
  end('ann');
  await settle();
  expect(started).toEqual(['s0', 'ann', 'bob', 's1']);
  end('bob');
  for (let index = 1; index < 10; index += 1) {
    await settle();
    end(`s${index}`);
  }
  await Promise.all([...strangers, first, second]);
  expect(started).toHaveLength(12);
});

it('SM9: the queue of hashes is bounded, and known users have places of their own', async () => {
  const inTurn = createTurns();
  const { work, end } = createWork();
  const waiting = Array.from({ length: 33 }, (_, index) => inTurn(work(`s${index}`), { isKnown: false }));
  await expect(inTurn(work('late'), { isKnown: false })).rejects.toMatchObject({
    code: 'sign_in_busy',
    status: 503,
  });
  const known = inTurn(work('ann'), { isKnown: true });
  await settle();
  end('ann');
  await known;
  for (let index = 0; index < 33; index += 1) {
    await settle();
    end(`s${index}`);
  }
  await Promise.all(waiting);
});

it('a failed hash frees its slot', async () => {
  const inTurn = createTurns();
  for (let round = 0; round < 5; round += 1) {
    const failed = inTurn(() => Promise.reject(new Error('no memory')), { isKnown: false });
    await expect(failed).rejects.toThrow('no memory');
  }
  expect(await inTurn(() => Promise.resolve('done'), { isKnown: false })).toBe('done');
});

it('a password is verified against its own hash only', async () => {
  const passwords = createPasswords();
  const phc = await passwords.hash('correct horse', { name: 'sato', field: 'password' });
  expect(await passwords.verify(phc, 'correct horse', { isKnown: true })).toBe(true);
  expect(await passwords.verify(phc, 'wrong horse', { isKnown: false })).toBe(false);
  expect(await passwords.verify(null, 'correct horse', { isKnown: false })).toBe(false);
});
