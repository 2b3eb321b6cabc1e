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
  await addSession(context, session);
  const url = `http://127.0.0.1:${options.port ?? at.server.port}`;
  const page = await context.newPage();
  await page.goto(`${url}/images`);
  return { context, page, record, session, url };
}

/** Cookies ignore the port, so the browser sends this one to the server and to a proxy on the same host. */
export async function addSession(context: BrowserContext, session: CookieSession): Promise<void> {
  const [name = '', value = ''] = session.cookie.split('=');
  await context.addCookies([
    { name, value, domain: '127.0.0.1', path: '/', httpOnly: true, sameSite: 'Strict' },
  ]);
}
