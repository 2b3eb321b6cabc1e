import type { Snapshot } from '@wcc/progress';
import type { RowNote } from '@wcc/progress/text';
import { Emitter } from '../ui/emitter.ts';
import type { UploadEngine } from './engine/engine.ts';

declare module '../app/signed-in-state.ts' {
  interface SignedInState {
    readonly uploads: Uploads;
  }
}

/** The part of uploads that is loaded with the first one. */
export interface Sender {
  readonly engine: UploadEngine;
  noteOf(id: string): RowNote | null;
  /** Compares the file and resumes; shows an error when it cannot. */
  resume(id: string, file: File): Promise<void>;
}

export interface UploadsOptions {
  load: () => Promise<Sender>;
  userId: () => string;
  onProblem: (error: unknown) => void;
}

/** The uploads that this page sends. The engine is loaded with the first one. */
export class Uploads {
  /** An upload of this page started, ended or changed its view. */
  readonly changed: Emitter = new Emitter();
  readonly #options: UploadsOptions;
  #sender: Sender | null = null;
  #loading: Promise<Sender> | null = null;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** Loads the engine. @throws when it cannot be loaded; the next call tries again */
  async sender(): Promise<Sender> {
    this.#loading ??= this.#options.load();
    try {
      this.#sender = await this.#loading;
      return this.#sender;
    } catch (error) {
      this.#loading = null;
      throw error;
    }
  }

  noteOf(id: string): RowNote | null {
    return this.#sender?.noteOf(id) ?? null;
  }

  /** Whether this page sends the upload or will resume it automatically. */
  isSending(id: string): boolean {
    const upload = this.#sender?.engine.get(id);
    return upload !== undefined && upload.view.kind !== 'file_trouble';
  }

  /** Whether it is the user's unfinished upload and this page does not send it. */
  canChooseFile({ action, owner, id }: Snapshot): boolean {
    return action === 'upload_image' && owner === this.#options.userId() && !this.isSending(id);
  }

  retryNow(): void {
    this.#sender?.engine.retryNow();
  }

  /**
   * Asks the user for the file of an unfinished upload and resumes it. Must be called from an event of the
   * user.
   */
  choose(id: string): void {
    const input = document.createElement('input');
    input.type = 'file';
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      if (file !== undefined) void this.#resume(id, file);
    });
    input.click();
  }

  async #resume(id: string, file: File): Promise<void> {
    try {
      await (await this.sender()).resume(id, file);
    } catch (error) {
      this.#options.onProblem(error);
    }
  }
}
