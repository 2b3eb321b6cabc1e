import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image, Operation } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { launchPlainBrowser } from '../kit/browser/cdp.ts';
import type { PlainTab } from '../kit/browser/cdp.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { currentPhase, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { isLongRun } from '../kit/share.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Tests a hidden page. It is a file of its own, because it only waits for most of its time. */
/** The length that users reported is 90 s. A page's timers are throttled after one second already. */
const hiddenS = isLongRun ? 90 : 20;
const quickBytesPerSecond = 32 * MiB;
const sizeBytes = 512 * MiB;
let server: TestServer;
let user: TestUser;
let image: Image;

beforeAll(async () => {
  server = await startServer();
  await makeRandomImage(join(server.poolDir, 'source.raw'), sizeBytes);
  image = await registerImage(server, 'source.raw');
  user = await createUser(server, 'chief', 'admin');
});
afterAll(() => server.close());

async function startCopy(name: string, bytesPerSecond: number): Promise<Operation> {
  return (await server.api.copyImage(image.id, { name, method: 'copy', bytesPerSecond })).operation;
}

/** Reads the row of the operation that makes `target`, in a page that Playwright does not control. */
function readPlainRow(tab: PlainTab, target: string): Promise<{ snapshot: Snapshot; text: string } | null> {
  return tab.evaluate(`(() => {
    const deep = (root) => [...root.querySelectorAll('*')].flatMap((each) =>
      [each, ...(each.shadowRoot ? deep(each.shadowRoot) : [])]);
    const row = deep(document).find((each) => each.localName === 'wcc-progress' && each.shadowRoot
      && !each.hasAttribute('compact') && each.snapshot?.target?.name === ${JSON.stringify(target)});
    return row ? { snapshot: row.snapshot, text: row.shadowRoot.querySelector('article').innerText } : null;
  })()`);
}

it(
  `a tab hidden for ${hiddenS} s shows up-to-date bars when it is visible again`,
  { timeout: 500_000 },
  async () => {
    const plain = await launchPlainBrowser();
    try {
      const { tab } = plain;
      const session = await signIn(server, user);
      const [name = '', value = ''] = session.cookie.split('=');
      await plain.setCookie({ name, value, url: server.baseUrl });
      await tab.open(`${server.baseUrl}/api/health`);
      await until(() => tab.evaluate<boolean>(`document.body?.innerText.includes('ok')`), {
        what: 'a page of the origin',
      });
      await tab.evaluate(`localStorage.setItem('wcc.pageKey', ${JSON.stringify(session.pageKey)})`);
      await tab.open(`${server.baseUrl}/operations`);
      const slow = await startCopy('slow.raw', MiB);
      const quick = await startCopy('quick.raw', quickBytesPerSecond);
      for (const target of ['slow.raw', 'quick.raw']) {
        await until(async () => (await readPlainRow(tab, target))?.snapshot.state === 'running', {
          what: `the page to show ${target} as running`,
        });
      }
      await tab.hide();
      const hiddenAtMs = performance.now();
      await waitForState(server, quick.id, { states: ['succeeded'], timeoutMs: 240_000 });
      await until(() => performance.now() - hiddenAtMs > hiddenS * 1000, {
        what: `${hiddenS} s to pass`,
        timeoutMs: 100_000,
      });
      const actualBytes = currentPhase(await server.api.operation(slow.id))?.done ?? 0;
      await tab.show();
      const shownAtMs = performance.now();
      await until(
        async () => {
          const snapshot = (await readPlainRow(tab, 'slow.raw'))?.snapshot;
          return snapshot !== undefined && (currentPhase(snapshot)?.done ?? 0) >= actualBytes;
        },
        { what: 'the bar to be up to date again' },
      );
      console.log(
        `up to date ${Math.round(performance.now() - shownAtMs)} ms after the tab was visible again`,
      );
      const slowRow = await readPlainRow(tab, 'slow.raw');
      const quickRow = await readPlainRow(tab, 'quick.raw');
      expect(slowRow?.snapshot).toMatchObject({ id: slow.id, state: 'running' });
      expect(quickRow?.snapshot).toMatchObject({ id: quick.id, state: 'succeeded' });
      expect(`${slowRow?.text} ${quickRow?.text}`).not.toMatch(/fail|lost/i);
    } finally {
      await plain.close();
    }
  },
);
