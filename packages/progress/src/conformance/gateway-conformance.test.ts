import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServerMessage } from '@wcc/progress';
import { startBetween } from './between.testkit.ts';
import type { Spoils } from './between.testkit.ts';
import { gatewayConformance } from './gateway-conformance.ts';
import type { ConformanceCase } from './target.ts';
import { startTarget } from './target.testkit.ts';
import type { Faults, RunningTarget } from './target.testkit.ts';

function casesOf(target: RunningTarget): Map<string, ConformanceCase> {
  return new Map(gatewayConformance(target).map((each) => [each.name, each]));
}

describe('a server of this package', () => {
  let target: RunningTarget;
  beforeAll(async () => void (target = await startTarget()));
  afterAll(() => target.close());

  it('keeps every rule', async () => {
    for (const { name, run } of gatewayConformance({ ...target, patienceMs: 20_000 })) {
      await expect(run(), name).resolves.toBeUndefined();
    }
  }, 120_000);

  it('is asked only for what it can do', () => {
    const { url, origin, ticket, begin } = target;
    const few = gatewayConformance({ url, origin, ticket, begin }).map(({ name }) => name);
    expect(few.filter((name) => /events|gone|session ends/.test(name))).toEqual([]);
    expect(few.length).toBeGreaterThan(15);
  });
});

interface Broken {
  what: string;
  faults?: Faults;
  spoils?: Spoils;
  /** Cases that find it. */
  breaks: string[];
}

const isNews = (message: ServerMessage): message is Extract<ServerMessage, { t: 'ops' }> =>
  message.t === 'ops';

