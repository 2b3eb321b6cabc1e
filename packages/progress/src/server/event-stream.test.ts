import { afterEach, describe, expect, it } from 'vitest';
import { eventStream } from './event-stream.ts';
import { createHub } from './hub.ts';
import type { Hub } from './hub.ts';
import { copyRecord, ended, newId } from './testkit/record.testkit.ts';

const hubs: Hub[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});

function startHub(): Hub {
  const hub = createHub({ tickMs: 20 });
  hubs.push(hub);
  return hub;
}

const at = 'http://localhost:3000/progress/events';
const json = { 'content-type': 'application/json', origin: 'http://localhost:3000' };
const get = (headers: Record<string, string> = {}, query = ''): Request =>
  new Request(at + query, { headers });
const post = (body: string, headers: Record<string, string> = json): Request =>
  new Request(at, { method: 'POST', headers, body });
const ann = (): string => 'ann';

async function refusalOf(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { code: string }).code];
}

async function textOf(response: Response): Promise<string> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk;
  return text;
}

describe('eventStream', () => {
  it('streams one operation of the owner until its end, and 404 for every other user and id', async () => {
    const hub = startHub();
    const record = copyRecord({ owner: 'ann' });
    hub.put(record);
    const own = await eventStream(get(), { hub, user: ann, operation: record.id });
    expect([...own.headers].map(([name]) => name)).toEqual([
      'cache-control',
      'content-type',
      'x-accel-buffering',
    ]);
    const text = textOf(own);
    hub.put(ended(record));
    expect(await text).toContain('"state":"succeeded"');
    const answers = await Promise.all([
      eventStream(get(), { hub, user: () => 'bob', operation: record.id }),
      eventStream(get(), { hub, user: ann, operation: newId() }),
    ]);
    const bodies = await Promise.all(answers.map(async (answer) => [answer.status, await answer.text()]));
    expect(bodies[0]).toEqual(bodies[1]);
    expect(bodies[0]?.[0]).toBe(404);
  });

  it('answers 204 to a client that holds the end', async () => {
    const hub = startHub();
    const { id, epoch, seq } = hub.put(ended(copyRecord({ owner: 'ann' })));
    const held = get({ 'last-event-id': `${epoch}:${seq}` });
    expect((await eventStream(held, { hub, user: ann, operation: id })).status).toBe(204);
  });

  it('refuses strangers, foreign pages and names, and other bodies, by code', async () => {
    const hub = startHub();
    const options = { hub, user: ann };
    const evil = { ...json, origin: 'http://evil.example' };
    const cases: [Request, number, string][] = [
      [post('[]', evil), 403, 'foreign_origin'],
      [get({ 'sec-fetch-site': 'cross-site' }), 403, 'foreign_origin'],
      [get({ host: 'evil.example' }), 403, 'foreign_host'],
      [new Request('http://evil.example/e'), 403, 'foreign_host'],
      [post('[]', { origin: 'http://localhost:3000', 'content-type': 'text/plain' }), 415, 'not_json'],
      [post('{'), 400, 'malformed'],
      [post('{}'), 400, 'malformed'],
      [post(`"${'a'.repeat(20_000)}"`), 413, 'too_big'],
      [post(`"${'語'.repeat(7000)}"`), 413, 'too_big'],
      [new Request(at, { method: 'DELETE' }), 405, 'method_not_allowed'],
    ];
    for (const [request, status, code] of cases)
      expect(await refusalOf(await eventStream(request, options))).toEqual([status, code]);
    const stranger = await eventStream(get(), { hub, user: () => null });
    expect(await refusalOf(stranger)).toEqual([401, 'unauthenticated']);
  });

  it('accepts a public name only as the option origin', async () => {
    const hub = startHub();
    const request = (): Request =>
      new Request('http://app.example.org/e', { headers: { origin: 'https://app.example.org' } });
    expect((await eventStream(request(), { hub, user: ann })).status).toBe(403);
    const response = await eventStream(request(), { hub, user: ann, origin: 'https://app.example.org' });
    expect(response.status).toBe(200);
    await response.body!.cancel();
  });

  it('limits the streams of a user over all calls, and frees a place when a client leaves', async () => {
    const hub = startHub();
    const open = (): Promise<Response> =>
      eventStream(get(), { hub, user: ann, limits: { socketsPerUser: 2 } });
    const [one] = [await open(), await open()];
    expect(await refusalOf(await open())).toEqual([429, 'too_many_watchers']);
    await one.body!.cancel();
    expect((await open()).status).toBe(200);
  });

  it('ends when its request is of another user now, and stays while the host cannot say', async () => {
    const hub = startHub();
    const errors: unknown[] = [];
    let answer: () => string | null = ann;
    const response = await eventStream(get(), {
      hub,
      user: () => answer(),
      limits: { reauthorizeMs: 20 },
      onError: (error) => errors.push(error),
    });
    answer = () => {
      throw new Error('session store is down');
    };
    let isOver = false;
    const reading = textOf(response).then(() => (isOver = true));
    await expect.poll(() => errors.length).toBeGreaterThan(1);
    expect(isOver).toBe(false);
    answer = () => null;
    await reading;
  });

  it('reports what user throws, and answers 503 without its text', async () => {
    const errors: unknown[] = [];
    const response = await eventStream(get(), {
      hub: startHub(),
      user: () => Promise.reject(new Error('secret')),
      onError: (error) => errors.push(error),
    });
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('secret');
    expect(errors).toMatchObject([{ message: 'secret' }]);
  });

  it.each([
    [{}, 'user_required'],
    [{ user: ann }, 'invalid_option'],
    [{ user: ann, hub: createHub(), path: '/x' }, 'invalid_option'],
    [{ user: ann, hub: createHub(), origin: 'localhost' }, 'invalid_option'],
  ])('rejects with a named error for %j', async (options, code) => {
    await expect(eventStream(get(), options as never)).rejects.toMatchObject({ name: 'ProgressError', code });
  });
});
