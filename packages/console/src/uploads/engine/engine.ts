import type { ApiClient, ApiProblem } from '@wcc/api/client';
import { isTerminal } from '@wcc/progress';
import type { OperationsState } from '../../operations/operations-state.ts';
import pLimit from 'p-limit';
import { createKeys } from '../../ui/idempotency.ts';
import type { LocalFile } from './local-file.ts';
import { digestRanges } from './sample-digests.ts';
import type { NewUpload, Tus } from './tus.ts';
import { isInProgress } from './upload-view.ts';
import { Upload } from './upload.ts';

export interface EngineOptions {
  api: Pick<ApiClient, 'operation' | 'upload' | 'matchUpload'>;
  tus: Tus;
  operations: Pick<OperationsState, 'get' | 'listen' | 'offer'>;
  isOnline: () => boolean;
  isSignedIn: () => boolean;
  /** The view of an upload changed. */
  onChange: () => void;
  /** An upload ended with an error that its operation does not show. */
  onRefused: (problem: ApiProblem) => void;
}

const maxSending = 2;

/** All uploads that this page sends. They continue when a dialog or a page closes. */
export class UploadEngine {
  readonly #options: EngineOptions;
  readonly #limit = pLimit(maxSending);
  readonly #uploads = new Map<string, Upload>();
  readonly #keyOf = createKeys();

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  get(id: string): Upload | undefined {
    return this.#uploads.get(id);
  }

  /** Whether closing the page now would interrupt an upload. */
  get isSending(): boolean {
    return [...this.#uploads.values()].some(({ view }) => isInProgress(view));
  }

  /**
   * Creates the operation, then sends. Resolves once the operation exists.
   *
   * @throws {ApiProblem} when the server refuses; then no operation exists
   */
  async begin(file: LocalFile, upload: NewUpload): Promise<void> {
    const id = await this.#options.tus.create(upload, this.#keyOf(upload));
    this.#options.operations.offer(await this.#options.api.operation(id));
    this.#send(id, file);
  }

  /**
   * Resumes an unfinished upload after the server has compared samples of the file.
   *
   * @throws {ApiProblem} `wrong_file` when it is another file
   * @throws {FileReadError} when the file cannot be read
   * @throws {DigestUnavailable} when the browser cannot compute digests
   */
  async resume(id: string, file: LocalFile): Promise<void> {
    const { samples } = await this.#options.api.upload(id);
    const { size: sizeBytes, lastModified } = file;
    const digests = await digestRanges(file, samples);
    await this.#options.api.matchUpload(id, { sizeBytes, lastModified, samples: digests });
    this.#send(id, file);
  }

  /** Ends all waits: call when the connection or the session changed. */
  retryNow(): void {
    for (const upload of this.#uploads.values()) upload.retryNow();
  }

  #send(id: string, file: LocalFile): void {
    const { tus, operations, isOnline, isSignedIn, onChange } = this.#options;
    const limit = this.#limit;
    const upload = new Upload(id, file, { tus, limit, operations, isOnline, isSignedIn, onChange });
    this.#uploads.set(id, upload);
    onChange();
    void upload.run().then(() => this.#onEnd(upload));
  }

  /** Reports an error only if the operation does not show its own end. */
  async #onEnd(upload: Upload): Promise<void> {
    const { view, id } = upload;
    if (view.kind === 'file_trouble') return;
    if (this.#uploads.get(id) === upload) this.#uploads.delete(id);
    this.#options.onChange();
    if (view.kind !== 'over' || view.problem === null) return;
    const operation = await this.#options.api.operation(id).catch(() => null);
    if (operation !== null) this.#options.operations.offer(operation);
    if (operation === null || !isTerminal(operation.state)) this.#options.onRefused(view.problem);
  }
}