const broken: Broken[] = [
  {
    what: 'says something else before hello',
    spoils: {
      toClient: () => (message) => (message.t === 'hello' ? [{ t: 'hb', now: 1 }, message] : [message]),
    },
    breaks: ['greets first, with its version, epoch and limits'],
  },
  {
    what: 'echoes the first subprotocol, as some libraries do',
    spoils: { choose: ([first = '']) => first },
    breaks: ['never echoes the ticket, wherever it is offered'],
  },
  {
    what: 'lets a ticket be used again',
    faults: { tickets: 'reusable' },
    breaks: ['opens one socket for a ticket, and no second one'],
  },
  {
    what: 'looks a ticket up before it deletes it',
    faults: { tickets: 'late' },
    breaks: ['opens one socket when a ticket is used twice at once'],
  },
  {
    what: 'takes any ticket',
    faults: { anyTicket: true },
    breaks: ['answers 401 to an unknown ticket, and to none'],
  },
  {
    what: 'takes any Origin',
    faults: { anyOrigin: true },
    breaks: ['answers 403 to a foreign Origin, and keeps no ticket of it alive'],
  },
  {
    what: 'does not ask for wcc.v1',
    spoils: { addProtocol: true },
    breaks: ['answers 400 to whoever does not offer wcc.v1'],
  },
  {
    what: 'closes everything as if it were well',
    spoils: { closeCode: () => 1000 },
    breaks: [
      'closes with 4400 at what is not of the protocol',
      'closes with 1003 at binary and with 1009 at too much',
      'stops a flood: err "rate", then 4429',
      'closes with 4401 when the session ends',
    ],
  },
  {
    what: 'sends an older snapshot again',
    spoils: {
      toClient: () => {
        let first: ServerMessage | null = null;
        return (message) => {
          if (!isNews(message)) return [message];
          first ??= message;
          return [message, first];
        };
      },
    },
    breaks: ['sends the first snapshot, newer ones and the end, forwards only'],
  },
  {
    what: 'forgets the end',
    spoils: {
      toClient: () => (message) =>
        isNews(message) && message.d.some(({ state }) => state === 'succeeded') ? [] : [message],
    },
    breaks: ['sends the first snapshot, newer ones and the end, forwards only'],
  },
  {
    what: 'tells the forbidden from the unknown',
    spoils: {
      toClient: () => (message) => {
        const text = JSON.stringify(message).replace(
          /"(?!aaaa)(\w+)","err":"not_found"/,
          '"$1","err":"forbidden"',
        );
        return [JSON.parse(text) as ServerMessage];
      },
    },
    breaks: ['answers the forbidden and the unknown with the same bytes'],
  },
  {
    what: 'lets everybody watch',
    faults: { everybodyMayWatch: true },
    breaks: [
      'sends a stranger nothing of it, by name or list',
      'answers the forbidden and the unknown with the same bytes',
      'events: the forbidden and the unknown are the same 404',
    ],
  },
  {
    what: 'does not look at what the client holds',
    spoils: {
      toServer: (message) =>
        message.t === 'sub' && 'ops' in message
          ? { ...message, ops: message.ops.map(({ op }) => ({ op })) }
          : message,
    },
    breaks: ['resumes: what is current is not sent again, anything else whole'],
  },
  {
    what: 'goes on after unsub',
    spoils: {
      toServer: (message, reply) => {
        if (message.t !== 'unsub') return message;
        reply({ t: 'ok', id: message.id });
        return null;
      },
    },
    breaks: ['ends a subscription with unsub'],
  },
  {
    what: 'lists nothing that begins later',
    spoils: {
      toClient: () => {
        let listed: string[] | null = null;
        return (message) => {
          if (message.t === 'ok' && message.list) listed = (message.res ?? []).map(({ op }) => op);
          return isNews(message) && listed && !message.d.every(({ id }) => listed?.includes(id))
            ? []
            : [message];
        };
      },
    },
    breaks: ['lists what lives, and new ones as they come'],
  },
  {
    what: 'revokes nothing',
    faults: { revokesNothing: true },
    breaks: [
      'says gone when the right is taken, then nothing',
      'events: gone when the right is taken, then the end',
    ],
  },
  {
    what: 'ends no session',
    faults: { endsNoSession: true },
    breaks: ['closes with 4401 when the session ends'],
  },
  {
    what: 'waits for nobody',
    spoils: { answersPings: true },
    breaks: ['waits for the Pong, then sends the newest only'],
  },
  {
    what: 'gives events ids of its own',
    faults: {
      events: (_request, response) => {
        const write = response.write.bind(response) as (data: unknown, ...rest: unknown[]) => boolean;
        response.write = ((data: unknown, ...rest: unknown[]) =>
          write(String(data).replace(/^id: .*$/m, 'id: 1'), ...rest)) as typeof response.write;
      },
    },
    breaks: ['events: the same snapshots, each with its id, until the end'],
  },
  {
    what: 'does not look at Last-Event-ID',
    faults: { events: ({ headers }) => void delete headers['last-event-id'] },
    breaks: [
      'events: Last-Event-ID resumes, and 204 after the end',
      'events: what is held already is not sent again',
    ],
  },
  {
    what: 'answers the forbidden with 403',
    faults: { tellsForbidden: true },
    breaks: ['events: the forbidden and the unknown are the same 404'],
  },
  {
    what: 'lets pages of other sites read events',
    faults: { events: ({ headers }) => void delete headers['sec-fetch-site'] },
    breaks: ['events: a page of another site gets none'],
  },
];

describe('a server that', () => {
  const running: RunningTarget[] = [];
  afterEach(async () => {
    for (const target of running.splice(0)) await target.close();
  });

  it.each(broken)('$what is found out', async ({ faults = {}, spoils, breaks }) => {
    const right = await startTarget(faults);
    const target = spoils === undefined ? right : await startBetween(right, spoils);
    running.push(target);
    const cases = casesOf({ ...target, patienceMs: 1500 });
    for (const name of breaks) {
      await expect(cases.get(name)?.run(), name).rejects.toThrow(/\w/);
    }
  });

  it('every case finds a broken server', async () => {
    const target = await startTarget();
    running.push(target);
    const names = [...casesOf(target).keys()];
    const found = new Set(broken.flatMap(({ breaks }) => breaks));
    expect(names.filter((name) => !found.has(name))).toEqual([]);
  });
});
