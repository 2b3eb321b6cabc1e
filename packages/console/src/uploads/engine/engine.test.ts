import type { Operation } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFakeLive, snapshotOf } from '../../operations/operations-state.testkit.ts';
import type { FakeLive } from '../../operations/operations-state.testkit.ts';
import { OperationsState } from '../../operations/operations-state.ts';
import { UploadEngine } from './engine.ts';
import { startTusServer } from './tus.testkit.ts';
import type { TusServer } from './tus.testkit.ts';
import { createTus } from './tus.ts';
import type { UploadView } from './upload-view.ts';

const mib = 1_048_576;

let server: TusServer;
let live: FakeLive;
let engine: UploadEngine;
let seq = 0;
const refused: ApiProblem[] = [];
/** Records every view, because polling would miss a short one. */
const views: { id: string; view: UploadView }[] = [];
const resources = { isOnline: true, isSignedIn: true };
const matches: unknown[] = [];
let matchAnswer: () => Promise<{ offsetBytes: number }>;

const operationOf = (id: string, change: Partial<Operation> = {}): Operation => ({
  ...snapshotOf({ id, action: 'upload_image', seq: (seq += 1), phases: [], phaseIndex: -1 }),
  ...change,
});

beforeEach(async () => {
  server = await startTusServer();
  live = createFakeLive();
  refused.length = 0;
  matches.length = 0;
  views.length = 0;
  Object.assign(resources, { isOnline: true, isSignedIn: true });
  matchAnswer = () => Promise.resolve({ offsetBytes: 0 });
  engine = new UploadEngine({
    api: {
      operation: (id) => Promise.resolve(operationOf(id)),
      upload: (id) =>
        Promise.resolve({
          id: id as never,
          name: 'debian.iso',
          sizeBytes: 3 * mib,
          offsetBytes: 2 * mib,
          pool: 'default',
          createdAt: '',
          expiresAt: '',
          lastModified: 7,
          samples: [{ offsetBytes: 1000, lengthBytes: 4096 }],
        }),
      matchUpload: (_, body) => {
        matches.push(body);
        return matchAnswer();
      },
    },
    tus: createTus((path, init) => fetch(server.baseUrl + path, init)),
    operations: new OperationsState(live.client),
    isOnline: () => resources.isOnline,
    isSignedIn: () => resources.isSignedIn,
    onChange: () => {
      for (const id of server.received.keys()) {
        const view = engine.get(id)?.view;
        if (view !== undefined && views.at(-1)?.view !== view) views.push({ id, view });
      }
    },
    onRefused: (problem) => void refused.push(problem),
  });
});
afterEach(async () => {
  for (const id of server.received.keys()) live.push(operationOf(id, { state: 'cancelled' }));
  await server.close();
});

function fileOf(bytes: Buffer<ArrayBuffer>, name = 'debian.iso'): File {
  return new File([bytes], name, { lastModified: 7 });
}

async function begin(bytes: Buffer<ArrayBuffer>, name = 'debian.iso'): Promise<void> {
  await engine.begin(fileOf(bytes, name), { name, sizeBytes: bytes.length, lastModified: 7 });
}

const has = (id: string, bytes: Buffer): Promise<void> =>
  vi.waitFor(() => expect(server.received.get(id)?.equals(bytes)).toBe(true), {
    timeout: 20_000,
    interval: 20,
  });

const kindOf = (id: string): string | undefined => engine.get(id)?.view.kind;

const goesThrough = (id: string, kind: UploadView['kind']): Promise<void> =>
  vi.waitFor(() => expect(views.map((each) => `${each.id} ${each.view.kind}`)).toContain(`${id} ${kind}`), {
    timeout: 20_000,
    interval: 10,
  });

const reaches = (id: string, kind: string | undefined): Promise<void> =>
  vi.waitFor(() => expect(kindOf(id)).toBe(kind), { timeout: 20_000, interval: 10 });

