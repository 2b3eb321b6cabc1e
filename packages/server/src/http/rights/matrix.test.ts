import { endpoints } from '@wcc/api/openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSession } from '../open-things.testkit.ts';
import { callers, strangers, startMatrix } from './matrix.testkit.ts';
import type { Caller, Matrix, Stranger, Probe } from './matrix.testkit.ts';
import { createProbes } from './probes.testkit.ts';
import type { Probes } from './probes.testkit.ts';

/**
 * Every endpoint of the API's description, asked by every kind of caller. The expectations are written by hand, and
 * know nothing of `access/rules.ts`. An endpoint without an expectation fails.
 *
 * Each row names its callers in the order of `callers`: share link, viewer, other operator, owner, administrator ·
 * tokens: read of a viewer; read, write and publish of the owner; read and publish of an administrator; admin token.
 * `+` has the right, `3` gets 403, and `4` gets 404 as for a thing that does not exist.
 */
const expectations: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  // Every account may look. A share link shows its operation only, and a publisher sees nothing.
  '3++++ +++3 +3 +': {
    'GET /api/images': 200,
    'GET /api/images/{id}': 200,
    'GET /api/images/{id}/copy-plan': 200,
    'GET /api/pools': 200,
    'GET /api/host': 200,
    'GET /api/vms': 200,
    'GET /api/uploads': 200,
    'GET /api/operations': 200,
    'GET /api/session/profile': 200,
    'GET /api/tokens': 200,
  },
  // Every account changes what is only its own, but not by a token that reads.
  '3++++ 33+3 33 +': { 'PUT /api/session/profile': 200 },
  // Operators make images and machines.
  '33+++ 33+3 33 +': {
    'POST /api/images/{id}/copy': 409,
    'POST /api/images/{id}/convert': 409,
    'POST /api/images/{id}/verify': 202,
    'POST /api/images/import': 409,
    'POST /api/images/import/facts': 422,
    'POST /api/images/sample': 409,
    'POST /api/pools/{id}/rescan': 200,
    'POST /api/uploads': 409,
    'POST /api/vms': 409,
    'POST /api/vms/quick-create': 409,
  },
  '33+++ 3++3 +3 +': {
    'GET /api/images/{id}/download': 200,
    'HEAD /api/images/{id}/download': 200,
  },
  // The owner changes an image that every account sees.
  '333++ 33+3 33 +': { 'PATCH /api/images/{id}': 200, 'DELETE /api/images/{id}': 409 },
  // The owner sees what is hidden from others.
  '444++ 4++4 +4 +': {
    'GET /api/uploads/{id}': 200,
    'HEAD /api/uploads/{id}': 200,
    'POST /api/uploads/{id}/match': 409,
    'GET /api/vms/{id}': 200,
    'GET /api/vms/{id}/serial': 200,
    'GET /api/vms/{id}/screenshot': 200,
    'GET /api/operations/{id}/log': 200,
  },
  // The owner changes what is hidden from others.
  '444++ 43+4 34 +': {
    'PATCH /api/uploads/{id}': 409,
    'DELETE /api/uploads/{id}': 204,
    'PATCH /api/vms/{id}': 200,
    'DELETE /api/vms/{id}': 202,
    'POST /api/vms/{id}/copy': 409,
    'POST /api/vms/{id}/start': 200,
    'POST /api/vms/{id}/shutdown': 409,
    'POST /api/vms/{id}/power-off': 200,
    'POST /api/vms/{id}/reset': 409,
    'POST /api/vms/{id}/discard-saved-state': 200,
    'POST /api/vms/{id}/adopt': 200,
    'POST /api/vms/{id}/disks': 409,
    'PATCH /api/vms/{id}/disks/{index}': 200,
    'PUT /api/vms/{id}/cdrom': 200,
    'POST /api/operations/{id}/cancel': 409,
    'POST /api/operations/{id}/pause': 409,
    'POST /api/operations/{id}/resume': 409,
    'POST /api/operations/{id}/retry': 409,
    // The share link is of another operation.
    'DELETE /api/operations/{id}/shares/{share}': 204,
  },
  // The share link is of this operation, so it learns that this is not for it.
  '344++ 43+4 34 +': {
    'GET /api/operations/{id}/grants': 200,
    'DELETE /api/operations/{id}/grants/{user}': 204,
    'GET /api/operations/{id}/shares': 200,
  },
  // A viewer may share nothing, whatever it is.
  '334++ 33+4 34 +': {
    'POST /api/operations/{id}/grants': 201,
    'POST /api/operations/{id}/shares': 201,
  },
  // The operation of the share link.
  '+44++ 4++4 +4 +': { 'GET /api/operations/{id}': 200, 'GET /api/operations/{id}/events': 200 },
  // A stream of whatever the caller may watch.
  '+++++ +++3 +3 +': { 'POST /api/events': 200, 'POST /api/ws-tickets': 200 },
  // Programs publish operations. Only the owner reports on one, whatever the role of others.
  '33+++ 33++ 3+ +': { 'POST /api/operations': 202 },
  '444+4 44++ 44 4': {
    'PATCH /api/operations/{id}/progress': 200,
    'POST /api/operations/{id}/end': 409,
  },
  '33333 3333 33 3': {},
  // Administrators only.
  '3333+ 3333 +3 +': {
    'GET /api/pools/{id}/orphans': 200,
    'GET /api/users': 200,
    'GET /api/audit': 200,
    'GET /api/system/doctor': 200,
    'GET /metrics': 200,
  },
  '3333+ 3333 33 +': {
    'DELETE /api/pools/{id}/orphans/{orphan}': 204,
    'POST /api/users': 409,
    'PATCH /api/users/{id}': 200,
  },
  // Only with a password: no token makes a token or outlives a new password.
  '3++++ 3333 33 3': {
    'DELETE /api/session': 204,
    'PUT /api/session/password': 422,
    'POST /api/tokens': 201,
  },
  '344++ 33+3 33 +': { 'DELETE /api/tokens/{id}': 204 },
  '+++++ ++++ ++ +': { 'GET /api/session': 200 },
};

