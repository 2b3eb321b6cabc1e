import { expect } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import type { Operation } from '@wcc/api';
import { currentPhase } from '../operations.ts';
import { until } from '../poll.ts';
import type { TestServer } from '../server.ts';

/** Chooses files in the upload dialog and sends them. */
export async function uploadByDialog(page: Page, paths: string | string[]): Promise<void> {
  await page.getByRole('button', { name: 'Upload', exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Upload images' });
  await dialog.locator('#upload-files').setInputFiles(paths);
  await dialog.getByText('This name is free.').first().waitFor();
  await dialog.getByRole('button', { name: /^Upload/ }).click();
  // The dialog closes when the operations exist.
  await dialog.waitFor({ state: 'detached' });
}

/** Opens the operations page by its link, because a reload would stop the upload. */
export async function goToOperations(page: Page): Promise<void> {
  await page
    .locator('header.top')
    .getByRole('link', { name: /^Operations/ })
    .click();
  await page.locator('main h1', { hasText: 'Operations' }).waitFor();
}

/** The current state of the upload of that name on the server. */
export async function findUpload(server: TestServer, name: string): Promise<Operation | undefined> {
  const { items } = await server.api.operations({ action: 'upload_image' });
  return items.find(({ subject, target }) => (target?.name ?? subject.name) === name);
}

/** Waits until this share (0 to 1) of the file is on the server's disk. @returns the id of the upload */
export async function untilReceived(server: TestServer, name: string, share: number): Promise<string> {
  return until(
    async () => {
      const operation = await findUpload(server, name);
      const phase = operation === undefined ? null : currentPhase(operation);
      const isReceived =
        phase?.name === 'receive' && phase.total !== null && phase.done >= phase.total * share;
      return isReceived ? operation!.id : null;
    },
    { what: `${share * 100} % of ${name} to be on the disk`, timeoutMs: 60_000 },
  );
}

/** Presses "Choose file…" in a row and chooses the file. */
export async function chooseFileAgain(page: Page, row: Locator, path: string): Promise<void> {
  const button = row.getByRole('button', { name: /^Choose file/ });
  await button.waitFor({ timeout: 30_000 });
  await chooseFile(page, { open: () => button.click(), path });
}

/** Opens the file chooser and chooses the file. */
export async function chooseFile(
  page: Page,
  { open, path }: { open: () => Promise<void>; path: string },
): Promise<void> {
  const fileChooser = page.waitForEvent('filechooser');
  // The browser must intercept the chooser before it opens. Its answer to a later command proves that it does.
  await page.evaluate(() => document.readyState);
  await open();
  await (await fileChooser).setFiles(path);
}

/** Accepts the prompt that a page shows when it is closed during an upload. */
export function acceptLeavePrompts(page: Page): { count: () => number } {
  let prompts = 0;
  page.on('dialog', (dialog) => {
    prompts += 1;
    expect(dialog.type()).toBe('beforeunload');
    void dialog.accept();
  });
  return { count: () => prompts };
}
