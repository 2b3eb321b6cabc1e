import type { Snapshot } from '@wcc/progress';
import type { ProgressActionDetail, WccProgressElement } from '@wcc/progress/element';
import type { FeedState, RowNote } from '@wcc/progress/text';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { lazyPart } from '../app/lazy.ts';
import { operationPageOf } from '../app/router.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import type { OperationEntry } from './operation-entry.ts';
import { operationsTextOf } from './text/catalogue.ts';
import { chooseAgainText, isWaitingForFile } from './waiting-file.ts';

/** Verbs that the page offers in a row, and their handler. */
export interface RowOffers {
  verbs: readonly ('open' | 'details' | 'dismiss')[];
  /** The title links to the operation's page. @default false */
  hasLink?: boolean;
  run: (verb: string, id: string) => void;
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
    const { lazyParts } = this.app;
    return [...super.observed(), connection.changed, operations.pausing, uploads.changed, lazyParts.changed];
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
    // While the element is not defined, it keeps what is set on it.
    const isFailed = this.app.lazyParts.request('row') === 'failed';
    if (isFailed) return lazyPart('row', this.app, () => html``);
    return html`<wcc-progress
      locale=${this.app.preferences.locale}
      ?compact=${this.compact}
      .href=${this.offers?.hasLink === true ? operationPageOf(this.operation) : ''}
      @action=${this.#onAction}
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
    const { snapshot } = entry;
    const note = this.signedIn.uploads.noteOf(this.operation);
    const canChooseFile = this.#canChooseFile(snapshot, note);
    row.connection = this.#feedState(entry);
    row.snapshot = snapshot;
    row.note = note ?? (canChooseFile ? this.#chooseAgain(snapshot) : null);
    row.actions = this.#actions(entry, canChooseFile);
  }

  #feedState({ isUnknown }: OperationEntry): FeedState {
    const { connection, operations } = this.signedIn;
    if (isUnknown) return 'gone';
    if (!connection.isOnline) return 'offline';
    return operations.isPaused ? 'paused' : 'online';
  }

  /** The user may choose the file on every page, while the upload waits for it or this page lost it. */
  #canChooseFile(snapshot: Snapshot, note: RowNote | null): boolean {
    const isOpen = snapshot.state === 'running' || snapshot.state === 'interrupted';
    const needsFile = isWaitingForFile(snapshot) || (isOpen && note !== null);
    return needsFile && this.signedIn.uploads.canChooseFile(snapshot);
  }

  #chooseAgain(snapshot: Snapshot): RowNote {
    return { status: chooseAgainText(snapshot, operationsTextOf(this.app.preferences)) };
  }

  #actions({ may }: OperationEntry, canChooseFile: boolean): Record<string, boolean> {
    const own = (this.offers?.verbs ?? []).map((verb) => [verb, true] as const);
    const { cancel = false, pause = false, resume = false, retry = false } = may ?? {};
    return { ...Object.fromEntries(own), cancel, pause, resume, retry, choose: canChooseFile };
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
