import { copyFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { expect } from 'vitest';
import { launchBrowser } from './browser/browser.ts';
import { makeWorkspace } from './directories.ts';
import { createFaultProxy } from './network/fault-proxy.ts';
import type { FaultProxy } from './network/fault-proxy.ts';
import { makeRandomImage, MiB, sha256 } from './images.ts';
import { findImage, expectNoOrphans, waitForState } from './operations.ts';
import { findFreePort } from './network/ports.ts';
import { startServer } from './server.ts';
import type { ServerOptions, TestServer } from './server.ts';
import { createUser } from './session.ts';
import type { TestUser } from './session.ts';

/** Keeps chunks at 8 MiB: the console sends a larger one only if a chunk takes less than two seconds. */
export const slowBytesPerSecond: number = 3.5 * MiB;
export const slowChunkBytes: number = 8 * MiB;

export interface UploadFixtureOptions {
  sizeBytes: number;
  /** Starts a proxy between the fault proxy and the server. @returns its port */
  startProxy?: (serverPort: number) => Promise<number>;
  server?: ServerOptions;
}

/** A server behind a fault proxy, with a browser, a user and a file, for upload tests. */
export interface UploadFixture {
  readonly server: TestServer;
  readonly proxy: FaultProxy;
  readonly browser: Browser;
  readonly user: TestUser;
  readonly sizeBytes: number;
  /** Copies the file to another name, so that each test has an image of its own. @returns the path of the copy */
  makeFile(name: string): string;
  /** Waits for success. Asserts that the image is ready, has the file's SHA-256, and that the pool has no orphans. */
  expectComplete(name: string, id: string): Promise<void>;
  close(): Promise<void>;
}

/** A whole second, because browsers round or truncate fractions of a file's modification time. */
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
