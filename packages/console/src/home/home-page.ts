import type { Operation, Pool } from '@wcc/api';
import { html, nothing } from 'lit';
import type { CSSResult, PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { lazyPart } from '../app/lazy.ts';
import { pagePaths } from '../app/router.ts';
import { createSampleMaker } from '../images/make-sample.ts';
import { poolCard } from '../images/pool-card.ts';
import { createVmButtons, quickCreate } from '../machines/create-vm-buttons.ts';
import { VmElement } from '../machines/machine-element.ts';
import { activeOf } from '../operations/groups.ts';
import type { OperationEntry } from '../operations/operation-entry.ts';
import { operationItem, resultOffers } from '../operations/rows.ts';
import { operationsTextOf } from '../operations/text/catalogue.ts';
import type { Emitter } from '../ui/emitter.ts';
import { PagedList } from '../ui/paged-list.ts';
import { problemBox } from '../ui/problem.ts';
import { firstRun } from './first-run.ts';
import { hostCard } from './host-card.ts';
import { vmsCard } from './machines-card.ts';
import { home } from './styles.ts';

const dayMs = 86_400_000;
/** Further operations are on the operations page. */
const maxRows = 6;

/**
 * Running operations, recent failures, machines, host and pools. Shows the first steps on an empty server.
 */
export class HomePage extends VmElement {
  static override readonly properties: PropertyDeclarations = {
    ...VmElement.properties,
    isCreating: { state: true },
    isUploading: { state: true },
    busy: { state: true },
    problem: { state: true },
  };
  declare isCreating: boolean;
  declare isUploading: boolean;
  declare busy: boolean;
  declare problem: unknown;
  /** Failures of the last day. */
  readonly #failures: PagedList<Operation> = new PagedList(async () => {
    const since = new Date(this.app.clock.now() - dayMs).toISOString();
    const { items } = await this.app.api.operations({ state: 'failed', since, limit: 20 });
    for (const operation of items) this.signedIn.operations.offer(operation);
    return { items };
  });
  #askedFor = '-';
  readonly #makeSampleImage = createSampleMaker();

  constructor() {
    super();
    this.isCreating = false;
    this.isUploading = false;
    this.busy = false;
    this.problem = null;
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.#failures.changed];
  }

  protected override styles(): readonly CSSResult[] {
    return [...super.styles(), home];
  }

  /** Reloads the failures after each new one. */
  protected override willUpdate(): void {
    const failed = this.signedIn.operations.all.filter(
      ({ snapshot, isHistory }) => snapshot.state === 'failed' && !isHistory,
    );
    const askedFor = failed.map(({ snapshot }) => snapshot.id).join();
    if (askedFor === this.#askedFor) return;
    this.#askedFor = askedFor;
    void this.#failures.load();
  }

  protected override render(): TemplateResult {
    const { images } = this.signedIn;
    const { home: text } = this.words;
    return html`<div class="page-head">
        <h1>${text.title}</h1>
        ${this.#isFirstRun || !this.app.canWrite ? nothing : this.#actions()}
      </div>
      ${problemBox(this.app, this.problem)}
      ${images.isLoaded ? nothing : problemBox(this.app, images.problem)}
      ${this.#isFirstRun ? this.#firstRun() : nothing} ${this.#running()} ${this.#failed()}
      <div class="home-grid">
        ${vmsCard(this.app, this.vms, this.words)} ${hostCard(this.app, this.vms, this.words)}
      </div>
      ${this.#pools(images.pools)} ${this.isCreating ? this.#dialog() : nothing}
      ${this.isUploading ? this.#upload() : nothing}`;
  }

  /** Almost nothing exists yet, so the first steps come first. */
  get #isFirstRun(): boolean {
    const { images } = this.signedIn;
    const { isLoaded, all: vms } = this.vms;
    const isBegun = vms.length > 0 || images.all.length > 1;
    return images.isLoaded && (isLoaded || this.vms.problem !== null) && !isBegun;
  }

  #actions(): TemplateResult {
    return createVmButtons(this.app, this.words, () => (this.isCreating = true));
  }

  /** A second sample image would be refused because of its name. */
  get #isSampleRunning(): boolean {
    return activeOf(this.signedIn.operations.all).some(
      ({ snapshot }) => snapshot.action === 'make_sample_image',
    );
  }

  #firstRun(): TemplateResult {
    return firstRun(this.app, {
      words: this.words,
      host: this.vms.host,
      pool: this.signedIn.images.pools[0],
      hasImage: this.signedIn.images.all.some(({ state, format }) => state === 'ready' && format !== 'iso'),
      canCreate: this.app.canWrite,
      busy: this.busy || this.#isSampleRunning,
      onSample: () => void this.#makeSample(),
      onUpload: () => (this.isUploading = true),
      onQuickCreate: () => (this.isCreating = true),
    });
  }

  #running(): TemplateResult | typeof nothing {
    const active = activeOf(this.signedIn.operations.all);
    if (active.length === 0) return nothing;
    return this.#group(
      operationsTextOf(this.app.preferences).list.active,
      active.slice(0, maxRows),
      active.length,
    );
  }

  #failed(): TemplateResult | typeof nothing {
    const { operations } = this.signedIn;
    const retried = new Set(operations.all.map(({ snapshot }) => snapshot.retryOf));
    const entries = operations
      .getMany(this.#failures.items.map(({ id }) => id))
      .filter(({ snapshot }) => !retried.has(snapshot.id));
    if (entries.length === 0) return nothing;
    return this.#group(this.words.home.failed, entries.slice(0, maxRows), entries.length);
  }

  #group(title: string, entries: readonly OperationEntry[], all: number): TemplateResult {
    const offers = resultOffers(this.app);
    return html`<section class="group" aria-label=${title}>
      <h2>${title}<span class="badge">${all}</span></h2>
      <div class="card">
        <ul class="rows">
          ${repeat(
            entries,
            ({ snapshot }) => snapshot.id,
            ({ snapshot }) => operationItem(this.app, snapshot, offers),
          )}
        </ul>
      </div>
      ${
        all > entries.length
          ? html`<p class="more">
              <a href=${pagePaths.operations} @click=${this.app.router.onLink}>${this.words.home.all}</a>
            </p>`
          : nothing
      }
    </section>`;
  }

  #pools(pools: readonly Pool[]): TemplateResult | typeof nothing {
    if (pools.length === 0) return nothing;
    return html`<section class="group" aria-label=${this.words.home.pools}>
      <h2>${this.words.home.pools}</h2>
      ${pools.map((pool) => poolCard(this.app, pool))}
    </section>`;
  }

  #dialog(): TemplateResult {
    return quickCreate(this.app, { onClosed: () => (this.isCreating = false) });
  }

  #upload(): TemplateResult {
    return lazyPart(
      'uploads',
      this.app,
      () =>
        html`<wcc-upload-dialog
          .app=${this.app}
          .onClosed=${() => (this.isUploading = false)}
        ></wcc-upload-dialog>`,
    );
  }

  async #makeSample(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = null;
    try {
      await this.#makeSampleImage(this.app);
    } catch (error) {
      this.problem = error;
      this.app.announceError(error);
    } finally {
      this.busy = false;
    }
  }
}