/** Endpoints without credentials. An upgrade has its own checks: `upgrade.test.ts` and `threats-handshake.test.ts`. */
const open: Readonly<Record<string, number>> = {
  'GET /api/health': 200,
  'POST /api/session': 400,
  'POST /api/first-sign-in': 400,
  'GET /api/openapi.json': 200,
  'GET /api/docs': 200,
  'OPTIONS /api/uploads': 204,
  'OPTIONS /api/uploads/{id}': 204,
  'GET /api/ws': 426,
  'GET /api/vms/{id}/screen': 426,
  'GET /api/vms/{id}/serial/socket': 426,
  // Only a ticket opens it: `page-key.test.ts`.
  'POST /api/images/{id}/download': 401,
};

interface Row {
  name: string;
  /** The status for each caller. */
  expected: Record<Caller, number>;
  /** The status for callers without valid credentials. */
  stranger: number;
}

const rows: readonly Row[] = [
  ...Object.entries(open).map(([name, status]) => rowOf(name, '+'.repeat(callers.length), status)),
  ...Object.entries(expectations).flatMap(([pattern, named]) =>
    Object.entries(named).map(([name, status]) => rowOf(name, pattern.replaceAll(' ', ''), status)),
  ),
];

function rowOf(name: string, pattern: string, status: number): Row {
  const statuses = callers.map((caller, at) => {
    const sign = pattern[at] ?? '';
    return [caller, sign === '+' ? status : Number(`40${sign}`)] as const;
  });
  return {
    name,
    expected: Object.fromEntries(statuses) as Row['expected'],
    stranger: name in open ? status : 401,
  };
}

let matrix: Matrix;
let probes: Probes;
beforeAll(async () => {
  matrix = await startMatrix();
  probes = createProbes(matrix);
}, 120_000);
afterAll(async () => {
  await matrix.close();
});

const isRefusal = (status: number): boolean => [401, 403, 404].includes(status);

/** The answers to all callers of one kind. Callers that are refused ask at once, the others one after the other. */
async function answers(
  name: string,
  expected: Readonly<Record<string, number>>,
  change: (probe: Probe) => Probe = (probe) => probe,
): Promise<Record<string, number>> {
  const got: Record<string, number> = {};
  const ask = async (who: string): Promise<void> => {
    const probe = await probes[name]?.(!isRefusal(expected[who] ?? 0));
    if (probe === undefined) throw new Error(`no probe for ${name}`);
    got[who] = (await matrix.ask(who as Caller | Stranger, change(probe))).status;
    if (name === 'DELETE /api/session' && got[who] === 204) await signInAgain(who as Caller);
  };
  const who = Object.keys(expected);
  await Promise.all(who.filter((one) => isRefusal(expected[one] ?? 0)).map(ask));
  for (const one of who) if (!isRefusal(expected[one] ?? 0)) await ask(one);
  return got;
}

async function signInAgain(who: Caller): Promise<void> {
  const id = matrix.things.users[who as keyof Matrix['things']['users']];
  matrix.credentials[who] = { cookie: (await newSession(matrix.server, id)).cookie };
}

