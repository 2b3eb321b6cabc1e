import { afterEach, describe, expect, it, vi } from 'vitest';
import { addressesOf } from './addresses.ts';
import { connect } from './client.ts';
import { ClientError } from './errors.ts';

afterEach(() => vi.unstubAllGlobals());

describe('addresses', () => {
  it('lie below the address of the server', () => {
    expect(addressesOf('https://host.example/app/progress/')).toEqual({
      isUnusable: false,
      root: 'https://host.example/app/progress',
      socket: 'wss://host.example/app/progress/',
      events: 'https://host.example/app/progress/events',
    });
  });

  it('keep http apart from https, and accept the scheme of a socket', () => {
    expect(addressesOf('ws://127.0.0.1:8080/api/ws', 'http://127.0.0.1:8080/api/events')).toMatchObject({
      socket: 'ws://127.0.0.1:8080/api/ws',
      events: 'http://127.0.0.1:8080/api/events',
    });
    expect(addressesOf('wss://host.example/ws').root).toBe('https://host.example/ws');
  });

  it('are relative to the page', () => {
    vi.stubGlobal('location', { href: 'https://page.example/deep/index.html?x=1' });
    expect(addressesOf('/progress').socket).toBe('wss://page.example/progress');
    expect(addressesOf('progress').socket).toBe('wss://page.example/deep/progress');
  });
});

describe('connect without a usable address or transport', () => {
  it.each(['/progress', 'progress', ''])(
    'gives a stopped client for "%s" where no page is, as on a server that renders HTML',
    async (url) => {
      vi.useFakeTimers();
      const client = connect(url);
      const stop = client.watch('a', () => undefined);
      client.reconnectNow();
      expect(client.status).toMatchObject({
        state: 'stopped',
        code: 'bad_url',
        hint: expect.stringMatching('absolute') as string,
        retryInMs: null,
      });
      await Promise.resolve();
      expect(vi.getTimerCount()).toBe(0);
      await expect(client.snapshots('a').next()).rejects.toMatchObject({ code: 'bad_url' });
      stop();
      vi.useRealTimers();
    },
  );

  it.each(['ftp://host/progress', 'https://', 'mailto:a@b'])('throws bad_url for "%s"', (url) => {
    expect(() => connect(url)).toThrow(ClientError);
    expect(() => connect(url)).toThrow(expect.objectContaining({ code: 'bad_url' }) as Error);
  });

  it('throws no_websocket with a hint when only a socket is allowed and there is no class', () => {
    vi.stubGlobal('WebSocket', undefined);
    expect(() => connect('https://host.example/progress', { transport: 'websocket' })).toThrow(
      expect.objectContaining({
        code: 'no_websocket',
        hint: expect.stringMatching('"ws"') as string,
      }) as Error,
    );
  });
});
