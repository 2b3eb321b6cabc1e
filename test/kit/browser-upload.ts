import { expect } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import type { Operation } from '@wcc/api';
import { currentPhase } from './operations.ts';
import { until } from './poll.ts';
import type { TestServer } from './server.ts';

/** Chooses the files in the upload dialog and sends them, as a person does. */
export async function uploadByDialog(page: Page, paths: string | string[]): Promise<void> {
  await page.getByRole('button', { name: 'Upload', exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Upload images' });
  await dialog.locator('#upload-files').setInputFiles(paths);
  await dialog.getByText('This name is free.').first().waitFor();
  await dialog.getByRole('button', { name: /^Upload/ }).click();
  // It closes as soon as the operations exist.
  await dialog.waitFor({ state: 'detached' });
}

/** Follows the link as a person does: a reload would stop the upload. */
export async function goToOperations(page: Page): Promise<void> {
  await page
    .locator('header.top')
    .getByRole('link', { name: /^Operations/ })
    .click();
  await page.locator('main h1', { hasText: 'Operations' }).waitFor();
}

/** The upload of that name, as the server knows it now. */
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

/** Presses "Choose file…" of a row and chooses. */
export async function chooseFileAgain(page: Page, row: Locator, path: string): Promise<void> {
  const button = row.getByRole('button', { name: /^Choose file/ });
  await button.waitFor({ timeout: 30_000 });
  const fileChooser = page.waitForEvent('filechooser');
  await button.click();
  await (await fileChooser).setFiles(path);
}

/** A page that sends asks before it goes; the test wants to go. */
export function acceptLeavePrompts(page: Page): { fileChooser: () => number } {
  let fileChooser = 0;
  page.on('dialog', (dialog) => {
    fileChooser += 1;
    expect(dialog.type()).toBe('beforeunload');
    void dialog.accept();
  });
  return { fileChooser: () => fileChooser };
}
