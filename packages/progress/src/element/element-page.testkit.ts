import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; require-trusted-types-for 'script'";

/** The page of a test, with the built files of the package, under a strict CSP and Trusted Types. */
export interface ElementPage {
  page: Page;
  /** Console messages and errors of the page. */
  complaints: string[];
  /** Sets properties of the first element, and waits until it has painted. */
  set(properties: object): Promise<void>;
  /** Registers languages that the library has. */
  registerLocales(...tags: string[]): Promise<void>;
  close(): Promise<void>;
}

async function serve(html: string): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('content-security-policy', policy);
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end(html);
    readFile(dist + String(request.url).slice(1)).then(
      (bytes) => response.setHeader('content-type', 'text/javascript').end(bytes),
      () => response.writeHead(404).end(),
    );
    return undefined;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

/** @param body the page after its `<title>`; scripts by address only. @default one defined element */
export async function openElementPage(
  body = '<script type="module" src="/element/define.js"></script><wcc-progress></wcc-progress>',
  attributes = 'lang="en"',
): Promise<ElementPage> {
  const server = await serve(
    `<!doctype html><html ${attributes}><meta charset="utf-8"><title>row</title>${body}</html>`,
  );
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return {
    page,
    complaints,
    set: (properties) =>
      page.evaluate(async (values) => {
        Object.assign(document.querySelector('wcc-progress') as object, values);
        await new Promise((resolve) => {
          setTimeout(resolve, 300);
        });
      }, properties),
    // Texts, because the test runner rewrites `import()` in functions.
    registerLocales: async (...tags) => {
      for (const tag of tags)
        await page.evaluate(
          `Promise.all([import('/element/index.js'), import('/element/locales/${tag}.js')]).then(
            ([{ registerLocale }, catalogues]) => registerLocale('${tag}', catalogues['${tag}']))`,
        );
    },
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}
