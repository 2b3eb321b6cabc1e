import type { Image, ImageId } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { html, nothing } from 'lit';
import type { CSSResult, PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { App } from '../app/app.ts';
import { pagePaths } from '../app/router.ts';
import { liveRow } from '../operations/live-row.ts';
import { resultOffers } from '../operations/rows.ts';
import { warningText } from '../text/operation-names.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { section } from '../ui/facts.ts';
import { icon } from '../ui/icons.ts';
import type { IconName } from '../ui/icons.ts';
import { problemBox } from '../ui/problem.ts';
import { startDownload } from './download.ts';
import { checksumOf, factsOf, lineageOf, usersOf } from './facts.ts';
import { image as styles } from './image-styles.ts';
import { imagesTextOf } from './text/catalogue.ts';
import type { ImageText } from './text/text.ts';

type DialogName = 'copy' | 'convert' | 'verify' | 'publish' | 'accept-base' | 'delete';

/** What a button does, and its CSS class. */
interface ButtonAction {
  run: () => void;
  look?: string;
}

const maxOperations = 10;

/** Details, actions and history of one image. */
export class ImagePage extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    problem: { state: true },
    dialog: { state: true },
  };
  declare problem: unknown;
  declare dialog: DialogName | null;
  #asked = 0;

  constructor() {
    super();
    this.problem = null;
    this.dialog = null;
  }

  protected override styles(): readonly CSSResult[] {
    return [styles];
  }

  protected override observed(): Emitter[] {
    const { images, operations, connection } = this.signedIn;
    return [
      ...super.observed(),
      images.changed,
      operations.changed,
      connection.changed,
      this.app.router.changed,
    ];
  }

  /** Loads the history when another image is shown. */
  protected override willUpdate(): void {
    const { imageId } = this.app.router;
    if (imageId === null || imageId === this.#asked) return;
    this.#asked = imageId;
    this.problem = null;
    this.dialog = null;
    void this.#loadOperations(imageId);
  }

  get #text(): ImageText {
    return imagesTextOf(this.app.preferences).image;
  }

  get #image(): Image | undefined {
    return this.signedIn.images.all.find(({ id }) => id === this.app.router.imageId);
  }

  protected override render(): TemplateResult {
    const image = this.#image;
    const text = this.#text;
    return html`<div class="page-head">
        <h1>
          ${image === undefined ? imagesTextOf(this.app.preferences).list.title : html`<bdi translate="no">${image.name}</bdi>`}
          ${image?.template === true ? html`<span class="badge">${imagesTextOf(this.app.preferences).list.template}</span>` : nothing}
        </h1>
        <a class="button quiet" href=${pagePaths.images} @click=${this.app.router.onLink}
          >${icon('back')}${text.back}</a
        >
      </div>
      ${image === undefined ? this.#missing() : this.#whole(image)}`;
  }

  #missing(): TemplateResult {
    const text = this.#text;
    const { images } = this.signedIn;
    if (!images.isLoaded)
      return images.problem === null
        ? html`<p class="muted">${this.text.shell.loading}</p>`
        : html`${problemBox(this.app, images.problem)}`;
    return html`<section class="card empty">
      ${icon('disk')}
      <h2>${text.notFound}</h2>
      <p>${text.notFoundHint}</p>
    </section>`;
  }

  #whole(image: Image): TemplateResult {
    const { app } = this;
    return html`${this.#actions(image)} ${problemBox(app, this.problem)}
      ${image.remarks.map((remark) => this.#remark(remark))}
      ${image.baseChanged ? this.#baseChanged() : nothing}
      ${image.private ? html`<p class="muted">${this.#text.private}</p>` : nothing}
      <div class="operation-grid">
        <div>${factsOf(app, image)} ${this.#operations(image)}</div>
        <div>
          ${checksumOf(app, image, this.app.canWrite)} ${usersOf(app, image)} ${lineageOf(app, image)}
        </div>
      </div>
      ${this.#dialog(image)}`;
  }

  #remark(code: string): TemplateResult {
    return html`<p class="muted">${icon('alert')} ${warningText(code, this.app.preferences.locale)}</p>`;
  }

  /** Only the earlier file is right for the machines. Who knows that this is it may say so. */
  #baseChanged(): TemplateResult {
    const text = this.#text;
    const isAdmin = this.app.session.current?.user.role === 'admin';
    return html`<div class="problem" role="group">
      ${icon('alert')}<span>${text.baseChanged}</span>
      ${
        isAdmin
          ? html`<button class="button" @click=${() => (this.dialog = 'accept-base')}>
              ${text.acceptBase}
            </button>`
          : nothing
      }
    </div>`;
  }

  #actions(image: Image): TemplateResult {
    const text = this.#text;
    const isReady = image.state === 'ready';
    const isOff = !this.signedIn.connection.isOnline;
    const button = (name: IconName, label: string, { run, look = '' }: ButtonAction): TemplateResult =>
      html`<button
        class="button ${look}"
        aria-disabled=${String(isOff)}
        title=${isOff ? this.text.shell.disabledOffline : ''}
        @click=${() => (isOff ? undefined : run())}
      >
        ${icon(name)}${label}
      </button>`;
    const open = (dialog: DialogName, look = ''): ButtonAction => ({
      run: () => (this.dialog = dialog),
      look,
    });
    const isConvertible = image.format === 'raw' || image.format === 'qcow2';
    const download = button('download', text.download, { run: () => void this.#download(image) });
    if (!this.app.canWrite) return html`<div class="image-actions">${isReady ? download : nothing}</div>`;
    return html`<div class="image-actions">
      ${isReady ? button('copy', imagesTextOf(this.app.preferences).list.copy, open('copy', 'primary')) : nothing}
      ${isReady ? this.#vmLinks(image) : nothing}
      ${isReady && isConvertible ? button('convert', text.convert, open('convert')) : nothing}
      ${isReady ? button('check', text.verify, open('verify')) : nothing} ${isReady ? download : nothing}
      ${isReady ? button('star', image.template ? text.unmarkTemplate : text.markTemplate, { run: () => void this.#mark(image) }) : nothing}
      ${image.private && image.usedBy.length === 0 ? button('user', text.publish, open('publish')) : nothing}
      ${button('bin', text.remove, open('delete', 'quiet'))}
    </div>`;
  }

  async #download(image: Image): Promise<void> {
    try {
      await startDownload(this.app, image);
    } catch (error) {
      this.app.showError(error);
    }
  }

  /** A disk image works for quick-create and the create page. An ISO works only as the disc of a new machine. */
  #vmLinks({ id, format }: Image): TemplateResult {
    const text = this.#text;
    const link = (name: IconName, label: string, path: string): TemplateResult =>
      html`<a class="button" href="${path}?image=${id}" @click=${this.app.router.onLink}
        >${icon(name)}${label}</a
      >`;
    return html`${format === 'iso' ? nothing : link('bolt', text.quickCreate, pagePaths.vms)}
    ${link('plus', text.createVm, pagePaths.createVm)}`;
  }

  /** Newest first, running ones included. */
  #operations(image: Image): TemplateResult {
    const text = this.#text;
    const isAbout = (each: { kind: string; id: number | string | null } | null): boolean =>
      each?.kind === 'image' && each.id === image.id;
    const own = this.signedIn.operations.all
      .filter(({ snapshot }) => isAbout(snapshot.subject) || isAbout(snapshot.result))
      .toSorted((a, b) => (a.snapshot.createdAt < b.snapshot.createdAt ? 1 : -1))
      .slice(0, maxOperations);
    const query = `?subject=${encodeURIComponent(`image:${image.id}`)}`;
    return section(
      text.operations,
      own.length === 0
        ? html`<p class="muted">${text.noOperations}</p>`
        : html`<ul class="image-operations">
              ${repeat(
                own,
                ({ snapshot }) => snapshot.id,
                ({ snapshot }) =>
                  html`<li>${liveRow(this.app, snapshot.id, { offers: resultOffers(this.app) })}</li>`,
              )}
            </ul>
            <p>
              <a href="${pagePaths.operations}${query}" @click=${this.app.router.onLink}
                >${text.allOperations}</a
              >
            </p>`,
    );
  }

  #dialog(image: Image): TemplateResult | typeof nothing {
    const { app, dialog } = this;
    const onClosed = (): void => void (this.dialog = null);
    switch (dialog) {
      case 'copy':
        return html`<wcc-copy-dialog .app=${app} .image=${image} .onClosed=${onClosed}></wcc-copy-dialog>`;
      case 'convert':
        return html`<wcc-convert-dialog
          .app=${app}
          .image=${image}
          .onClosed=${onClosed}
        ></wcc-convert-dialog>`;
      case 'verify':
        return html`<wcc-verify-dialog
          .app=${app}
          .image=${image}
          .onClosed=${onClosed}
        ></wcc-verify-dialog>`;
      case 'publish':
        return html`<wcc-publish-dialog
          .app=${app}
          .image=${image}
          .onClosed=${onClosed}
        ></wcc-publish-dialog>`;
      case 'accept-base':
        return html`<wcc-accept-base-dialog
          .app=${app}
          .image=${image}
          .onClosed=${onClosed}
        ></wcc-accept-base-dialog>`;
      case 'delete':
        return html`<wcc-delete-dialog
          .app=${app}
          .image=${image}
          .onClosed=${onClosed}
        ></wcc-delete-dialog>`;
      case null:
      default:
        return nothing;
    }
  }

  async #mark(image: Image): Promise<void> {
    this.problem = null;
    try {
      await this.app.api.changeImage(image.id, { template: !image.template });
      await this.signedIn.images.load();
    } catch (error) {
      this.problem = error;
      this.app.announceError(error);
    }
  }

  /** The rest of the page is correct without the history, so an error is ignored. */
  async #loadOperations(id: ImageId): Promise<void> {
    try {
      const { items } = await this.app.api.operations({ subject: `image:${id}`, limit: maxOperations });
      for (const operation of items) this.signedIn.operations.offer(operation);
      this.requestUpdate();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
    }
  }
}
