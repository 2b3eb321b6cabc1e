import type { Session } from '@wcc/api';
import { createApiClient } from '@wcc/api/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PageKey } from './page-key.ts';
import { SessionState } from './session.ts';

const left: string[] = [];

beforeEach(() => vi.stubGlobal('location', { assign: (address: string) => left.push(address) }));
afterEach(() => {
  vi.unstubAllGlobals();
  left.length = 0;
});

function sessionOf(id: string, version = '1.0.0'): Session {
  return { user: { id, name: id, role: 'operator' }, expiresInMs: 1000, version };
}

function open(answers: (Session | number)[]) {
  const fetch: typeof globalThis.fetch = () => {
    const answer = answers.shift() ?? 500;
    if (answer === 0) return Promise.reject(new TypeError('no network'));
    if (typeof answer !== 'number') return Promise.resolve(Response.json(answer));
    const problem = {
      type: 'about:blank',
      title: 'no',
      status: answer,
      code: 'unauthenticated',
      hint: 'sign in',
    };
    return Promise.resolve(Response.json(problem, { status: answer }));
  };
  return new SessionState(createApiClient({ fetch }), new PageKey());
}

describe('SessionState', () => {
  it('is signed out when the server has no session', async () => {
    const session = open([401]);
    await session.load();
    expect(session.view.kind).toBe('signed_out');
  });

  it('keeps the pages when the session expires, and continues after the same user signs in', async () => {
    const session = open([sessionOf('sato'), sessionOf('sato')]);
    await session.load();
    session.expire();
    expect(session.view.kind).toBe('expired');
    await session.signIn('sato', 'secret words');
    expect(session.view.kind).toBe('signed_in');
    expect(left).toEqual([]);
  });

  it('reloads the console when another user signs in after the session expired', async () => {
    const session = open([sessionOf('sato'), sessionOf('ito')]);
    await session.load();
    session.expire();
    await session.signIn('ito', 'secret words');
    expect(left).toEqual(['/']);
    expect(session.view.kind).toBe('expired');
  });

  it('detects that the server was updated', async () => {
    const session = open([sessionOf('sato'), sessionOf('sato', '1.1.0')]);
    await session.load();
    expect(session.isOutdated).toBe(false);
    await session.load();
    expect(session.isOutdated).toBe(true);
  });

  it('keeps a known session while the server is unreachable, and is unreachable only without one', async () => {
    vi.useFakeTimers();
    const session = open([0, sessionOf('sato'), 0]);
    await session.load();
    expect(session.view.kind).toBe('unreachable');
    await vi.advanceTimersByTimeAsync(2000);
    expect(session.view.kind).toBe('signed_in');
    await session.load();
    expect(session.view.kind).toBe('signed_in');
    vi.useRealTimers();
  });
});
