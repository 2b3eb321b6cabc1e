import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { MiB } from '../kit/images.ts';
import { waitForState } from '../kit/operations.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';

/** Open pages show other users' changes to machines at once, through the socket instead of polling. */
let server: TestServer;
let browser: Browser;
let image: number;
const contexts = closeContextsAfterEach();
/** Usually 0.1 s. The limit allows for a busy computer and is shorter than the polling interval. */
const maxDelayMs = 2000;

beforeAll(async () => {
  server = await startServer({ args: ['--hypervisor', 'qemu', '--free-space-floor', '0'] });
  browser = await launchBrowser();
  const { operation } = await server.api.makeSampleImage({ name: 'disk.raw', sizeBytes: 16 * MiB });
  const { result } = await waitForState(server, operation.id, { states: ['succeeded'] });
  image = Number(result?.id);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

/** Opens a page without its polling timer of 3 s, so that only the socket can update it. */
async function openWithoutPolling(path: string): Promise<Page> {
  const user = await createUser(server, `watcher-${contexts.length}-${path.length}`, 'admin');
  const { context, page, url } = await openConsole(browser, { server, user });
  contexts.push(context);
  await page.addInitScript(() => {
    const real = globalThis.setInterval.bind(globalThis) as (...args: unknown[]) => number;
    const withoutPolling = (run: () => void, ms: number): number => (ms === 3000 ? 0 : real(run, ms));
    Object.assign(globalThis, { setInterval: withoutPolling });
  });
  await page.goto(`${url}${path}`);
  await page.locator('.link-state', { hasText: 'Connected' }).first().waitFor();
  return page;
}

async function makeMachine(name: string): Promise<number> {
  const request = { name, image, start: false, cpus: 1, memoryBytes: 32 * MiB };
  const { operation } = await server.api.quickCreateVm(request);
  await waitForState(server, operation.id, { states: ['succeeded'] });
  return Number(operation.subject.id);
}

/** Asserts that the page shows the effect of `run` within the limit. */
async function expectShownSoon(
  what: string,
  run: () => Promise<unknown>,
  shown: () => Promise<void>,
): Promise<void> {
  await run();
  const begin = performance.now();
  await shown();
  const tookMs = Math.round(performance.now() - begin);
  console.log(`${what}: on the page after ${tookMs} ms`);
  expect(tookMs, what).toBeLessThan(maxDelayMs);
}

it('the open list of machines shows at once that another user creates or deletes a machine', async () => {
  const page = await openWithoutPolling('/machines');
  await page.locator('main h1').waitFor();
  const row = page.locator('tr[data-machine]', { hasText: 'quokka-theirs' });
  let id = 0;
  const waitForRow = (): Promise<void> => row.getByRole('button', { name: 'Start quokka-theirs' }).waitFor();
  await expectShownSoon('made', async () => (id = await makeMachine('quokka-theirs')), waitForRow);
  const remove = async (): Promise<void> => {
    const { operation } = await server.api.deleteVm(id, { disks: true });
    await waitForState(server, operation.id, { states: ['succeeded'] });
  };
  await expectShownSoon('deleted', remove, () => row.waitFor({ state: 'detached' }));
});

it('the open page of a machine shows at once that another user has deleted it', async () => {
  const id = await makeMachine('quokka-open');
  const page = await openWithoutPolling(`/machines/${id}`);
  await page.locator('main h1', { hasText: 'quokka-open' }).waitFor();
  const remove = async (): Promise<void> => {
    const { operation } = await server.api.deleteVm(id, { disks: true });
    await waitForState(server, operation.id, { states: ['succeeded'] });
  };
  await expectShownSoon('gone', remove, () => page.getByText('Machine not found').waitFor());
});

it('V2, V3, V10b: changes of other programs, sleep and a saved state are shown with the orders that help', async () => {
  const id = await makeMachine('shared');
  let seen: object = {};
  const page = await openWithoutPolling('/');
  await page.route('**/api/vms', async (route) => {
    const answer = await route.fetch();
    const { items } = (await answer.json()) as { items: { id: number; may: object }[] };
    const changed = items.map((vm) => (vm.id === id ? { ...vm, ...seen } : vm));
    await route.fulfill({ response: answer, json: { items: changed } });
  });
  const may = (await server.api.vm(id)).may;
  const show = async (next: object): Promise<void> => {
    seen = next;
    await page.goto(`${new URL(page.url()).origin}/machines/${id}`);
  };
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
  const difference = { setting: 'cpus', wcc: '1', hypervisor: '2', canAdopt: true };
  await show({ changedOutside: [difference], may: { ...may, adopt: true, edit: false } });
  const note = page.getByTestId('changed-outside');
  await note.getByText('CPUs: 1 in wcc, 2 in the hypervisor').waitFor();
  const adopted = page.waitForRequest(
    (request) => request.method() === 'POST' && request.url().endsWith(`/api/vms/${id}/adopt`),
  );
  await note.getByRole('button', { name: 'Adopt the changes' }).click();
  await adopted;
  seen = {};
  await note.waitFor({ state: 'detached' });
  await show({ changedOutside: [{ ...difference, setting: 'disks', canAdopt: false }] });
  await note.getByText('virsh blockcommit').waitFor();
  expect(await note.getByRole('button').count()).toBe(0);
  await show({ state: 'suspended', stateReason: { code: 'guest_asleep', message: '', hint: '' } });
  await page.locator('.vm-state.suspended').waitFor();
  await button('Wake up').waitFor();
  await show({
    state: 'saved',
    stateReason: { code: 'saved_state', message: '', hint: '' },
    may: { ...may, discardSavedState: true },
  });
  await button('Restore').waitFor();
  await button('Discard saved memory').click();
  const ordered = page.waitForRequest((request) => request.url().endsWith('/discard-saved-state'));
  await page.getByRole('dialog').getByRole('button', { name: 'Discard saved memory' }).click();
  await ordered;
});
