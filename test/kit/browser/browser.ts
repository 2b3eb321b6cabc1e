import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** Flags for a browser without internet access that may run as root. */
export const browserFlags: readonly string[] = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

/** A script that starts the system's Chromium, or the one that `WCC_CHROMIUM` names. */
export const browserPath: string = fileURLToPath(new URL('chromium.sh', import.meta.url));

export interface BrowserOptions {
  /** Keeps the back-forward cache, which Playwright disables. @default false */
  backForwardCache?: boolean;
}

/** Playwright's default of 30 s is too short on a busy computer. */
const waitMs = 60_000;

/** Launches Debian's Chromium, because Playwright's own download does not work everywhere. */
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
  /** Sends SIGKILL, so the browser saves nothing. The kernel does the same when memory is short. */
  kill(): Promise<void>;
}

/** Launches a browser whose process can be killed. The caller kills or closes it. */
export async function launchKillableBrowser(): Promise<KillableBrowser> {
  const server = await chromium.launchServer({
    host: '127.0.0.1',
    executablePath: browserPath,
    args: [...browserFlags],
  });
  const browser = await chromium.connect(server.wsEndpoint());
  return { browser, kill: () => server.kill() };
}

/** Errors of a page during a test. */
export interface PageErrors {
  cspViolations: string[];
  /** Uncaught exceptions and unhandled rejections of the page. */
  errors: string[];
}

/** Collects CSP violations and uncaught errors, which no page may produce. Call before the first navigation. */
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

/** Saves a screenshot if `WCC_SCREENSHOTS` names a directory. The README and the tour use these screenshots. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const directory = process.env['WCC_SCREENSHOTS'];
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}
