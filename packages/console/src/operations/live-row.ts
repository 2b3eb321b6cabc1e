import type { ProgressActionDetail, RowVerb, WccProgressElement } from '@wcc/progress/element';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { operationPageOf } from '../app/router.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';

/** Verbs that the page offers in a row, and their handler. */
export interface RowOffers {
  verbs: readonly RowVerb[];
  /** The title links to the operation's page. @default false */
  hasLink?: boolean;
  run: (verb: RowVerb, id: string) => void;
}

/**
 * Binds `<wcc-progress>` to one operation. Progress goes directly to that element, so that ten snapshots per
 * second render nothing else.
 */
export class LiveRow extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    operation: { type: String },
    compact: { type: Boolean },
    offers: { attribute: false },
  };
  declare operation: string;
  declare compact: boolean;
  declare offers: RowOffers | null;
  #stop: (() => void) | null = null;
  #watched = '';

  constructor() {
    super();
    this.compact = false;
    this.offers = null;
  }

  protected override observed(): Emitter[] {
    const { connection, operations, uploads } = this.signedIn;
    return [...super.observed(), connection.changed, operations.pausing, uploads.changed];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Reordering a list disconnects and reconnects its rows.
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unwatch();
  }

  protected override render(): TemplateResult {
    return html`<wcc-progress
      locale=${this.app.preferences.locale}
      ?compact=${this.compact}
      ?frozen=${this.signedIn.operations.isPaused}
      .href=${this.offers?.hasLink === true ? operationPageOf(this.operation) : ''}
      .connection=${this.signedIn.connection.isOnline ? 'online' : 'offline'}
      .explain=${(error: Parameters<typeof this.app.explainOperation>[0]) => this.app.explainOperation(error)}
      @wcc-action=${this.#onAction}
    ></wcc-progress>`;
  }

  protected override updated(): void {
    if (this.#watched !== this.operation) {
      this.#unwatch();
      this.#watched = this.operation;
      this.#stop = this.signedIn.operations.listen(this.operation, () => this.#feed());
    }
    this.#feed();
  }

  #unwatch(): void {
    this.#stop?.();
    this.#stop = null;
    this.#watched = '';
  }

  #feed(): void {
    const row = this.querySelector<WccProgressElement>('wcc-progress');
    const entry = this.signedIn.operations.get(this.operation);
    if (row === null || entry === undefined) return;
    const { uploads } = this.signedIn;
    row.snapshot = entry.snapshot;
    row.note = uploads.noteOf(this.operation);
    this.#offer(row, uploads.canChooseFile(entry.snapshot));
    if (row.may !== entry.may) row.may = entry.may;
    if (row.unknown !== entry.isUnknown) row.unknown = entry.isUnknown;
  }

  /** "Choose file" is offered on every page. Sets the list only when it changed, to avoid a paint. */
  #offer(row: WccProgressElement, canChooseFile: boolean): void {
    const own = this.offers?.verbs ?? [];
    const verbs = canChooseFile ? [...own, 'choose' as const] : own;
    if (verbs.join() !== row.offers.join()) row.offers = verbs;
  }

  readonly #onAction = (event: CustomEvent<ProgressActionDetail>): void => {
    const { verb, id } = event.detail;
    if (verb === 'cancel' || verb === 'pause' || verb === 'resume' || verb === 'retry')
      void this.#control(verb, id);
    else if (verb === 'choose') this.signedIn.uploads.choose(id);
    else this.offers?.run(verb, id);
  };

  async #control(verb: 'cancel' | 'pause' | 'resume' | 'retry', id: string): Promise<void> {
    try {
      const { operation } = await this.app.api[verb](id);
      this.signedIn.operations.offer(operation);
    } catch (error) {
      // The row keeps showing the server's state; the error is a notice.
      this.app.showError(error);
    }
  }
}

/** The row of an operation, or nothing when the operation is not known any more. */
export function liveRow(
  app: LiveRow['app'],
  id: string,
  options: { compact?: boolean; offers?: RowOffers } = {},
): TemplateResult | typeof nothing {
  if (app.signedIn?.operations.get(id) === undefined) return nothing;
  return html`<wcc-live-row
    .app=${app}
    .operation=${id}
    ?compact=${options.compact === true}
    .offers=${options.offers ?? null}
  ></wcc-live-row>`;
}
