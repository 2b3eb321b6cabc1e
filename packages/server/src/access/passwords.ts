import { hash, verify } from '@node-rs/argon2';
import { ApiError, findPasswordProblem, passwordProblemMessages } from '@wcc/api';
import { createSecret } from './secrets.ts';

/** argon2id with the parameters of OWASP's password storage cheat sheet: 19 MiB, 2 passes, 1 lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Concurrent hashes. Hashing shares its four threads with file calls, so two stay free. */
const atOnce = 2;
/** Concurrent hashes of strangers: the rest stays free for known users. */
const strangersAtOnce = 1;
/** Waiting hashes of strangers, and of known users: some seconds of work. */
const maxWaiting = 32;

export interface HashOptions {
  /** The caller is signed in, or signs in from a network where they did so before. */
  isKnown: boolean;
}

/** `field`: the field of the request that has the password. */
export interface PasswordOwner {
  name: string;
  field: 'password' | 'next';
}

/** Slow on purpose, and equally slow for known and unknown users. */
export interface Passwords {
  /**
   * argon2id in PHC form. Every new password passes here, so here its owner's name is refused too.
   * @throws ApiError `invalid_input`, `sign_in_busy`
   */
  hash(password: string, owner: PasswordOwner): Promise<string>;
  /**
   * False for an unknown user (`null`), after the same work as for a known user.
   * @throws ApiError `sign_in_busy`
   */
  verify(phc: string | null, password: string, options: HashOptions): Promise<boolean>;
}

export function createPasswords(): Passwords {
  const inTurn = createTurns();
  let decoy: Promise<string> | undefined;
  return {
    async hash(password, { name, field }) {
      const problem = findPasswordProblem(password, name);
      if (problem !== null) {
        throw new ApiError('invalid_input', { field, message: passwordProblemMessages[problem] });
      }
      return inTurn(() => hash(password, parameters), { isKnown: true });
    },
    async verify(phc, password, options) {
      // Once in the life of the process, so it needs no turn.
      decoy ??= hash(createSecret(), parameters);
      const target = phc ?? (await decoy);
      const matches = await inTurn(() => verify(target, password), options);
      return matches && phc !== null;
    },
  };
}

type InTurn = <Result>(work: () => Promise<Result>, options: HashOptions) => Promise<Result>;

interface Turn {
  isKnown: boolean;
  begin: () => void;
}

/** Known callers come first and have a slot of their own. Each of the two queues is bounded. */
export function createTurns(): InTurn {
  const running = { known: 0, strangers: 0 };
  const waiting: { known: Turn[]; strangers: Turn[] } = { known: [], strangers: [] };

  function pump(): void {
    while (running.known + running.strangers < atOnce) {
      const turn =
        waiting.known.shift() ??
        (running.strangers < strangersAtOnce ? waiting.strangers.shift() : undefined);
      if (turn === undefined) return;
      running[turn.isKnown ? 'known' : 'strangers'] += 1;
      turn.begin();
    }
  }
  return async (work, { isKnown }) => {
    const kind = isKnown ? 'known' : 'strangers';
    if (waiting[kind].length >= maxWaiting) throw new ApiError('sign_in_busy', { retryAfterS: 5 });
    await new Promise<void>((begin) => {
      waiting[kind].push({ isKnown, begin });
      pump();
    });
    try {
      return await work();
    } finally {
      running[kind] -= 1;
      pump();
    }
  };
}
