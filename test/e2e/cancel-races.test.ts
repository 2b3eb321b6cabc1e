import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image, Operation } from '@wcc/api';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { currentPhase, findImage, hasEnded, registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { readRow, rowOf } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';

/** Cancels copies at awkward moments. Page, database and disk must agree, whether the copy or the cancel wins. */
let server: TestServer;
let browser: Browser;
let image: Image;
let consoleTab: ConsoleTab;

beforeAll(async () => {
  server = await startServer({ args: ['--max-copies-per-pool', '1'] });
  browser = await launchBrowser();
  await makeRandomImage(join(server.poolDir, 'source.raw'), 64 * MiB);
  image = await registerImage(server, 'source.raw');
  consoleTab = await openConsole(browser, { server, user: await createUser(server, 'chief', 'admin') });
  await consoleTab.page.goto(`${consoleTab.url}/operations`);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function startCopy(name: string, bytesPerSecond: number | null): Promise<Operation> {
  return (await server.api.copyImage(image.id, { name, method: 'copy', bytesPerSecond })).operation;
}

const cancelButton = (row: Locator): Locator => row.getByRole('button', { name: 'Cancel' });

async function waitForEnd(id: string): Promise<Operation> {
  return until(
    async () => {
      const operation = await server.api.operation(id);
      return hasEnded(operation) ? operation : null;
    },
    { what: `${id} to end` },
  );
}

/** Asserts that page, database and disk agree: a cancelled copy leaves no file, a finished one is an image. */
async function expectAgreement(id: string, target: string): Promise<Operation> {
  const stored = await waitForEnd(id);
  const row = rowOf(consoleTab.page, target);
  // A cancel that arrives too late becomes a warning of the succeeded copy.
  const look = stored.warnings.length > 0 && stored.state === 'succeeded' ? 'warning' : stored.state;
  await until(async () => (await readRow(row)).look === look, {
    what: `the page to say that ${target} is ${stored.state}`,
  });
  expect(await cancelButton(row).count()).toBe(0);
  if (stored.state === 'cancelled') {
    const hasHiddenFiles = (): boolean =>
      readdirSync(server.poolDir).some((name) => name.startsWith(`.wcc-${id}`));
    await until(() => !hasHiddenFiles(), { what: 'the hidden files of the cancelled copy to be removed' });
  }
  expect({
    onDisk: existsSync(join(server.poolDir, target)),
    asImage: (await findImage(server, target)) !== undefined,
  }).toEqual({ onDisk: stored.state === 'succeeded', asImage: stored.state === 'succeeded' });
  return stored;
}

it('a double click on Cancel cancels a copy once', async () => {
  const { id } = await startCopy('double.raw', 8 * MiB);
  await cancelButton(rowOf(consoleTab.page, 'double.raw')).dblclick();
  expect((await expectAgreement(id, 'double.raw')).state).toBe('cancelled');
  const log = await server.api.operationLog(id);
  expect(log.items.filter(({ text }) => text.startsWith('cancelled'))).toHaveLength(1);
});

it('cancelling a queued copy does not affect the running one', async () => {
  const first = await startCopy('first.raw', 8 * MiB);
  const { id } = await startCopy('queued.raw', null);
  const row = rowOf(consoleTab.page, 'queued.raw');
  await row.waitFor();
  expect((await readRow(row)).text).toMatch(/Waiting/);
  await cancelButton(row).click();
  expect((await expectAgreement(id, 'queued.raw')).state).toBe('cancelled');
  expect((await server.api.operation(first.id)).state).toBe('running');
  await cancelButton(rowOf(consoleTab.page, 'first.raw')).click();
  expect((await expectAgreement(first.id, 'first.raw')).state).toBe('cancelled');
});

it('cancelling a copy at 50 % leaves no files', async () => {
  const { id } = await startCopy('half.raw', 24 * MiB);
  const row = rowOf(consoleTab.page, 'half.raw');
  await until(async () => ((await readRow(row)).value ?? 0) >= 0.5, { what: 'the bar to reach the middle' });
  await cancelButton(row).click();
  expect((await expectAgreement(id, 'half.raw')).state).toBe('cancelled');
  expect((await readRow(row)).text).toMatch(/Cancelled after .* no files left behind/);
});

it('a cancel near the end of a copy leaves it cancelled without files or succeeded and complete', async () => {
  // The phases after the transfer are short, so each attempt cancels a little later than the one before.
  const outcomes: string[] = [];
  const hashes: string[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const target = `late-${attempt}.raw`;
    const { id } = await startCopy(target, 96 * MiB);
    await until(
      async () => {
        const operation = await server.api.operation(id);
        const phase = currentPhase(operation);
        return hasEnded(operation) || phase?.name !== 'transfer'
          ? phase !== null
          : phase.done > (56 + attempt) * MiB;
      },
      { what: 'the end to be near', everyMs: 5 },
    );
    // Uses the API because a click takes longer than these phases.
    const outcome = await server.api.cancel(id).then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    );
    expect(['accepted', 'invalid_state']).toContain(outcome);
    const end = await expectAgreement(id, target);
    outcomes.push(end.state);
    if (end.state === 'succeeded') hashes.push(await sha256(join(server.poolDir, target)));
  }
  console.log(`cancelled near the end: ${outcomes.join(' ')}`);
  const expected = await sha256(join(server.poolDir, 'source.raw'));
  expect(hashes.filter((hash) => hash !== expected)).toEqual([]);
  expect(outcomes.every((state) => state === 'cancelled' || state === 'succeeded')).toBe(true);
});

it('an ended copy has no Cancel button, and the API refuses to cancel it', async () => {
  const { id } = await startCopy('ended.raw', null);
  expect((await expectAgreement(id, 'ended.raw')).state).toBe('succeeded');
  await expect(server.api.cancel(id)).rejects.toMatchObject({ status: 409, code: 'invalid_state' });
  expect((await server.api.operation(id)).state).toBe('succeeded');
});
