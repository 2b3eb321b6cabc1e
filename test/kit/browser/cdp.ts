import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { browserFlags, browserPath } from './browser.ts';
import { makeWorkspace } from '../directories.ts';
import { until } from '../poll.ts';

/** A browser tab that a test can hide, because nothing emulates its visibility. */
export interface PlainTab {
  /** Evaluates an expression in the page; a promise is awaited. */
  evaluate<T>(expression: string): Promise<T>;
  open(url: string): Promise<void>;
  /** Brings another tab to the front. */
  hide(): Promise<void>;
  show(): Promise<void>;
}

export interface PlainBrowser {
  readonly tab: PlainTab;
  setCookie(cookie: { name: string; value: string; url: string }): Promise<void>;
  close(): Promise<void>;
}

const fullBrowser = '/usr/bin/chromium';

type Call = (method: string, params?: object, sessionId?: string) => Promise<Record<string, unknown>>;

/** Controls Chromium over plain CDP, because Playwright keeps every page visible. */
export async function launchPlainBrowser(): Promise<PlainBrowser> {
  const profile = makeWorkspace('profile');
  const child = spawn(
    browserPath,
    [
      '--headless=new',
      ...browserFlags,
      '--remote-debugging-port=0',
      `--user-data-dir=${profile.path}`,
      'about:blank',
    ],
    // The headless shell has no hidden tabs.
    { stdio: 'ignore', env: { ...process.env, WCC_CHROMIUM: process.env['WCC_CHROMIUM'] ?? fullBrowser } },
  );
  const file = join(profile.path, 'DevToolsActivePort');
  const [port, path] = await until(() => readPort(file), {
    what: 'Chromium to print its port',
    timeoutMs: 60_000,
  });
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await once(socket, 'open');
  const call = createCall(socket);
  const { targetInfos } = (await call('Target.getTargets')) as {
    targetInfos: { type: string; targetId: string }[];
  };
  const first = targetInfos.find(({ type }) => type === 'page')!.targetId;
  const { sessionId } = await call('Target.attachToTarget', { targetId: first, flatten: true });
  const inTab = (method: string, params: object = {}): Promise<Record<string, unknown>> =>
    call(method, params, String(sessionId));
  return {
    tab: createTab({ call, inTab, targetId: first }),
    setCookie: async (cookie) =>
      void (await inTab('Network.setCookie', { ...cookie, httpOnly: true, sameSite: 'Strict' })),
    async close() {
      // `Browser.close` ends the child processes first. After a kill they would still write to the profile.
      const isRunning = child.exitCode === null && child.signalCode === null;
      const ended = isRunning ? once(child, 'exit') : null;
      if (isRunning) socket.send(JSON.stringify({ id: 0, method: 'Browser.close' }));
      await ended;
      socket.close();
      profile.remove();
    },
  };
}

function readPort(file: string): [string, string] | null {
  try {
    const [port = '', path = ''] = readFileSync(file, 'utf8').split('\n');
    return path === '' ? null : [port, path];
  } catch {
    return null;
  }
}

function createCall(socket: WebSocket): Call {
  interface Answer {
    id?: number;
    result?: Record<string, unknown>;
    error?: unknown;
  }
  const pending = new Map<number, (answer: Answer) => void>();
  let last = 0;
  socket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString('utf8')) as Answer;
    if (message.id !== undefined) pending.get(message.id)?.(message);
  });
  return (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      pending.set(id, ({ result, error }) => {
        pending.delete(id);
        if (result === undefined) reject(new Error(`${method}: ${JSON.stringify(error)}`));
        else resolve(result);
      });
      socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
}

function createTab(at: {
  call: Call;
  inTab: (method: string, params?: object) => Promise<Record<string, unknown>>;
  targetId: string;
}): PlainTab {
  const { call, inTab, targetId } = at;
  const tab: PlainTab = {
    async evaluate<T>(expression: string) {
      const answer = (await inTab('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      })) as { result: { value: T }; exceptionDetails?: unknown };
      if (answer.exceptionDetails !== undefined) throw new Error(JSON.stringify(answer.exceptionDetails));
      return answer.result.value;
    },
    open: async (url) => void (await inTab('Page.navigate', { url })),
    async hide() {
      await call('Target.createTarget', { url: 'about:blank' });
      await untilVisibility(tab, 'hidden');
    },
    async show() {
      await call('Target.activateTarget', { targetId });
      await untilVisibility(tab, 'visible');
    },
  };
  return tab;
}

function untilVisibility(tab: PlainTab, state: string): Promise<boolean> {
  return until(async () => (await tab.evaluate('document.visibilityState')) === state, {
    what: `the tab to be ${state}`,
  });
}
