import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, tus } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import type { Clock } from '../concurrency/clock.ts';
import { admin, makePrincipal, startDomain } from '../images/images.testkit.ts';
import type { DomainOptions, DomainUnderTest } from '../images/images.testkit.ts';
import type { UploadQuota } from './context.ts';
import { createUploads } from './uploads.ts';
import type { Uploads } from './uploads.ts';

export const dayMs = 86_400_000;
export const ulla: Principal = makePrincipal('ulla');
const principals: Readonly<Record<string, Principal>> = { ulla, otto: makePrincipal('otto'), root: admin };

const base = { 'tus-resumable': tus.version };
export const patchHeaders: Readonly<Record<string, string>> = {
  ...base,
  'content-type': tus.contentType,
  'upload-offset': '0',
};

export interface UploadsOptions extends Pick<DomainOptions, 'home' | 'poolDir'> {
  quota: UploadQuota;
}

/** Real uploads without HTTP routes. Only the clocks are moved. */
export class UploadsUnderTest {
  domain!: DomainUnderTest;
  uploads!: Uploads;
  /** What the wall clock is ahead. */
  aheadMs = 0;
  /** What creations name. @default nothing */
  sha256: string | undefined;
  idempotencyKey: string | null = null;
  #monotonicAheadMs = 0;
  readonly #http: Server;
  readonly #options: UploadsOptions;

  private constructor(options: UploadsOptions) {
    this.#options = options;
    this.#http = createServer((raw, response) => {
      this.#answer(raw).then(
        ({ status, headers }) => response.writeHead(status, headers).end(),
        (error: unknown) =>
          response.writeHead(error instanceof ApiError ? error.status : 500).end(String(error)),
      );
    }).listen(0, '127.0.0.1');
  }

  static async start(options: UploadsOptions): Promise<UploadsUnderTest> {
    const started = new UploadsUnderTest(options);
    await started.#startDomain(options.home);
    if (!started.#http.listening) await once(started.#http, 'listening');
    return started;
  }

  async #startDomain(home: string | undefined): Promise<void> {
    const clock: Clock = {
      isoNow: () => new Date(Date.now() + this.aheadMs).toISOString(),
      monotonicMs: () => performance.now() + this.#monotonicAheadMs,
    };
    const { poolDir, quota } = this.#options;
    this.domain = await startDomain({
      ...(home === undefined ? {} : { home }),
      ...(poolDir === undefined ? {} : { poolDir }),
      prepare: ({ images }) => {
        const settings = { expiryMs: 7 * dayMs, quota, maxPerUser: 3 };
        this.uploads = createUploads({ images: images.context, settings, clock });
        return Promise.resolve();
      },
    });
  }

  async restart(): Promise<void> {
    this.uploads.close();
    await this.domain.stop();
    await this.#startDomain(this.domain.home);
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    this.uploads.close();
    await this.domain.close();
  }

  /** `POST /NAME`, `PATCH /api/uploads/ID`. */
  #answer(raw: IncomingMessage): ReturnType<Uploads['create']> {
    const principal = principals[String(raw.headers['x-who'] ?? 'ulla')] ?? ulla;
    const last = (raw.url ?? '').split('/').at(-1) ?? '';
    const { signal } = new AbortController();
    if (raw.method === 'PATCH') return this.uploads.patch(last, { raw, principal, signal });
    const { sha256, idempotencyKey } = this;
    const metadata = { filename: last, ...(sha256 === undefined ? {} : { sha256 }) };
    return this.uploads.create({ raw, principal, signal, metadata, idempotencyKey });
  }

  address(path: string): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}${path}`;
  }

  async create(name: string, sizeBytes: number, who = 'ulla'): Promise<{ id: string; expires: number }> {
    const headers = { ...base, 'upload-length': String(sizeBytes), 'x-who': who };
    const created = await fetch(this.address(`/${name}`), { method: 'POST', headers });
    if (created.status !== 201) throw new Error(`${created.status} ${await created.text()}`);
    const id = created.headers.get('location')?.split('/').at(-1) ?? '';
    return { id, expires: Date.parse(created.headers.get('upload-expires') ?? '') };
  }

  async patch(id: string, body: string | Buffer<ArrayBuffer>, offsetBytes = 0): Promise<Response> {
    const headers = { ...patchHeaders, 'upload-offset': String(offsetBytes) };
    return fetch(this.address(`/${id}`), { method: 'PATCH', headers, body });
  }

  async listed(id: string): Promise<number | null> {
    const { items } = await this.uploads.list(ulla, 'me');
    const found = items.find((one) => one.id === id);
    return found === undefined ? null : Date.parse(found.expiresAt);
  }

  /** Lets this time pass by all clocks, and checks the uploads. */
  async pass(durationMs: number): Promise<void> {
    this.aheadMs += durationMs;
    this.#monotonicAheadMs += durationMs;
    this.domain.retention.aheadMs += durationMs;
    await this.uploads.expire();
  }
}
