import type { Browser, BrowserContext, Page } from 'playwright-core';
import { recordPageErrors } from './browser.ts';
import type { PageErrors } from './browser.ts';
import type { TestServer } from '../server.ts';
import { signIn } from '../session.ts';
import type { CookieSession, TestUser } from '../session.ts';

export interface ConsoleOptions {
  /** Port of a proxy in front of the server. @default the server's port */
  port?: number;
  /** @default 'en' */
  locale?: 'en' | 'ja';
  /** @default 'light' */
  colorScheme?: 'light' | 'dark';
  /** @default 'none' */
  forcedColors?: 'active' | 'none';
  viewport?: { width: number; height: number };
}

export interface ConsoleTab {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly record: PageErrors;
  readonly session: CookieSession;
  readonly url: string;
}

/** Opens the console in a browser context of its own. Signs in over HTTP because the form has its own test. */
export async function openConsole(
  browser: Browser,
  at: { server: TestServer; user: TestUser },
  options: ConsoleOptions = {},
): Promise<ConsoleTab> {
  const context = await browser.newContext({
    locale: options.locale === 'ja' ? 'ja-JP' : 'en-GB',
    colorScheme: options.colorScheme ?? 'light',
    forcedColors: options.forcedColors ?? 'none',
    viewport: options.viewport ?? { width: 1280, height: 800 },
  });
  const record = await recordPageErrors(context);
  const session = await signIn(at.server, at.user);
  const url = `http://127.0.0.1:${options.port ?? at.server.port}`;
  // Cookie and page key belong to the port that the browser uses.
  const isDirect = url === at.server.baseUrl;
  await addSession(context, isDirect ? session : await signIn({ baseUrl: url }, at.user));
  const page = await context.newPage();
  await page.goto(`${url}/images`);
  return { context, page, record, session, url };
}

let sessions = 0;

/**
 * Gives the browser the cookie of the session, and its page key to the pages of its origin. The first page of that
 * origin stores the key before its own scripts run. A page only for this would cost as much as many a test.
 */
export async function addSession(context: BrowserContext, session: CookieSession): Promise<void> {
  const [name = '', value = ''] = session.cookie.split('=');
  await context.addCookies([
    { name, value, domain: '127.0.0.1', path: '/', httpOnly: true, sameSite: 'Strict' },
  ]);
  const given = { origin: session.origin, key: session.pageKey, mark: `test.session.${(sessions += 1)}` };
  await context.addInitScript(({ origin, key, mark }) => {
    // Once, because the console removes or replaces the key.
    if (globalThis.origin !== origin || localStorage.getItem(mark) !== null) return;
    localStorage.setItem(mark, 'stored');
    localStorage.setItem('wcc.pageKey', key);
  }, given);
}
