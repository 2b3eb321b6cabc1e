import { hash, verify } from '@node-rs/argon2';
import { createSecret } from './secrets.ts';

/** argon2id as OWASP's password storage sheet recommends it: 19 MiB, 2 passes, 1 lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashing runs on the four threads that file calls use too: at most two at a time, the rest wait. */
const atOnce = 2;

/** Slow on purpose, and equally slow for everybody. */
export interface Passwords {
  /** argon2id in PHC form. */
  hash(password: string): Promise<string>;
  /** Does the same work for an unknown user (`null`) as for a known one, and is then false. */
  verify(phc: string | null, password: string): Promise<boolean>;
}

export function createPasswords(): Passwords {
  const inTurn = createTurns(atOnce);
  let decoy: Promise<string> | undefined;
  return {
    hash: (password) => inTurn(() => hash(password, parameters)),
    async verify(phc, password) {
      decoy ??= inTurn(() => hash(createSecret(), parameters));
      const target = phc ?? (await decoy);
      const matches = await inTurn(() => verify(target, password));
      return matches && phc !== null;
    },
  };
}

type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

function createTurns(limit: number): InTurn {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place is handed on, not given back: a newcomer cannot overtake.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
