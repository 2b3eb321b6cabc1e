import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { axeTimeoutMs, findAxeViolationsInThemes, localesOr } from '../kit/browser/axe.ts';
import { launchBrowser, screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { chooseFile } from '../kit/browser/upload.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { findImage, registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { findClippedElements } from '../kit/browser/clipping.ts';
import { readFocus, tabTo, expectFocusOn } from '../kit/browser/focus.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Accessibility and keyboard use of the upload and import dialogs, the image page and its dialogs. */
let server: TestServer;
let browser: Browser;
let user: TestUser;
let image: Image;
let files: Workspace;
const contexts = closeContextsAfterEach();

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  user = await createUser(server, 'sato', 'admin');
  files = makeWorkspace('dialogs');
  await makeRandomImage(join(server.poolDir, 'source.raw'), MiB);
  image = await registerImage(server, 'source.raw');
  for (const name of ['new.raw', 'source.raw']) await makeRandomImage(join(files.path, name), MiB);
});
afterAll(async () => {
  await browser.close();
  await server.close();
  files.remove();
});

const textByLocale = {
  en: {
    upload: 'Upload',
    import: 'Import',
    submitUpload: /^Upload 2 files$/,
    submitImport: 'Import',
    actions: { convert: 'Convert', verify: 'Check', delete: 'Delete' },
    submit: 'Check',
  },
  ja: {
    upload: 'アップロード',
    import: '取り込み',
    submitUpload: /^2 個のファイルをアップロード$/,
    submitImport: '取り込む',
    actions: { convert: '変換', verify: '検証', delete: '削除' },
    submit: '検証',
  },
};

/** Opens a dialog by its button, inspects it, and closes it by Escape. */
async function inDialog(
  page: Page,
  button: string,
  inspect: (dialog: Locator) => Promise<void>,
): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await inspect(dialog);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
}

it.each(localesOr('en'))(
  'image dialogs pass axe and fit 320 px: %s',
  { timeout: axeTimeoutMs },
  async (locale) => {
    const { context, page, url, record } = await openConsole(browser, { server, user }, { locale });
    contexts.push(context);
    const problems: Record<string, string[]> = {};
    const check = async (name: string): Promise<void> => {
      const found = await findAxeViolationsInThemes(page, { locale, name });
      await page.setViewportSize({ width: 320, height: 640 });
      await screenshot(page, `${name}-${locale}-320`);
      found.push(...(await findClippedElements(page)));
      await page.setViewportSize({ width: 1280, height: 800 });
      if (found.length > 0) problems[name] = found;
    };
    const text = textByLocale[locale];
    await page.getByText('source.raw').first().waitFor();
    await inDialog(page, text.upload, async (dialog) => {
      await check('upload-empty');
      await dialog
        .locator('#upload-files')
        .setInputFiles(['new.raw', 'source.raw'].map((name) => join(files.path, name)));
      await dialog.locator('.note.good').waitFor();
      await dialog.locator('.note.bad').waitFor();
      await dialog.locator('summary').first().click();
      await check('upload');
      await dialog.getByRole('button', { name: text.submitUpload }).click();
      expect((await readFocus(page)).name, 'the focus is on the invalid field').toContain('source.raw');
    });
    await inDialog(page, text.import, async (dialog) => {
      await dialog.getByRole('button', { name: text.submitImport, exact: true }).click();
      await dialog.locator('.bad').first().waitFor();
      await check('import');
    });
    await page.goto(`${url}/images/${image.id}`);
    await page.locator('.image-actions button').first().waitFor();
    await check('image');
    for (const [name, button] of Object.entries(text.actions))
      await inDialog(page, button, () => check(name));
    expect(problems).toEqual({});
    expect(record).toEqual({ cspViolations: [], errors: [] });
  },
);

it('an image is uploaded by keyboard alone, and the import dialog marks an invalid address', async () => {
  const { context, page, record } = await openConsole(browser, { server, user });
  contexts.push(context);
  await page.getByText('source.raw').first().waitFor();
  await tabTo(page, /^Upload$/);
  await page.keyboard.press('Enter');
  await expectFocusOn(page, /^Choose files$/);
  await chooseFile(page, { open: () => page.keyboard.press('Space'), path: join(files.path, 'new.raw') });
  const dialog = page.getByRole('dialog');
  await dialog.getByText('This name is free.').waitFor();
  await tabTo(page, /^Name\b/);
  await page.keyboard.press('Control+A');
  await page.keyboard.type('by-keyboard.raw');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await until(async () => (await findImage(server, 'by-keyboard.raw'))?.state === 'ready', {
    what: 'the image',
  });

  await tabTo(page, /^Import$/);
  await page.keyboard.press('Enter');
  await expectFocusOn(page, /^Address/);
  await page.keyboard.press('Enter');
  await dialog.getByText(/^Enter a complete address/).waitFor();
  await expectFocusOn(page, /^Address/);
  await page.keyboard.press('Escape');
  await expectFocusOn(page, /^Import$/);

  expect(record).toEqual({ cspViolations: [], errors: [] });
});
