import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageKeyHeader } from '@wcc/api';
import type { Image } from '@wcc/api';
import { endpoints } from '@wcc/api/openapi';
import { launchBrowser, recordPageErrors } from '../kit/browser/browser.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import { startSpyingService } from '../kit/network/spying-service.ts';
import type { SpyingService } from '../kit/network/spying-service.ts';
import { registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, readFirstSignInLink, signIn } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/**
 * A browser sends the cookies of a host to all its ports. Another service there receives them, can set some, can open
 * windows and links, and knows the address of wcc. It must not be able to act as the user.
 */
let server: TestServer;
let browser: Browser;
let user: TestUser;
let image: Image;
const contexts = closeContextsAfterEach();

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  user = await createUser(server, 'chief', 'admin');
  await makeRandomImage(join(server.poolDir, 'source.raw'), 100 * MiB);
  image = await registerImage(server, 'source.raw');
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function newContext(options: { locale?: string } = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  contexts.push(context);
  return context;
}

/** Signs in by the form, as a user does. */
async function signInByForm(page: Page, at: TestServer, who: TestUser = user): Promise<void> {
  await page.goto(`${at.baseUrl}/images`);
  await submitSignIn(page, who);
  await expectSignedIn(page, who);
}

async function submitSignIn(page: Page, who: TestUser = user): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(who.name);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function expectSignedIn(page: Page, who: TestUser = user): Promise<void> {
  await page.getByRole('button', { name: who.name }).waitFor();
}

const pageKeyOf = (page: Page): Promise<string | null> =>
  page.evaluate(() => localStorage.getItem('wcc.pageKey'));

const cookieName = (): string => `wcc_sid_${server.port}`;

/** Everything that a page of the other service can make a browser send to it and to wcc. */
async function sendEverything(page: Page, { wcc, id }: { wcc: string; id: number }): Promise<void> {
  await page.evaluate(
    async ({ at, imageId }) => {
      /** Resolves when the element has loaded or failed; a refused frame does neither. */
      const loaded = (element: HTMLElement): Promise<unknown> =>
        new Promise((resolve) => {
          for (const name of ['load', 'error']) element.addEventListener(name, resolve);
          document.body.append(element);
          setTimeout(resolve, 2000);
        });
      const element = (name: string, fields: object): HTMLElement =>
        Object.assign(document.createElement(name), fields);
      const submit = (action: string): Promise<unknown> => {
        const name = `to-${action}`;
        const form = element('form', { method: 'post', action, target: name }) as HTMLFormElement;
        const frame = loaded(element('iframe', { name }));
        document.body.append(form);
        form.submit();
        return frame;
      };
      const closed = (socket: WebSocket): Promise<unknown> =>
        new Promise((resolve) => socket.addEventListener('close', resolve));
      await navigator.serviceWorker.register('/sw.js');
      const asks: (() => Promise<unknown>)[] = [];
      const paths = ['/api/session', '/api/images', `/api/images/${imageId}/download`, '/api/events', '/'];
      const sent = { mode: 'no-cors', credentials: 'include' } as const;
      for (const base of [location.origin, at, `${location.origin}/to?url=${at}`]) {
        for (const path of paths) {
          asks.push(() => fetch(base + path, sent));
          asks.push(() => fetch(base + path, { ...sent, method: 'POST', body: '{}' }));
          for (const name of ['img', 'script', 'iframe'])
            asks.push(() => loaded(element(name, { src: base + path })));
          asks.push(() => submit(base + path));
        }
        const socketUrl = `${base.replace('http', 'ws')}/api/ws`;
        asks.push(() => closed(new WebSocket(socketUrl, ['wcc.v1'])));
        const stream = new EventSource(`${base}/events`, { withCredentials: true });
        stream.addEventListener('error', () => stream.close());
      }
      await Promise.allSettled(asks.map((ask) => ask()));
      const opened = window.open(`${at}/images`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      let stolen: string | null = null;
      try {
        stolen = opened?.localStorage.getItem('wcc.pageKey') ?? null;
      } catch {
        // The window has another origin.
      }
      await fetch('/stolen', { method: 'POST', body: String(stolen) });
      opened?.close();
    },
    { at: wcc, imageId: id },
  );
}

/** The headers with which the other service tries to use what it has received. */
function disguises(cookie: string): Record<string, string>[] {
  const [, value = ''] = cookie.split('=', 2);
  const own = { cookie, origin: server.baseUrl, 'sec-fetch-site': 'same-origin' };
  return [
    { cookie },
    own,
    { ...own, [pageKeyHeader]: '' },
    { ...own, [pageKeyHeader]: value },
    { ...own, [pageKeyHeader]: randomBytes(32).toString('base64url') },
    { ...own, authorization: `Bearer ${value}` },
    { ...own, cookie: `wcc_sid=${value}` },
    { ...own, cookie: `${cookie}; wcc_sid=${value}; ${pageKeyHeader}=${value}` },
  ];
}

const protectedEndpoints = endpoints.filter(
  ({ signedIn, answer }) => signedIn !== 'none' && answer.status !== 101,
);

/** Asks for every endpoint of the API. @returns the answers that are no refusal of the sign-in */
async function tryEverything(headers: Record<string, string>): Promise<string[]> {
  const successes: string[] = [];
  for (const { method, path, signedIn } of protectedEndpoints) {
    const address = path.replace('{id}', String(image.id)).replaceAll(/\{\w+\}/g, '0');
    const isForm = signedIn === 'ticket';
    const body = isForm ? `ticket=${headers[pageKeyHeader] ?? 'x'}` : method === 'POST' ? '{}' : undefined;
    const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
    const sent = { ...headers, ...(body === undefined ? {} : { 'content-type': type }) };
    const answer = await rawRequest(server.baseUrl + address, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body }),
    });
    // Without Origin, some are refused before the sign-in is looked at.
    if (answer.status !== 401 && answer.json()['code'] !== 'foreign_origin')
      successes.push(`${method} ${path}: ${answer.status}`);
  }
  return successes;
}