describe('the matrix of rights', () => {
  it('has an expectation and a request for every endpoint of the description, and no other', () => {
    const described = endpoints.map(({ method, path }) => `${method} ${path}`).toSorted();
    expect(rows.map(({ name }) => name).toSorted()).toEqual(described);
    expect(Object.keys(probes).toSorted()).toEqual(described);
  });

  it.each(rows)('$name answers every caller as expected', async ({ name, expected }) => {
    expect(await answers(name, expected)).toEqual(expected);
  });

  it.each(rows)(
    '$name gives no more than the public to callers without valid credentials',
    async ({ name, stranger }) => {
      const expected = Object.fromEntries(strangers.map((one) => [one, stranger]));
      expect(await answers(name, expected)).toEqual(expected);
    },
  );
});

/** Another id of the same form, under which nothing is. */
function withoutThing({ path, ...rest }: Probe): Probe {
  const { things } = matrix;
  const replaced = path
    .replace(`/vms/${things.vm}`, '/vms/987654321')
    .replace(`/vms/${things.running}`, '/vms/987654321')
    .replace(things.report, 'a'.repeat(26))
    .replace(things.ended, 'a'.repeat(26))
    .replace(things.upload, 'a'.repeat(26));
  return { ...rest, path: replaced };
}

describe('a refusal', () => {
  const hidden = rows.filter(
    ({ expected, name }) => Object.values(expected).includes(404) && !/shares\/|tokens/.test(name),
  );
  it.each(hidden)(
    '$name answers 404 byte for byte as for a thing that does not exist',
    async ({ name, expected }) => {
      for (const who of callers.filter((caller) => expected[caller] === 404)) {
        const probe = await probes[name]?.(false);
        if (probe === undefined) throw new Error(`no probe for ${name}`);
        // The deletion of an upload makes one each time.
        const other =
          name === 'DELETE /api/uploads/{id}'
            ? { ...probe, path: `/api/uploads/${'a'.repeat(26)}` }
            : withoutThing(probe);
        expect(other.path).not.toBe(probe.path);
        expect([who, await matrix.ask(who, other)]).toEqual([who, await matrix.ask(who, probe)]);
      }
    },
  );

  const withBody = endpoints
    .filter(({ body, signedIn }) => body !== undefined && signedIn !== 'none')
    .map(({ method, path }) => `${method} ${path}`);
  it.each(withBody)('%s refuses callers without the right before it reads the body', async (name) => {
    const row = rows.find((one) => one.name === name);
    // These may do it to a thing of their own, or to one that is granted to them, so wcc looks at the thing first.
    const looksFirst = /progress$|end$/.test(name)
      ? /other|viewer|share|admin$|admin\/publish|admin token/
      : /other|viewer|share/;
    const never = callers.filter((who) => isRefusal(row?.expected[who] ?? 0) && !looksFirst.test(who));
    const expected = Object.fromEntries([
      ...never.map((who) => [who, row?.expected[who] ?? 0] as const),
      ...strangers.map((who) => [who, 401] as const),
    ]);
    expect(await answers(name, expected, (probe) => ({ ...probe, rawBody: '{' }))).toEqual(expected);
  });
});

describe('a list', () => {
  const lists = ['/api/images', '/api/vms', '/api/operations', '/api/uploads'] as const;
  const queries: Readonly<Record<string, string>> = { '/api/uploads': '?owner=all', '/api/vms': '' };
  const queryOf = (list: string): string => queries[list] ?? '?limit=200';

  async function idsOf(who: Caller, path: string): Promise<Set<string | number>> {
    const { status, json } = await matrix.server.ask('GET', path, matrix.credentials[who]);
    const items = status === 200 ? (json['items'] as { id: string | number }[]) : [];
    return new Set(items.map(({ id }) => id));
  }

  it.each(lists)('%s shows each caller exactly what the caller can read one by one', async (list) => {
    const all = await idsOf('admin', `${list}${queryOf(list)}`);
    expect(all.size).toBeGreaterThan(0);
    for (const who of callers) {
      // Only administrators may ask for the uploads of all.
      const seesAll = ['admin', 'admin/read', 'admin token'].includes(who);
      const query = list === '/api/uploads' && !seesAll ? '' : queryOf(list);
      const readable = new Set<string | number>();
      for (const id of all)
        if ((await matrix.ask(who, { method: 'GET', path: `${list}/${id}` })).status === 200)
          readable.add(id);
      // A share link has no list. It reads the one operation that it is for.
      if (who === 'share' && readable.delete(matrix.things.report)) expect(readable.size).toBe(0);
      expect([who, await idsOf(who, `${list}${query}`)]).toEqual([who, readable]);
    }
  });
});
