import { isSameName } from '@wcc/api';
import type { Pool, Upload } from '@wcc/api';
import { html, nothing } from 'lit';
import type { CSSResult, PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { App } from '../app/app.ts';
import { isActive, createdImageName } from '../operations/groups.ts';
import { count, size } from '../text/format.ts';
import type { Emitter } from '../ui/emitter.ts';
import { FormDialog } from '../ui/form-dialog.ts';
import { icon } from '../ui/icons.ts';
import { detectKind } from './engine/kind.ts';
import { uploadFile } from './file-row.ts';
import { uploads as styles } from './styles.ts';
import { uploadsTextOf } from './text/catalogue.ts';
import type { UploadsText } from './text/text.ts';
import { unfinishedUploads } from './unfinished-uploads.ts';
import {
  chooseFile,
  isAboutName,
  checkFile,
  hasImageLike,
  matchUnfinished,
  neededBytes,
  toNewUpload,
  unmatchedUploads,
} from './upload-form.ts';
import type { ChosenFile } from './upload-form.ts';

/** Uploads files. Closes once their operations exist. */
export class UploadDialog extends FormDialog<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormDialog.properties,
    dropped: { attribute: false },
    chosen: { state: true },
    poolId: { state: true },
    isOver: { state: true },
    unfinished: { state: true },
  };
  /** Files that were dropped on the page. */
  declare dropped: readonly File[];
  declare chosen: readonly ChosenFile[];
  declare poolId: string;
  /** A file is being dragged over the zone. */
  declare isOver: boolean;
  /** The user's unfinished uploads that this page does not send. */
  declare unfinished: readonly Upload[];
  protected readonly idPrefix = 'upload';
  #lastKey = 0;

  constructor() {
    super();
    this.dropped = [];
    this.chosen = [];
    this.poolId = '';
    this.isOver = false;
    this.unfinished = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.poolId = this.#pools[0]?.id ?? '';
    for (const type of ['dragover', 'dragleave', 'drop'] as const) this.addEventListener(type, this.#onDrag);
    void this.#loadUnfinished();
    this.#add(this.dropped);
  }

  /** Handles drops on the whole dialog, because the browser opens a file that is dropped elsewhere. */
  readonly #onDrag = (event: DragEvent): void => {
    event.preventDefault();
    this.isOver = event.type === 'dragover';
    if (event.type === 'drop') this.#add([...(event.dataTransfer?.files ?? [])]);
  };

  protected override styles(): readonly CSSResult[] {
    return [styles];
  }

  protected override observed(): Emitter[] {
    const { connection, images, operations } = this.signedIn;
    return [...super.observed(), connection.changed, images.changed, operations.changed];
  }

  protected override get firstField(): HTMLElement | null {
    return this.querySelector(this.chosen.length > 0 ? '.file input' : '#upload-files');
  }

  get #text(): UploadsText {
    return uploadsTextOf(this.app.preferences);
  }

  get #pools(): Pool[] {
    return this.signedIn.images.pools.filter(({ state }) => state === 'ready');
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    const isOffline = !this.signedIn.connection.isOnline;
    const number = count(Math.max(1, this.chosen.length), this.app.preferences.locale);
    return this.frame({
      title: text.title,
      lead: text.lead,
      body: html`${unfinishedUploads(unmatchedUploads(this.chosen, this.unfinished), text)}
      ${this.#dropZone()} ${this.#list()} ${this.#poolField()} ${this.#facts()}`,
      note: isOffline ? this.text.shell.disabledOffline : text.keepOpen,
      buttons: this.buttons(html`${icon('upload')}${this.busy ? text.busy : text.submit(number)}`, {
        isOff: isOffline,
      }),
      submit: () => void this.#submit(),
    });
  }

  #dropZone(): TemplateResult {
    const text = this.#text;
    const isFirst = this.chosen.length === 0;
    return html`<div class="drop ${this.isOver ? 'over' : ''} ${isFirst ? '' : 'slim'}">
      ${icon('upload')}
      <p>${isFirst ? text.drop : text.dropMore}</p>
      <label class="button">
        <input
          id="upload-files"
          type="file"
          multiple
          aria-describedby=${this.fieldError?.field === 'files' ? 'upload-files-note' : nothing}
          @change=${this.#onChoice}
        />${text.choose}
      </label>
      ${
        this.fieldError?.field === 'files'
          ? html`<p class="note bad" id="upload-files-note">${this.fieldError.message}</p>`
          : nothing
      }
    </div>`;
  }

  readonly #onChoice = (event: Event): void => {
    if (!(event.target instanceof HTMLInputElement)) return;
    this.#add([...(event.target.files ?? [])]);
    // A removed file can be chosen again.
    event.target.value = '';
  };

  #list(): TemplateResult | typeof nothing {
    if (this.chosen.length === 0) return nothing;
    return html`<ul class="files" aria-label=${this.#text.files}>
      ${repeat(
        this.chosen,
        ({ key }) => key,
        (chosen) =>
          uploadFile({
            app: this.app,
            chosen,
            verdict: this.#check(chosen),
            namesake: this.unfinished.find(({ name }) => isSameName(name, chosen.name)),
            change: (part) => this.#change(chosen.key, part),
            remove: () => this.#remove(chosen.key),
          }),
      )}
    </ul>`;
  }

  #poolField(): TemplateResult | typeof nothing {
    if (this.#pools.length < 2) return nothing;
    return html`<div class="field">
      <label for="upload-pool">${this.#text.pool}</label>
      <select
        id="upload-pool"
        class="select"
        @change=${(event: Event) => event.target instanceof HTMLSelectElement && (this.poolId = event.target.value)}
      >
        ${this.#pools.map(
          ({ id, name }) => html`<option value=${id} ?selected=${id === this.poolId}>${name}</option>`,
        )}
      </select>
    </div>`;
  }

  /** Required and free space. */
  #facts(): TemplateResult | typeof nothing {
    const pool = this.#pools.find(({ id }) => id === this.poolId);
    if (pool === undefined || this.chosen.length === 0) return nothing;
    const text = this.#text;
    const needs = neededBytes(this.chosen);
    return html`<dl class="facts" aria-label=${text.before}>
      <dt>${text.needs}</dt>
      <dd>${size(needs)}</dd>
      <dt>${text.free}</dt>
      <dd>${size(pool.freeBytes)}</dd>
      ${
        needs > pool.freeBytes
          ? html`<dd class="wide bad">${text.notEnough(size(needs), size(pool.freeBytes))}</dd>`
          : nothing
      }
    </dl>`;
  }

  #check(chosen: ChosenFile): ReturnType<typeof checkFile> {
    const { images, operations } = this.signedIn;
    return checkFile(
      chosen,
      this.chosen,
      (name) =>
        hasImageLike(images.all, name) ||
        operations.all.some((entry) => isActive(entry) && createdImageName(entry.snapshot) === name),
    );
  }

  #add(files: readonly File[]): void {
    this.fieldError = null;
    const added = files.map((file) => chooseFile((this.#lastKey += 1), file));
    this.chosen = matchUnfinished([...this.chosen, ...added], this.unfinished);
    for (const { key, file } of added) void this.#look(key, file);
  }

  async #look(key: number, file: File): Promise<void> {
    const kind = await detectKind(file).catch(() => 'unreadable' as const);
    this.#change(key, { kind });
  }

  #change(key: number, part: Partial<ChosenFile>): void {
    this.chosen = this.chosen.map((each) => (each.key === key ? { ...each, problem: null, ...part } : each));
  }

  /** Moves the focus to the next file, or to the file chooser. */
  #remove(key: number): void {
    const index = this.chosen.findIndex((each) => each.key === key);
    this.chosen = this.chosen.filter((each) => each.key !== key);
    void this.updateComplete.then(() => {
      const next = this.querySelectorAll<HTMLElement>('.file .remove').item(
        Math.min(index, this.chosen.length - 1),
      );
      (next ?? this.querySelector<HTMLElement>('#upload-files'))?.focus();
    });
  }

  /** If loading fails, every file becomes a new upload. */
  async #loadUnfinished(): Promise<void> {
    try {
      const { items } = await this.app.api.uploads();
      this.unfinished = items.filter(({ id }) => !this.signedIn.uploads.isSending(id));
      this.chosen = matchUnfinished(this.chosen, this.unfinished);
    } catch (error) {
      this.problem = error;
    }
  }

  async #submit(): Promise<void> {
    const text = this.#text;
    if (this.busy || !this.signedIn.connection.isOnline) return;
    if (this.chosen.length === 0) return this.showFieldError({ field: 'files', message: text.noneChosen });
    const bad = this.chosen.find((each) => this.#check(each) !== null);
    if (bad !== undefined) return this.#focusOn(bad);
    this.busy = true;
    try {
      const { engine } = await this.signedIn.uploads.sender();
      for (const each of this.chosen) {
        try {
          if (each.isResuming && each.unfinished !== null) await engine.resume(each.unfinished.id, each.file);
          else await engine.begin(each.file, toNewUpload(each, this.poolId));
          this.chosen = this.chosen.filter(({ key }) => key !== each.key);
          if (each.isResuming)
            this.unfinished = this.unfinished.filter((upload) => upload !== each.unfinished);
        } catch (problem) {
          this.#change(each.key, { problem });
        }
      }
    } catch (error) {
      this.showError(error);
    } finally {
      this.busy = false;
    }
    if (this.chosen.length === 0 && this.problem === null) return this.close();
    const first = this.chosen.find(({ problem }) => problem !== null);
    if (first !== undefined) this.focusFailedFile(first);
  }

  protected focusFailedFile({ key, file, problem }: ChosenFile): void {
    const { message, hint } = this.app.explain(problem);
    this.app.announcer.alert(`${file.name}: ${message} ${hint}`);
    this.querySelector<HTMLElement>(`#upload-name-${key}, #upload-resume-${key}`)?.focus();
  }

  #focusOn(bad: ChosenFile): void {
    const verdict = this.#check(bad);
    const field = verdict === 'bad_digest' ? 'digest' : isAboutName(verdict) ? 'name' : 'remove';
    const item = this.querySelector<HTMLElement>(`#upload-${field}-${bad.key}`);
    item?.closest('details')?.setAttribute('open', '');
    item?.focus();
    this.app.announcer.alert(item?.closest('.file')?.querySelector('.bad')?.textContent.trim() ?? '');
  }
}
