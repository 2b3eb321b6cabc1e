import type { Image, Pool } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { App } from '../app/app.ts';
import { lazyPart } from '../app/lazy.ts';
import { pendingImages } from '../operations/groups.ts';
import type { OperationEntry } from '../operations/operation-entry.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import { tableHead } from '../ui/data-table.ts';
import type { Emitter } from '../ui/emitter.ts';
import { icon } from '../ui/icons.ts';
import { isHoveredOrFocused } from '../ui/is-hovered-or-focused.ts';
import { problemBox } from '../ui/problem.ts';
import { stableOrder } from '../ui/stable-order.ts';
import { emptyPool } from './empty-pool.ts';
import { createSampleMaker } from './make-sample.ts';
import { poolCard } from './pool-card.ts';
import { imageRow, pendingImageRow } from './rows.ts';
import { imagesTextOf } from './text/catalogue.ts';

const dragEvents = ['dragover', 'dragleave', 'drop'] as const;

/** The list of images, including those that an operation is making. */
export class ImagesPage extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    copying: { state: true },
    dialog: { state: true },
    isDraggedOver: { state: true },
    busy: { state: true },
    problem: { state: true },
    rescanned: { state: true },
  };
  declare copying: Image | null;
  declare dialog: { kind: 'upload'; dropped: readonly File[] } | { kind: 'import' } | null;
  /** Files are being dragged over the page. */
  declare isDraggedOver: boolean;
  declare busy: boolean;
  declare problem: unknown;
  declare rescanned: string | null;
  readonly #makeSampleImage = createSampleMaker();
  #making: string[] = [];

  constructor() {
    super();
    this.copying = null;
    this.dialog = null;
    this.isDraggedOver = false;
    this.busy = false;
    this.problem = null;
    this.rescanned = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    for (const type of dragEvents) addEventListener(type, this.#onDrag);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const type of dragEvents) removeEventListener(type, this.#onDrag);
  }

  /** Files can be dropped anywhere on this page. */
  readonly #onDrag = (event: DragEvent): void => {
    const hasFiles = event.dataTransfer?.types.includes('Files') === true;
    // An open dialog handles the event before the window does.
    if (!hasFiles || event.defaultPrevented || !this.app.canWrite) return;
    event.preventDefault();
    const isLeaving = event.type === 'dragleave' && event.relatedTarget !== null;
    if (!isLeaving) this.isDraggedOver = event.type === 'dragover' && this.dialog === null;
    if (event.type === 'drop' && this.dialog === null && this.copying === null)
      this.dialog = { kind: 'upload', dropped: [...(event.dataTransfer?.files ?? [])] };
  };

  protected override observed(): Emitter[] {
    const { images, operations, connection } = this.signedIn;
    return [
      ...super.observed(),
      images.changed,
      operations.changed,
      connection.changed,
      this.app.router.changed,
      this.app.lazyParts.changed,
    ];
  }

  protected override render(): TemplateResult {
    const text = imagesTextOf(this.app.preferences).list;
    const { images } = this.signedIn;
    const making = this.#arrange();
    const isEmpty = images.isLoaded && images.all.length === 0 && making.length === 0;
    return html`<div class="page-head">
        <h1>${text.title}</h1>
        ${images.isLoaded ? this.#actions(images.pools[0]) : nothing}
      </div>
      ${problemBox(this.app, this.problem)} ${this.#loadProblem()}
      ${images.pools.map((pool) => poolCard(this.app, pool))}
      ${isEmpty ? this.#empty(images.pools[0]) : nothing}
      ${images.isLoaded && !isEmpty ? this.#table(images.all, making) : nothing}
      ${images.isLoaded || images.problem !== null ? nothing : html`<p class="muted">${this.text.shell.loading}</p>`}
      ${this.copying ? this.#copyDialog(this.copying) : nothing} ${this.#fileDialog()}
      ${
        this.isDraggedOver
          ? html`<div class="drop-page">
              ${icon('upload')}
              <p>${text.dropHere}</p>
            </div>`
          : nothing
      }`;
  }

  /** Scrolls to the highlighted image once its row is rendered. */
  protected override updated(): void {
    const { router } = this.app;
    if (router.highlightId === null) return;
    const row = this.querySelector<HTMLElement>(`tr[data-image="${router.highlightId}"]`);
    if (row === null) return;
    router.clearHighlight();
    row.scrollIntoView({ block: 'center' });
    row.classList.add('found');
  }

  /** Operations that make an image, in an order that is stable under the pointer. */
  #arrange(): OperationEntry[] {
    const { images, operations } = this.signedIn;
    const wanted = pendingImages(operations.all, (id) => images.hasImage(id)).map(
      ({ snapshot }) => snapshot.id,
    );
    this.#making = stableOrder(this.#making, wanted, {
      isHoveredOrFocused: isHoveredOrFocused(this.querySelector('tbody')),
      exists: (id) => operations.get(id) !== undefined,
    });
    return operations.getMany(this.#making);
  }

  #actions(pool: Pool | undefined): TemplateResult | typeof nothing {
    if (pool === undefined || !this.app.canWrite) return nothing;
    const isOff = this.busy || !this.signedIn.connection.isOnline;
    return html`<div class="end">
      ${this.rescanned === null ? nothing : html`<span class="muted">${this.rescanned}</span>`}
      <button
        class="button"
        aria-disabled=${String(isOff)}
        title=${this.signedIn.connection.isOnline ? '' : this.text.shell.disabledOffline}
        @click=${() => (isOff ? undefined : void this.#rescan(pool.id))}
      >
        ${icon('rescan')}${this.busy ? imagesTextOf(this.app.preferences).list.rescanning : imagesTextOf(this.app.preferences).list.rescan}
      </button>
      <button class="button" @click=${() => (this.dialog = { kind: 'import' })}>
        ${icon('link')}${imagesTextOf(this.app.preferences).list.importFrom}
      </button>
      <button class="button primary" @click=${this.#openUpload}>
        ${icon('upload')}${imagesTextOf(this.app.preferences).list.upload}
      </button>
    </div>`;
  }

  readonly #openUpload = (): void => void (this.dialog = { kind: 'upload', dropped: [] });

  #loadProblem(): TemplateResult | typeof nothing {
    const { images } = this.signedIn;
    // Keeps a loaded list. The connection banner says that the list may be out of date.
    if (images.problem === null || images.isLoaded) return nothing;
    return html`${problemBox(this.app, images.problem)}
      <p><button class="button" @click=${() => void images.load()}>${this.text.shell.tryAgain}</button></p>`;
  }

  #empty(pool: Pool | undefined): TemplateResult | typeof nothing {
    if (pool?.state === 'unavailable') return nothing;
    const onSample = (): void => void this.#makeSample();
    return emptyPool(this.app, {
      pool,
      canCreate: this.app.canWrite,
      busy: this.busy,
      onSample,
      onUpload: this.#openUpload,
    });
  }

  #table(images: readonly Image[], making: readonly OperationEntry[]): TemplateResult {
    const text = imagesTextOf(this.app.preferences).list;
    const context = {
      app: this.app,
      mayCopy: this.app.canWrite,
      onCopy: (image: Image) => (this.copying = image),
    };
    // While the pointer is on the list, an ended operation keeps its row, and the row of its image is hidden.
    const isPending = new Set(making.map(({ snapshot }) => snapshot.result?.id));
    return html`<div class="card">
      <table role="table" aria-label=${text.title}>
        ${tableHead([
          { label: text.name },
          { label: text.format },
          { label: text.virtualSize, kind: 'number' },
          { label: text.onDisk, kind: 'number' },
          { label: text.state },
          { label: this.text.shell.actions, kind: 'act' },
        ])}
        <tbody role="rowgroup" @pointerleave=${this.#onRelease} @focusout=${this.#onRelease}>
          ${repeat(
            making,
            ({ snapshot }) => snapshot.id,
            (entry) => pendingImageRow(entry, this.app),
          )}
          ${repeat(
            images.filter((image) => !isPending.has(image.id)),
            (image) => image.id,
            (image) => imageRow(image, context),
          )}
        </tbody>
      </table>
    </div>`;
  }

  readonly #onRelease = (): void => this.requestUpdate();

  #fileDialog(): TemplateResult | typeof nothing {
    const { app, dialog } = this;
    if (dialog === null) return nothing;
    const onClosed = (): void => void (this.dialog = null);
    return lazyPart('uploads', app, () =>
      dialog.kind === 'import'
        ? html`<wcc-import-dialog .app=${app} .onClosed=${onClosed}></wcc-import-dialog>`
        : html`<wcc-upload-dialog
            .app=${app}
            .dropped=${dialog.dropped}
            .onClosed=${onClosed}
          ></wcc-upload-dialog>`,
    );
  }

  #copyDialog(image: Image): TemplateResult {
    return lazyPart(
      'images',
      this.app,
      () =>
        html`<wcc-copy-dialog
          .app=${this.app}
          .image=${image}
          .onClosed=${() => (this.copying = null)}
        ></wcc-copy-dialog>`,
    );
  }

  async #rescan(poolId: string): Promise<void> {
    await this.#run(async () => {
      const result = await this.app.api.rescan(poolId);
      this.rescanned = imagesTextOf(this.app.preferences).list.rescanned(result);
      this.app.announcer.say(this.rescanned);
      await this.signedIn.images.load();
    });
  }

  async #makeSample(): Promise<void> {
    await this.#run(async () => {
      await this.#makeSampleImage(this.app);
    });
  }

  async #run(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = null;
    this.rescanned = null;
    try {
      await work();
    } catch (error) {
      this.problem = error;
      this.app.announceError(error);
    } finally {
      this.busy = false;
    }
  }
}
