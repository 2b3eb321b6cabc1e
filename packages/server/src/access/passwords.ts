import { hash, verify } from '@node-rs/argon2';
import { createSecret } from './secrets.ts';

/** argon2id with the parameters of OWASP's password storage cheat sheet: 19 MiB, 2 passes, 1 lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Concurrent hashes. Hashing shares its four threads with file calls, so two stay free. */
const atOnce = 2;

/** Slow on purpose, and equally slow for known and unknown users. */
export interface Passwords {
  /** argon2id in PHC form. */
  hash(password: string): Promise<string>;
  /** False for an unknown user (`null`), after the same work as for a known user. */
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
      // The next waiting call gets the slot directly, so a new call cannot overtake it.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
