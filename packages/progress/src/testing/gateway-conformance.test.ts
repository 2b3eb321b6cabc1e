import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServerMessage } from '@wcc/progress/protocol';
import { startTamperingProxy } from './tampering-proxy.testkit.ts';
import type { Tampering } from './tampering-proxy.testkit.ts';
import { gatewayConformance } from './gateway-conformance.ts';
import type { ConformanceCase } from './target.ts';
import { startTarget } from './target.testkit.ts';
import type { Faults, RunningTarget } from './target.testkit.ts';

function casesOf(target: RunningTarget): Map<string, ConformanceCase> {
  return new Map(gatewayConformance(target).map((each) => [each.name, each]));
}

describe('the gateway of this package', () => {
  let target: RunningTarget;
  beforeAll(async () => void (target = await startTarget()));
  afterAll(() => target.close());

  it('passes every conformance case', async () => {
    for (const { name, run } of gatewayConformance({ ...target, patienceMs: 20_000 })) {
      await expect(run(), name).resolves.toBeUndefined();
    }
  }, 120_000);

  it('has no cases for members that the target lacks', () => {
    const { url, origin, ticket, begin } = target;
    const few = gatewayConformance({ url, origin, ticket, begin }).map(({ name }) => name);
    expect(few.filter((name) => /events|gone|session ends/.test(name))).toEqual([]);
    expect(few.length).toBeGreaterThan(15);
  });
});

interface Broken {
  what: string;
  faults?: Faults;
  tampering?: Tampering;
  /** Names of the cases that must fail. */
  breaks: string[];
}

const isUpdate = (message: ServerMessage): message is Extract<ServerMessage, { t: 'ops' }> =>
  message.t === 'ops';