async function upgradeStatus(path: string, headers: Record<string, string>): Promise<number> {
  const outgoing = request(server.baseUrl + path, {
    agent: false,
    headers: {
      ...headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    },
  });
  outgoing.end();
  const [answer] = (await Promise.race([once(outgoing, 'response'), once(outgoing, 'upgrade')])) as [
    IncomingMessage,
  ];
  outgoing.destroy();
  return answer.statusCode ?? 0;
}

describe('SH3: another service on the same host', () => {
  let other: SpyingService;
  beforeAll(async () => {
    other = await startSpyingService();
  });
  afterAll(() => other.close());

  it('cannot use anything that a browser sends it', { timeout: 300_000 }, async () => {
    const context = await newContext();
    const page = await context.newPage();
    await signInByForm(page, server);
    const pageKey = (await pageKeyOf(page)) ?? '';
    expect(pageKey).toMatch(/^[\w-]{43}$/);
    // A link and a window from a page of wcc, and back again.
    await page.evaluate((url) => void window.open(url), `${other.origin}/opened`);
    await page.goto(`${other.origin}/linked`);
    await page.goBack();
    await page.goForward();
    await sendEverything(page, { wcc: server.baseUrl, id: image.id });
    const [session] = other.cookies(cookieName());
    expect(session, 'the service receives the cookie').toMatch(/^[\w-]{43}$/);
    expect(other.text()).not.toContain(pageKey);
    expect(other.text()).toContain('"body":"null"');
    const cookie = `${cookieName()}=${session}`;
    const control = await rawRequest(`${server.baseUrl}/api/session`, {
      headers: { cookie, [pageKeyHeader]: pageKey },
    });
    expect(control.json()).toMatchObject({ user: { name: 'chief' } });
    for (const headers of disguises(cookie)) {
      expect(await tryEverything(headers), JSON.stringify(headers)).toEqual([]);
      for (const path of ['/api/ws', '/api/vms/100/screen'])
        for (const protocol of ['wcc.v1', `wcc.v1, wcc.ticket.${session}`])
          expect(
            await upgradeStatus(path, { ...headers, 'sec-websocket-protocol': protocol }),
          ).toBeGreaterThan(400);
    }
    await page.goto(`${server.baseUrl}/images`);
    await expectSignedIn(page);
  });

  it('cannot sign the user in as another user, nor lock the user out, by cookies of the same name', async () => {
    const stranger = await signIn(server, await createUser(server, 'mallory', 'operator'));
    const context = await newContext();
    const page = await context.newPage();
    await signInByForm(page, server);
    const set = async (...cookies: string[]): Promise<void> => {
      const query = cookies.map((each) => `cookie=${encodeURIComponent(each)}`).join('&');
      await page.goto(`${other.origin}/set?${query}`);
      await page.goto(`${server.baseUrl}/images`);
    };
    // A cookie of a narrower path is sent first, and the sign-in cannot replace it.
    const paths = ['/api', '/api/session', '/api/ws-tickets'];
    const values = [stranger.cookie, `${cookieName()}=x`];
    await set(...paths.flatMap((path) => values.map((each) => `${each}; Path=${path}; Max-Age=600`)));
    await expectSignedIn(page);
    await set(`${stranger.cookie}; Path=/`);
    await page.getByLabel('Password', { exact: true }).waitFor();
    await submitSignIn(page);
    await expectSignedIn(page);
  });

  it('cannot redeem the first sign-in link, which no request but the own POST contains', async () => {
    const fresh = await startServer({ token: null });
    try {
      const link = await readFirstSignInLink(fresh);
      const context = await newContext();
      const page = await context.newPage();
      await page.goto(link.href);
      await page.getByLabel('Password', { exact: true }).waitFor();
      await page.goto(`${other.origin}/after-link`);
      await page.goBack();
      expect(page.url()).toBe(`${fresh.baseUrl}/first-sign-in`);
      expect(other.text()).not.toContain(link.hash.slice(1));
      await page.goto(link.href);
      await page.reload();
      await page.goto('about:blank');
      await page.goto(link.href);
      await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
      await page.getByRole('button', { name: 'Set password and sign in' }).click();
      await page.getByRole('button', { name: 'admin' }).waitFor();
      expect(await pageKeyOf(page)).toMatch(/^[\w-]{43}$/);
    } finally {
      await fresh.close();
    }
  });
});

