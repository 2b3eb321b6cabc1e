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
  /** One of them is another now. */
  onChange: () => void;
  /** An upload cannot go on, and its operation does not say why. */
  onRefused: (problem: ApiProblem) => void;
}

const maxSending = 2;

/** Everything that this page sends. It belongs to the application: no dialog and no page ends it. */
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

  /** Something would be interrupted if the page were closed now. */
  get isSending(): boolean {
    return [...this.#uploads.values()].some(({ view }) => isInProgress(view));
  }

  /**
   * Makes the operation, then sends. Resolves as soon as the operation exists.
   *
   * @throws {ApiProblem} when the server refuses it; nothing was made then
   */
  async begin(file: LocalFile, upload: NewUpload): Promise<void> {
    const id = await this.#options.tus.create(upload, this.#keyOf(upload));
    this.#options.operations.offer(await this.#options.api.operation(id));
    this.#send(id, file);
  }

  /**
   * Goes on with an upload of before, after the server has compared the file with what it holds.
   *
   * @throws {ApiProblem} `wrong_file` when it is another one
   * @throws {FileReadError} when the file cannot be read
   * @throws {DigestUnavailable} where the browser cannot prove it
   */
  async resume(id: string, file: LocalFile): Promise<void> {
    const { samples } = await this.#options.api.upload(id);
    const { size: sizeBytes, lastModified } = file;
    const digests = await digestRanges(file, samples);
    await this.#options.api.matchUpload(id, { sizeBytes, lastModified, samples: digests });
    this.#send(id, file);
  }

  /** Connection or session is another: whoever waits for it tries at once. */
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

  /** What the operation says of its end needs no other words. */
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