describe('UploadEngine', () => {
  it('sends a file in chunks from the offset of the server, and no byte twice', async () => {
    const bytes = randomBytes(20 * mib);
    await begin(bytes);
    await has('upload0', bytes);
    await reaches('upload0', undefined);
    expect(server.requests.filter((request) => request.startsWith('PATCH'))).not.toHaveLength(1);
    expect(server.sentBytes()).toBe(bytes.length);
    expect(engine.isSending).toBe(false);
  });

  it('resumes from the arrived bytes after the connection was cut', async () => {
    const bytes = randomBytes(12 * mib);
    server.fault('cut');
    await begin(bytes);
    await has('upload0', bytes);
    expect(server.sentBytes()).toBeLessThanOrEqual(bytes.length + 8 * mib);
    expect(refused).toEqual([]);
  });

  it('waits for a new sign-in when the session ends, then resumes', async () => {
    const bytes = randomBytes(mib);
    server.fault({ status: 401, code: 'unauthenticated' });
    resources.isSignedIn = false;
    await begin(bytes);
    await reaches('upload0', 'signed_out');
    expect(engine.isSending).toBe(true);
    resources.isSignedIn = true;
    engine.retryNow();
    await has('upload0', bytes);
  });

  it.each([
    { status: 413, isForeign: true },
    { status: 502, isForeign: true },
    { status: 507, code: 'no_space' },
  ])('shows a refusal with $status and retries automatically', async (fault) => {
    const bytes = randomBytes(mib);
    server.fault(fault);
    await begin(bytes);
    await goesThrough('upload0', 'refused');
    const refusedView = views.find(({ view }) => view.kind === 'refused');
    expect(refusedView?.view).toMatchObject({ problem: { status: fault.status } });
    await has('upload0', bytes);
  });

  it('waits while another client sends the upload, and resumes when that client stops', async () => {
    const bytes = randomBytes(mib);
    server.fault({ status: 423, code: 'upload_locked' });
    await begin(bytes);
    await goesThrough('upload0', 'elsewhere');
    engine.retryNow();
    await has('upload0', bytes);
    expect(refused).toEqual([]);
  });

  it('sends two uploads at a time; the third starts when one of them is complete', async () => {
    for (const name of ['a', 'b', 'c']) {
      if (name !== 'c') server.fault('hold');
      await begin(randomBytes(mib), name);
    }
    await reaches('upload0', 'sending');
    await reaches('upload1', 'sending');
    expect(kindOf('upload2')).toBe('waiting');
    server.release();
    await vi.waitFor(() => expect(server.received.get('upload2')?.length).toBe(mib), { timeout: 20_000 });
  });

  it('stops when the operation is paused and continues when it is resumed', async () => {
    const bytes = randomBytes(mib);
    server.fault('hold');
    await begin(bytes);
    await vi.waitFor(() => expect(server.sentBytes()).toBe(mib), { timeout: 20_000 });
    live.push(operationOf('upload0', { state: 'paused' }));
    await reaches('upload0', 'paused');
    expect(engine.isSending, 'nothing is lost by closing the page').toBe(false);
    live.push(operationOf('upload0', { state: 'interrupted' }));
    await has('upload0', bytes);
  });

  it('ends when the operation ends, whichever client ended it', async () => {
    server.fault('hold');
    await begin(randomBytes(mib));
    await vi.waitFor(() => expect(server.sentBytes()).toBe(mib), { timeout: 20_000 });
    live.push(operationOf('upload0', { state: 'cancelling' }));
    await reaches('upload0', undefined);
    expect(refused).toEqual([]);
  });

  it('reports a removed file, and lets the next upload start', async () => {
    const bytes = randomBytes(mib);
    const broken = Object.assign(fileOf(bytes), {
      slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotFoundError')) }),
    });
    for (const _ of [0, 1])
      await engine.begin(broken, { name: 'debian.iso', sizeBytes: mib, lastModified: 7 });
    await reaches('upload0', 'file_trouble');
    await reaches('upload1', 'file_trouble');
    await begin(bytes);
    await has('upload2', bytes);
    await reaches('upload2', undefined);
    expect(engine.isSending).toBe(false);
  });

  it('reports a refusal that the operation does not show', async () => {
    server.fault({ status: 403, code: 'forbidden' });
    await begin(randomBytes(mib));
    await vi.waitFor(() => expect(refused).toHaveLength(1), { timeout: 20_000 });
    expect(refused[0]?.code).toBe('forbidden');
  });

  it('compares samples of the file before it resumes, and sends only missing bytes', async () => {
    const bytes = randomBytes(3 * mib);
    server.received.set('old', bytes.subarray(0, 2 * mib));
    await engine.resume('old', fileOf(bytes));
    await has('old', bytes);
    expect(server.sentBytes()).toBe(mib);
    const sha256 = createHash('sha256').update(bytes.subarray(1000, 5096)).digest('hex');
    expect(matches).toEqual([
      {
        sizeBytes: bytes.length,
        lastModified: 7,
        samples: [{ offsetBytes: 1000, lengthBytes: 4096, sha256 }],
      },
    ]);
  });

  it('sends no byte of a file that is not the file of the upload', async () => {
    const problem = { type: '', title: 'Another file.', status: 409, code: 'wrong_file', hint: '' };
    matchAnswer = () => Promise.reject(new ApiProblem(problem));
    await expect(engine.resume('old', fileOf(randomBytes(100)))).rejects.toThrow('Another file.');
    expect(server.requests).toEqual([]);
    expect(engine.get('old')).toBeUndefined();
  });
});
