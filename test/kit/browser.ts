import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** What a browser in a closed network, and under root, needs. */
export const browserFlags: readonly string[] = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

export const browserPath: string = process.env['WCC_CHROMIUM'] ?? '/usr/bin/chromium';

export interface BrowserOptions {
  /** Playwright switches the back-forward cache off; some checks are about it. @default false */
  backForwardCache?: boolean;
}

/** A page may be slow on a busy machine; Playwright's own 30 s were too few for one that builds and tests other things. */
const waitMs = 60_000;

/** Debian's Chromium: Playwright's own download does not work everywhere. */
export async function launchBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: [...browserFlags],
    ...(options.backForwardCache === true ? { ignoreDefaultArgs: ['--disable-back-forward-cache'] } : {}),
  });
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (contextOptions) => {
    const context = await newContext(contextOptions);
    context.setDefaultTimeout(waitMs);
    return context;
  };
  return browser;
}

export interface KillableBrowser {
  readonly browser: Browser;
  /** SIGKILL, as by the system when memory is short: the browser saves nothing. */
  kill(): Promise<void>;
}

/** A browser whose process can be killed. One that was not killed has to be closed. */
export async function launchKillableBrowser(): Promise<KillableBrowser> {
  const server = await chromium.launchServer({
    host: '127.0.0.1',
    executablePath: browserPath,
    args: [...browserFlags],
  });
  const browser = await chromium.connect(server.wsEndpoint());
  return { browser, kill: () => server.kill() };
}

/** What went wrong in a page while it was looked at. */
export interface PageErrors {
  cspViolations: string[];
  /** Uncaught exceptions and unhandled rejections of the page. */
  errors: string[];
}

/** Collects what no page of ours may ever produce. Call before the first navigation. */
export async function recordPageErrors(context: BrowserContext): Promise<PageErrors> {
  const record: PageErrors = { cspViolations: [], errors: [] };
  await context.exposeFunction('wccReportViolation', (text: string) => void record.cspViolations.push(text));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = (globalThis as unknown as { wccReportViolation: (text: string) => void })
        .wccReportViolation;
      report(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  context.on('weberror', (error) => void record.errors.push(String(error.error().stack ?? error.error())));
  return record;
}

/** Saves a picture when `WCC_SCREENSHOTS` names a directory; the README's picture is made of these. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const directory = process.env['WCC_SCREENSHOTS'];
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}
