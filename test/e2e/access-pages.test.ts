import { chmodSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Operation } from '@wcc/api';
import { axeTimeoutMs, findAxeViolations, findAxeViolationsInThemes, localesOr } from '../kit/browser/axe.ts';
import { launchBrowser, screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { skewClock } from '../kit/browser/skewed-clock.ts';
import type { ConsoleOptions, ConsoleTab } from '../kit/browser/console.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { until } from '../kit/poll.ts';
import { noteSecret } from '../kit/secrets.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Pages for access rights, used by an administrator, a colleague and the holder of a share link. */
const chiefName = 'chief';
let server: TestServer;
let browser: Browser;
let chief: TestUser;
const contexts = closeContextsAfterEach();

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  chief = await createUser(server, chiefName, 'admin');
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function open(user: TestUser, options: ConsoleOptions = {}): Promise<ConsoleTab> {
  const consoleTab = await openConsole(browser, { server, user }, options);
  contexts.push(consoleTab.context);
  return consoleTab;
}

/** Publishes an operation that runs until the test ends it. It needs no disk because the test reports its progress. */
async function publish(name: string): Promise<string> {
  const { operation } = await server.api.publish({
    action: 'backup_database',
    subject: { kind: 'database', id: 7, name },
    total: 100,
    leaseS: 600,
  });
  await server.api.reportProgress(operation.id, { done: 61 });
  return operation.id;
}

it('an administrator adds a user on the users page and disables the user later', async () => {
  const { page, url } = await open(chief);
  await page.goto(`${url}/users`);
  await page.getByRole('button', { name: 'Add user' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Add user' }).click();
  await dialog.getByText(/start with a letter or digit/).waitFor();
  await dialog.getByLabel('Name', { exact: true }).fill('tanaka');
  await dialog.getByRole('radio', { name: 'Operator' }).check({ force: true });
  await dialog.getByRole('button', { name: 'Generate' }).click();
  const password = noteSecret(await dialog.getByLabel('Password').inputValue());
  expect(password.length).toBeGreaterThanOrEqual(20);
  await screenshot(page, 'user-dialog');
  await dialog.getByRole('button', { name: 'Add user' }).click();
  await dialog.getByText(/Give this password to tanaka/).waitFor();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  const row = page.getByRole('row').filter({ hasText: 'tanaka' });
  await row.getByText('Operator').waitFor();
  // The new user can sign in with the generated password.
  const tanaka = await open({ id: '', name: 'tanaka', password });
  await tanaka.page.getByText('Images').first().waitFor();
  await row.getByRole('button', { name: 'Change tanaka' }).click();
  await dialog.getByRole('checkbox', { name: /Disabled/ }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row.getByText('Disabled').waitFor();
  // Open pages of the disabled user ask for a new sign-in.
  await tanaka.page.locator('input[type=password]').waitFor();
});

it('a new API token is shown once, works, and gets 401 after it is revoked', async () => {
  const { page, url } = await open(chief);
  await page.goto(`${url}/tokens`);
  await page.getByRole('button', { name: 'Create token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('nightly');
  await dialog.getByRole('button', { name: 'Create token' }).click();
  const field = dialog.locator('#secret-value');
  await field.waitFor();
  const secret = noteSecret(await field.inputValue());
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  const listImages = (): Promise<Response> =>
    fetch(`${server.baseUrl}/api/images`, { headers: { authorization: `Bearer ${secret}` } });
  expect((await listImages()).status).toBe(200);
  expect(await page.content()).not.toContain(secret);
  await screenshot(page, 'tokens');
  await page.getByRole('button', { name: 'Revoke nightly' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByText('No tokens').waitFor();
  expect((await listImages()).status).toBe(401);
});

it.each([7 * 24 + 1, -25])(
  'V10m: a browser clock that is wrong by %i hours changes no time and no expiry',
  async (hours) => {
    const { page, url } = await open(chief);
    await page.goto(`${url}/tokens`);
    await page.getByRole('button', { name: 'Create token' }).click();
    const dialog = page.getByRole('dialog');
    const name = `skewed-${hours}`;
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    await dialog.locator('select[name=days]').selectOption('7');
    await dialog.getByRole('button', { name: 'Create token' }).click();
    noteSecret(await dialog.locator('#secret-value').inputValue());
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    const readCells = (): Promise<string[]> =>
      page.getByRole('row').filter({ hasText: name }).getByRole('cell').allInnerTexts();
    const cells = await readCells();
    expect(cells.join(' ')).not.toContain('Expired');
    await skewClock(page, hours * 3_600_000);
    await page.reload();
    await page.getByRole('row').filter({ hasText: name }).waitFor();
    expect(await readCells()).toEqual(cells);
  },
);

it('an operation appears on a colleague’s open page when access is granted, and disappears when revoked', async () => {
  const viewer = await createUser(server, 'viewer', 'viewer');
  const [granted, other] = [await publish('granted-db'), await publish('other-db')];
  const colleague = await open(viewer);
  await colleague.page.goto(`${colleague.url}/operations`);
  const rows = colleague.page.locator('main wcc-progress');
  await colleague.page.getByRole('heading', { name: 'Operations', exact: true }).waitFor();
  expect(await rows.count()).toBe(0);
  const { page, url } = await open(chief);
  await page.goto(`${url}/operations/${granted}`);
  const access = page.locator('wcc-operation-access');
  await access.getByLabel('User name').fill('unknown-user');
  await access.getByRole('button', { name: 'Share' }).click();
  await access.getByText('There is no user with this name.').waitFor();
  await access.getByLabel('User name').fill('viewer');
  await access.getByRole('button', { name: 'Share' }).click();
  await access
    .getByText('by admin-token')
    .or(access.getByText(`by ${chiefName}`))
    .waitFor();
  await until(async () => (await rows.count()) === 1, {
    what: 'the colleague’s page to show the granted row',
  });
  expect(await colleague.page.content()).not.toContain('other-db');
  await screenshot(page, 'operation-access');
  const revokedAt = performance.now();
  await access.getByRole('button', { name: 'Stop sharing with viewer' }).click();
  await until(async () => (await rows.count()) === 0, { what: 'the row to leave the colleague’s page' });
  console.log(`the row left ${Math.round(performance.now() - revokedAt)} ms after the click`);
  for (const id of [granted, other]) await server.api.endOperation(id, { state: 'succeeded' });
});

it('a share link shows one operation without sign-in, survives a reload, and ends when it is revoked', async () => {
  const id = await publish('shared-db');
  const { page, url } = await open(chief);
  await page.goto(`${url}/operations/${id}`);
  await page.getByRole('button', { name: 'Create link' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Recipient').fill('the auditors');
  await dialog.getByRole('button', { name: 'Create link' }).click();
  const link = await dialog.locator('#secret-value').inputValue();
  noteSecret(new URL(link).hash.slice(1));
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  const context = await browser.newContext({ locale: 'en-GB' });
  contexts.push(context);
  const stranger = await context.newPage();
  const requestedPaths: string[] = [];
  stranger.on('request', (request) => requestedPaths.push(new URL(request.url()).pathname));
  await stranger.goto(link);
  await stranger.getByText('shared-db').waitFor();
  await until(async () => (await stranger.title()).startsWith('61 %'), {
    what: 'the title to show the percentage',
  });
  expect(stranger.url()).toBe(`${url}/shared`);
  expect(requestedPaths.filter((path) => path.startsWith('/api/'))).toEqual(['/api/ws-tickets']);
  expect(await stranger.content()).not.toContain(chiefName);
  expect(await stranger.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
  await screenshot(stranger, 'shared');
  expect(await findAxeViolations(stranger)).toEqual([]);
  await stranger.reload();
  await stranger.getByText('shared-db').waitFor();
  // The link shows the same page to its signed-in creator.
  const own = await page.context().newPage();
  await own.goto(link);
  await own.getByText('shared-db').waitFor();
  await own.close();
  await page.getByRole('button', { name: 'Revoke Link for the auditors' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
  await stranger.getByText('This link is no longer valid').waitFor();
  expect(await stranger.content()).not.toContain('shared-db');
  await screenshot(stranger, 'shared-over');
  await server.api.endOperation(id, { state: 'succeeded' });
});

it('a password change signs out the user’s other sessions and keeps the current one', async () => {
  const user = await createUser(server, 'suzuki', 'operator');
  const [here, there] = [await open(user), await open(user)];
  await here.page.goto(`${here.url}/settings`);
  const next = noteSecret('a-new-and-longer-password');
  const form = here.page.locator('wcc-password-form');
  await form.getByLabel('Current password').fill('wrong-password');
  await form.getByLabel('New password').fill(next);
  await form.getByRole('button', { name: 'Change password' }).click();
  await form.getByText('This is not your current password.').waitFor();
  await form.getByLabel('Current password').fill(user.password);
  await form.getByRole('button', { name: 'Change password' }).click();
  await form.getByText('The password was changed.', { exact: false }).waitFor();
  await there.page.locator('dialog.expired input[type=password]').waitFor();
  expect(await here.page.locator('dialog.expired').count()).toBe(0);
  await screenshot(here.page, 'settings');
});

it('the audit page shows a text for each entry and filters by area', async () => {
  const { page, url } = await open(chief);
  await page.goto(`${url}/audit`);
  await page.getByText('Added a user').first().waitFor();
  await screenshot(page, 'audit');
  await page.getByLabel('What').selectOption('user');
  await until(async () => (await page.getByText('Signed in').count()) === 0, {
    what: 'entries of other areas to leave',
  });
  expect(await page.getByText('Added a user').count()).toBeGreaterThan(0);
});

it('the system page shows what was found and what to do, checks again, and speaks Japanese', async () => {
  const { page, url } = await open(chief);
  chmodSync(server.dataDir, 0o755);
  await page.goto(`${url}/system`);
  const place = page.locator('[data-check=data_directory]');
  await place.getByText(`Remove that permission: chmod go-rw ${server.dataDir}`).waitFor();
  expect(await place.locator('.state').textContent()).toBe('Warning');
  await screenshot(page, 'system');
  chmodSync(server.dataDir, 0o700);
  const again = page.getByRole('button', { name: 'Check again' });
  await until(
    async () => {
      await again.click();
      return (await place.getByText('is private to').count()) === 1;
    },
    { what: 'the mended directory' },
  );
  const japanese = await open(chief, { locale: 'ja' });
  await japanese.page.goto(`${url}/system`);
  await japanese.page.getByText('データベース', { exact: false }).first().waitFor();
  await japanese.page.getByText('だけが使えます。').waitFor();
});

it('the users, audit and system pages show an error instead of a list to a viewer', async () => {
  const { page, url } = await open(await createUser(server, 'curious', 'viewer'));
  for (const path of ['users', 'audit', 'system']) {
    await page.goto(`${url}/${path}`);
    const refusal = page.getByText(/do not have the right to do this/i).first();
    await refusal.waitFor();
    expect(await page.locator('main table, main .host-checks').count()).toBe(0);
  }
});

it.each(localesOr('en'))(
  'access pages pass axe and do not overflow at 320 px: %s',
  { timeout: axeTimeoutMs },
  async (locale) => {
    const id = await publish('looked-at');
    const { page, url } = await open(chief, { locale });
    const problems: Record<string, unknown> = {};
    for (const path of ['users', 'tokens', 'audit', 'system', 'settings', `operations/${id}`]) {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto(`${url}/${path}`);
      await page.locator('main h1').waitFor();
      if (path.startsWith('operations')) await page.locator('wcc-operation-access h3').first().waitFor();
      if (path === 'system') await page.locator('.host-checks').first().waitFor();
      if (path === 'settings') await page.locator('#profile-sshKeys').waitFor();
      await page.locator('main .muted, main table').first().waitFor();
      const name = path.split('/')[0]!;
      const found = await findAxeViolationsInThemes(page, { locale, name });
      if (found.length > 0) problems[path] = found;
      await page.setViewportSize({ width: 320, height: 640 });
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (overflow > 0) problems[`${path} at 320 px`] = overflow;
      await screenshot(page, `${name}-${locale}-narrow`);
    }
    expect(problems).toEqual({});
    await server.api.endOperation(id, { state: 'succeeded' } satisfies {
      state: Operation['state'] & 'succeeded';
    });
  },
);