const broken: Broken[] = [
  {
    what: 'sends another message before hello',
    tampering: {
      toClient: () => (message) => (message.t === 'hello' ? [{ t: 'hb', now: 1 }, message] : [message]),
    },
    breaks: ['sends hello first, with version, epoch and limits'],
  },
  {
    what: 'echoes the first subprotocol',
    tampering: { chooseProtocol: ([first = '']) => first },
    breaks: ['never echoes the ticket, whatever the order of subprotocols'],
  },
  {
    what: 'lets a ticket be used again',
    faults: { tickets: 'reusable' },
    breaks: ['opens one socket for a ticket and refuses a second one'],
  },
  {
    what: 'deletes a ticket after a delay',
    faults: { tickets: 'late' },
    breaks: ['opens one socket when a ticket is used twice at the same time'],
  },
  {
    what: 'accepts any ticket',
    faults: { anyTicket: true },
    breaks: ['answers 401 to an unknown and to a missing ticket'],
  },
  {
    what: 'accepts any Origin',
    faults: { anyOrigin: true },
    breaks: ['answers 403 to a foreign Origin'],
  },
  {
    what: 'does not require wcc.v1',
    tampering: { addProtocol: true },
    breaks: ['answers 400 to a client that does not offer wcc.v1'],
  },
  {
    what: 'closes every socket with 1000',
    tampering: { closeCode: () => 1000 },
    breaks: [
      'closes with 4400 after a message that is not of the protocol',
      'closes with 1003 after a binary and with 1009 after a too long message',
      'answers too many messages with err "rate", then closes with 4429',
      'closes with 4401 when the session ends',
    ],
  },
  {
    what: 'sends an older snapshot again',
    tampering: {
      toClient: () => {
        let first: ServerMessage | null = null;
        return (message) => {
          if (!isUpdate(message)) return [message];
          first ??= message;
          return [message, first];
        };
      },
    },
    breaks: ['sends the first snapshot, newer ones and the end, in order'],
  },
  {
    what: 'does not send the end',
    tampering: {
      toClient: () => (message) =>
        isUpdate(message) && message.d.some(({ state }) => state === 'succeeded') ? [] : [message],
    },
    breaks: ['sends the first snapshot, newer ones and the end, in order'],
  },
  {
    what: 'answers forbidden and unknown differently',
    tampering: {
      toClient: () => (message) => {
        const text = JSON.stringify(message).replace(
          /"(?!aaaa)(\w+)","err":"not_found"/,
          '"$1","err":"forbidden"',
        );
        return [JSON.parse(text) as ServerMessage];
      },
    },
    breaks: ['answers forbidden and unknown operations with the same bytes'],
  },
  {
    what: 'lets any user watch',
    faults: { anyoneMayWatch: true },
    breaks: [
      'sends nothing of an operation to a stranger, by name or list',
      'answers forbidden and unknown operations with the same bytes',
      'events: answers forbidden and unknown operations with the same 404',
    ],
  },
  {
    what: 'ignores the version that the client names',
    tampering: {
      toServer: (message) =>
        message.t === 'sub' && 'ops' in message
          ? { ...message, ops: message.ops.map(({ op }) => ({ op })) }
          : message,
    },
    breaks: ['resumes: sends no current snapshot again and the newest for an old one'],
  },
  {
    what: 'sends snapshots after unsub',
    tampering: {
      toServer: (message, reply) => {
        if (message.t !== 'unsub') return message;
        reply({ t: 'ok', id: message.id });
        return null;
      },
    },
    breaks: ['ends a subscription after unsub'],
  },
  {
    what: 'adds no new operation to a list',
    tampering: {
      toClient: () => {
        let listed: string[] | null = null;
        return (message) => {
          if (message.t === 'ok' && message.list) listed = (message.res ?? []).map(({ op }) => op);
          return isUpdate(message) && listed && !message.d.every(({ id }) => listed?.includes(id))
            ? []
            : [message];
        };
      },
    },
    breaks: ['lists running operations and adds new ones'],
  },
  {
    what: 'revokes nothing',
    faults: { revokesNothing: true },
    breaks: [
      'sends gone when the right is revoked, then nothing',
      'events: sends gone when the right is revoked, then ends',
    ],
  },
  {
    what: 'ends no session',
    faults: { endsNoSession: true },
    breaks: ['closes with 4401 when the session ends'],
  },
  {
    what: 'does not wait for the Pong',
    tampering: { answersPings: true },
    breaks: ['waits for the Pong, then sends only the newest snapshot'],
  },
  {
    what: 'sends events with wrong ids',
    faults: {
      events: (_request, response) => {
        const write = response.write.bind(response) as (data: unknown, ...rest: unknown[]) => boolean;
        response.write = ((data: unknown, ...rest: unknown[]) =>
          write(String(data).replace(/^id: .*$/m, 'id: 1'), ...rest)) as typeof response.write;
      },
    },
    breaks: ['events: sends all snapshots with their ids until the end'],
  },
  {
    what: 'ignores Last-Event-ID',
    faults: { events: ({ headers }) => void delete headers['last-event-id'] },
    breaks: [
      'events: resumes after Last-Event-ID and answers 204 after the end',
      'events: does not send again what the client holds',
    ],
  },
  {
    what: 'answers the forbidden with 403',
    faults: { revealsForbidden: true },
    breaks: ['events: answers forbidden and unknown operations with the same 404'],
  },
  {
    what: 'lets pages of other sites read events',
    faults: { events: ({ headers }) => void delete headers['sec-fetch-site'] },
    breaks: ['events: refuses a page of another site'],
  },
];

describe('the conformance cases', () => {
  const running: RunningTarget[] = [];
  afterEach(async () => {
    for (const target of running.splice(0)) await target.close();
  });

  it.each(broken)('fail for a server that $what', async ({ faults = {}, tampering, breaks }) => {
    const right = await startTarget(faults);
    const target = tampering === undefined ? right : await startTamperingProxy(right, tampering);
    running.push(target);
    const cases = casesOf({ ...target, patienceMs: 1500 });
    for (const name of breaks) {
      await expect(cases.get(name)?.run(), name).rejects.toThrow(/\w/);
    }
  });

  it('have at least one broken server each', async () => {
    const target = await startTarget();
    running.push(target);
    const names = [...casesOf(target).keys()];
    const found = new Set(broken.flatMap(({ breaks }) => breaks));
    expect(names.filter((name) => !found.has(name))).toEqual([]);
  });
});
