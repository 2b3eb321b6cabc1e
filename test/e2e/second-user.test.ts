import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { readRow, rowOf } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';

/** A user without access to an operation receives no data about the operation, and the page has no node for it. */
let server: TestServer;
let browser: Browser;
let image: Image;

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  await makeRandomImage(join(server.poolDir, 'source.raw'), 64 * MiB);
  image = await registerImage(server, 'source.raw');
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

it.each(['operator', 'viewer'] as const)(
  'a second user (%s) sees and receives nothing of a private copy',
  async (role) => {
    const target = `private-of-the-first-${role}.raw`;
    const owner = await openConsole(browser, {
      server,
      user: await createUser(server, `first-${role}`, 'operator'),
    });
    const other = await openConsole(browser, {
      server,
      user: await createUser(server, `second-${role}`, role),
    });
    const cdp = await other.context.newCDPSession(other.page);
    const frames: string[] = [];
    cdp.on('Network.webSocketFrameReceived', ({ response }) => void frames.push(response.payloadData));
    await cdp.send('Network.enable');
    const bodies: string[] = [];
    other.page.on('response', (response) => {
      response.text().then(
        (text) => bodies.push(text),
        () => bodies.push(''), // a navigation discards the body
      );
    });
    for (const { page, url } of [owner, other]) await page.goto(`${url}/operations`);
    const answer = await owner.session.request('POST', `/api/images/${image.id}/copy`, {
      body: { name: target, method: 'copy', bytesPerSecond: 16 * MiB },
    });
    const { id } = (answer.json() as { operation: { id: string } }).operation;
    const row = rowOf(owner.page, target);
    await until(async () => ((await readRow(row)).value ?? 0) > 0.3, {
      what: 'the owner’s bar to pass 30 %',
    });
    // The other page needs a live socket, because silence of a closed one proves nothing.
    await until(() => frames.some((frame) => frame.includes('"hello"')), {
      what: 'the other socket to be open',
    });
    await other.page.goto(other.url);
    await other.page.goto(`${other.url}/operations`);
    await until(() => frames.filter((frame) => frame.includes('"t":"ok"')).length > 1, {
      what: 'the other page to have subscribed again',
    });
    expect(await other.page.getByText(target).count()).toBe(0);
    expect(await other.page.locator('wcc-progress').count()).toBe(0);
    const leaks = [...frames, ...bodies].filter((text) => text.includes(id) || text.includes(target));
    expect(leaks).toEqual([]);
    for (const { context } of [owner, other]) await context.close();
  },
);
