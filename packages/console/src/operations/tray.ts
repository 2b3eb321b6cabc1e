import { actionName } from '../text/operation-names.ts';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { App } from '../app/app.ts';
import { operationPageOf } from '../app/router.ts';
import { count } from '../text/format.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { icon } from '../ui/icons.ts';
import { isHoveredOrFocused } from '../ui/is-hovered-or-focused.ts';
import { stableOrder } from '../ui/stable-order.ts';
import { liveRow } from './live-row.ts';
import type { RowOffers } from './live-row.ts';
import type { OperationEntry } from './operation-entry.ts';
import { operationsTextOf } from './text/catalogue.ts';
import { countsOf } from './tray-state.ts';
import type { Tray, TrayCounts } from './tray-state.ts';

/** More rows are grouped by action. */
const maxRows = 20;

/**
 * The user's operations at the bottom of every page, as a bubble, a line or a list. Only the list listens to single
 * operations.
 */
export class TrayPanel extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    opened: { state: true },
  };
  /** Actions whose group is open. */
  declare opened: ReadonlySet<string>;
  #shown: string[] = [];
  readonly #offers: RowOffers = {
    verbs: ['open', 'details', 'dismiss'],
    hasLink: true,
    run: (verb, id) => {
      if (verb === 'dismiss') return this.#dismiss(id);
      const result = this.signedIn.operations.get(id)?.snapshot.result;
      if (verb === 'open' && result && this.app.router.goToResult(result)) return undefined;
      return this.app.router.go(operationPageOf(id));
    },
  };

  constructor() {
    super();
    this.opened = new Set();
  }

  get #tray(): Tray {
    return this.signedIn.tray;
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.#tray.changed];
  }

  protected override render(): TemplateResult | typeof nothing {
    const { mode, counts } = this.#tray;
    const rows = mode === 'list' ? this.#arrange() : [];
    const summary = this.#summary(counts);
    if (summary === '' && rows.length === 0) return nothing;
    return html`<aside class="tray ${mode}" aria-label=${operationsTextOf(this.app.preferences).tray.title}>
      <div class="tray-head">
        ${mode === 'bubble' ? this.#bubble(counts, summary) : this.#line(mode === 'list', counts, summary)}
      </div>
      ${mode === 'list' ? this.#list(rows) : nothing}
    </aside>`;
  }

  /** For example `3 running · 2 waiting · 1 failed`; empty without operations. */
  #summary(counts: TrayCounts): string {
    const { tray } = operationsTextOf(this.app.preferences);
    const kinds = ['running', 'waiting', 'failed', 'done'] as const;
    return kinds
      .filter((kind) => counts[kind] > 0)
      .map((kind) => tray.counts[kind](count(counts[kind], this.app.preferences.locale)))
      .join(' · ');
  }

  #bubble(counts: TrayCounts, summary: string): TemplateResult {
    const { locale } = this.app.preferences;
    const all = counts.running + counts.waiting + counts.failed + counts.done;
    return html`<button
      class="tray-bubble"
      aria-label="${operationsTextOf(this.app.preferences).tray.title}: ${summary}. ${operationsTextOf(this.app.preferences).tray.open}"
      aria-expanded="false"
      title=${summary}
      @click=${() => this.#show('list')}
    >
      ${this.#sign(counts)}<span>${count(all, locale)}</span>
    </button>`;
  }

  #line(isOpen: boolean, counts: TrayCounts, summary: string): TemplateResult {
    const { tray } = operationsTextOf(this.app.preferences);
    return html`<button
        class="tray-line"
        aria-expanded=${String(isOpen)}
        title=${isOpen ? tray.fold : tray.open}
        @click=${() => this.#show(isOpen ? 'line' : 'list')}
      >
        ${this.#sign(counts)}<span>${summary === '' ? tray.title : summary}</span>
        ${icon('chevron', isOpen ? '' : 'up')}
      </button>
      <button
        class="button quiet small tray-shrink"
        aria-label=${tray.shrink}
        title=${tray.shrink}
        @click=${() => this.#show('bubble')}
      >
        ${icon('minimise')}
      </button>`;
  }

  /** A dot in the colour of the most important state. The text beside it says the same. */
  #sign({ running, failed }: TrayCounts): TemplateResult {
    const look = failed > 0 ? 'failed' : running > 0 ? 'running' : 'quiet';
    return html`<span class="sign ${look}" aria-hidden="true"></span>`;
  }

  #show(mode: Tray['mode']): void {
    const hadFocus = this.contains((this.getRootNode() as ShadowRoot).activeElement);
    this.#tray.setMode(mode);
    // The pressed button was replaced by another one.
    if (hadFocus) void this.updateComplete.then(() => this.querySelector<HTMLElement>('button')?.focus());
  }

  /** The rows, in a stable order while the list is hovered or focused. Dismissed rows leave anyway. */
  #arrange(): OperationEntry[] {
    const { operations } = this.signedIn;
    this.#shown = stableOrder(
      this.#shown,
      this.#tray.entries.map(({ snapshot }) => snapshot.id),
      {
        isHoveredOrFocused: isHoveredOrFocused(this.querySelector('.tray-rows')),
        exists: (id) => operations.get(id) !== undefined && !this.#tray.isDismissed(id),
      },
    );
    return operations.getMany(this.#shown);
  }

  #list(entries: OperationEntry[]): TemplateResult {
    const isMany = entries.length > maxRows;
    return html`<div class="tray-rows" @pointerleave=${this.#onRelease} @focusout=${this.#onRelease}>
      ${isMany ? this.#groups(entries) : this.#rows(entries)}
    </div>`;
  }

  readonly #onRelease = (): void => this.requestUpdate();

  #rows(entries: OperationEntry[]): TemplateResult {
    return html`<ul>
      ${repeat(
        entries,
        ({ snapshot }) => snapshot.id,
        ({ snapshot }) =>
          html`<li data-operation=${snapshot.id}>
            ${liveRow(this.app, snapshot.id, { offers: this.#offers })}
          </li>`,
      )}
    </ul>`;
  }

  /** Rows of a closed group are not rendered. */
  #groups(entries: OperationEntry[]): TemplateResult {
    const kinds = [...new Set(entries.map(({ snapshot }) => snapshot.action))];
    return html`${repeat(
      kinds,
      (kind) => kind,
      (kind) => {
        const own = entries.filter(({ snapshot }) => snapshot.action === kind);
        const isOpen = this.opened.has(kind);
        const name = actionName(kind, this.app.preferences.locale);
        return html`<button
            class="tray-group"
            aria-expanded=${String(isOpen)}
            @click=${() => this.#toggle(kind)}
          >
            ${icon('chevron', isOpen ? '' : 'aside')}
            <span
              >${operationsTextOf(this.app.preferences).tray.group(name, this.#summary(countsOf(own)))}</span
            >
          </button>
          ${isOpen ? this.#rows(own) : nothing}`;
      },
    )}`;
  }

  #toggle(kind: string): void {
    const opened = new Set(this.opened);
    if (!opened.delete(kind)) opened.add(kind);
    this.opened = opened;
  }

  /** Moves the focus to the next row, else to the previous row, else to the tray. */
  #dismiss(id: string): void {
    const items = [...this.querySelectorAll<HTMLElement>('li[data-operation]')];
    const index = items.findIndex((item) => item.dataset['operation'] === id);
    const item = items[index];
    const hadFocus = item?.contains((this.getRootNode() as ShadowRoot).activeElement) === true;
    const next = items[index + 1] ?? items[index - 1];
    this.#tray.dismiss(id);
    if (!hadFocus) return;
    void this.updateComplete.then(() => {
      const row = next?.querySelector<HTMLElement>('wcc-progress');
      if (row?.isConnected === true) row.focus();
      else this.querySelector<HTMLElement>('button')?.focus();
    });
  }
}