describe('SH3: two servers of one host', () => {
  it('do not sign out each other', async () => {
    const second = await startServer();
    try {
      const context = await newContext();
      const [first, other] = [await context.newPage(), await context.newPage()];
      await signInByForm(first, server);
      await signInByForm(other, second, await createUser(second, 'sato', 'operator'));
      await first.reload();
      await expectSignedIn(first);
      await other.reload();
      await other.getByRole('button', { name: 'sato' }).waitFor();
    } finally {
      await second.close();
    }
  });
});

describe('SH3: tabs', () => {
  it('share one session: a sign-out and a sign-in reach every tab', async () => {
    const context = await newContext();
    const [one, two] = [await context.newPage(), await context.newPage()];
    await signInByForm(one, server);
    await two.goto(`${server.baseUrl}/images`);
    await expectSignedIn(two);
    await one.getByRole('button', { name: user.name }).click();
    await one.getByText('Sign out').click();
    await two.getByText('Your session has ended.', { exact: false }).waitFor();
    await submitSignIn(one);
    await expectSignedIn(one);
    await until(async () => (await two.locator('dialog.expired').count()) === 0, {
      what: 'the other tab to continue',
    });
  });

  it.each([
    ['en-GB', 'Please sign in again.'],
    ['ja-JP', 'もう一度サインインしてください。'],
  ])('say why a session without its page key is over: %s', async (locale, words) => {
    const context = await newContext({ locale });
    const { cookie } = await signIn(server, user);
    const [name = '', value = ''] = cookie.split('=');
    await context.addCookies([
      { name, value, domain: '127.0.0.1', path: '/', httpOnly: true, sameSite: 'Strict' },
    ]);
    const page = await context.newPage();
    await page.goto(server.baseUrl);
    const message = page.getByText(words, { exact: false });
    await message.waitFor();
    expect(await message.count()).toBe(1);
  });
});

describe('SH3: a download by a page', () => {
  it('is a form with a single-use ticket, and arrives whole', { timeout: 240_000 }, async () => {
    const context = await newContext();
    const record = await recordPageErrors(context);
    const page = await context.newPage();
    await signInByForm(page, server);
    await page.goto(`${server.baseUrl}/images/${image.id}`);
    const asked = page.waitForRequest((each) => each.url().endsWith('/download'));
    const started = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const form = await asked;
    const download = await started;
    expect([form.method(), form.postData()]).toEqual(['POST', expect.stringMatching(/^ticket=[\w-]{43}$/)]);
    expect(download.suggestedFilename()).toBe('source.raw');
    expect(await sha256(await download.path())).toBe(await sha256(join(server.poolDir, 'source.raw')));
    expect(new URL(page.url()).pathname).toBe(`/images/${image.id}`);
    const headers = { cookie: `${cookieName()}=${await cookieOf(context)}`, origin: server.baseUrl };
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const replayed = await rawRequest(`${server.baseUrl}/api/images/${image.id}/download`, {
      method: 'POST',
      headers: { ...headers, ...type },
      body: form.postData() ?? '',
    });
    expect(replayed.status).toBe(401);
    expect(record).toEqual({ cspViolations: [], errors: [] });
  });

  it('shows a refusal in the page, which stays', async () => {
    const context = await newContext();
    const page = await context.newPage();
    await signInByForm(page, server);
    await page.goto(`${server.baseUrl}/images/${image.id}`);
    // The ticket is wrong, as if it had expired before the form arrived.
    await page.route('**/api/ws-tickets', async (route) => {
      if (route.request().postData()?.includes('download') !== true) return route.continue();
      const answer = await route.fetch();
      const json = (await answer.json()) as { ticket: string };
      await route.fulfill({ response: answer, json: { ...json, ticket: `${json.ticket.slice(0, -2)}xx` } });
    });
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByRole('alert').filter({ hasText: 'Start the download again.' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/images/${image.id}`);
  });
});

async function cookieOf(context: BrowserContext): Promise<string> {
  return (await context.cookies()).find(({ name }) => name === cookieName())?.value ?? '';
}
