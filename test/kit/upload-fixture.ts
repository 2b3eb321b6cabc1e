import { copyFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { expect } from 'vitest';
import { launchBrowser } from './browser.ts';
import { makeWorkspace } from './directories.ts';
import { createFaultProxy } from './fault-proxy.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { makeRandomImage, MiB, sha256 } from './images.ts';
import { findImage, expectNoOrphans, waitForState } from './operations.ts';
import { findFreePort } from './ports.ts';
import { startServer } from './server.ts';
import type { ServerOptions, TestServer } from './server.ts';
import { createUser } from './session.ts';
import type { TestUser } from './session.ts';

/** So slow that the console sends pieces of 8 MiB: it takes more only when one needs less than two seconds. */
export const slowBytesPerSecond: number = 3.5 * MiB;
export const slowChunkBytes: number = 8 * MiB;

export interface UploadFixtureOptions {
  sizeBytes: number;
  /** In front of the server instead of the fault proxy, which then stands before it: its port. */
  startProxy?: (serverPort: number) => Promise<number>;
  server?: ServerOptions;
}

/** All that the upload of a real file by a real browser needs: a server behind a bad network, a person, a file. */
export interface UploadFixture {
  readonly server: TestServer;
  readonly proxy: FaultProxy;
  readonly browser: Browser;
  readonly user: TestUser;
  readonly sizeBytes: number;
  /** The same bytes under another name and with a whole second as its time, so that each test has an image of its own. */
  makeFile(name: string): string;
  /** Waits for the end, and compares: the image is ready, has the file's SHA-256, and left nothing beside it. */
  expectComplete(name: string, id: string): Promise<void>;
  close(): Promise<void>;
}

/** Browsers round the fractions of a millisecond of a file's time, others cut them off. */
const wholeSecond = new Date('2026-01-02T03:04:05Z');

export async function createUploadFixture(options: UploadFixtureOptions): Promise<UploadFixture> {
  const { sizeBytes } = options;
  const files = makeWorkspace('upload');
  const path = join(files.path, 'original');
  await makeRandomImage(path, sizeBytes);
  const digest = await sha256(path);
  const port = await findFreePort();
  const proxy = await createFaultProxy((await options.startProxy?.(port)) ?? port);
  const args = ['--public-url', `http://127.0.0.1:${proxy.port}`, ...(options.server?.args ?? [])];
  const server = await startServer({ ...options.server, port, args });
  const browser = await launchBrowser();
  const user = await createUser(server, 'chief', 'admin');
  return {
    server,
    proxy,
    browser,
    user,
    sizeBytes,
    makeFile: (name) => {
      const copyPath = join(files.path, name);
      copyFileSync(path, copyPath);
      utimesSync(copyPath, wholeSecond, wholeSecond);
      return copyPath;
    },
    expectComplete: async (name, id) => {
      await waitForState(server, id, { states: ['succeeded'], timeoutMs: 90_000 });
      const made = join(server.poolDir, name);
      expect(statSync(made).size).toBe(sizeBytes);
      expect(await sha256(made)).toBe(digest);
      expect((await findImage(server, name))?.state).toBe('ready');
      const unfinished = (await server.api.uploads({ owner: 'all' })).items.map((upload) => upload.id);
      await expectNoOrphans(server.poolDir, unfinished);
    },
    close: async () => {
      await browser.close();
      await proxy.close();
      await server.close();
      files.remove();
    },
  };
}
