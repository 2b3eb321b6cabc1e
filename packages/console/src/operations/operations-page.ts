import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { App } from '../app/app.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { icon } from '../ui/icons.ts';
import { isHoveredOrFocused } from '../ui/is-hovered-or-focused.ts';
import { problemBox } from '../ui/problem.ts';
import { stableOrder } from '../ui/stable-order.ts';
import { isFiltered, parseFilter } from './filter.ts';
import { operationFilters } from './filters.ts';
import { activeOf, endedOf } from './groups.ts';
import type { OperationEntry } from './operation-entry.ts';
import { OperationQueryState } from './query.ts';
import { dismissOffers, operationItem, resultOffers } from './rows.ts';
import { operationsTextOf } from './text/catalogue.ts';

/** Running operations, then ended ones, newest first, as filtered by the address. */
export class OperationsPage extends ConsoleElement<App> {
  #query: OperationQueryState | null = null;
  #active: string[] = [];
  #ended: string[] = [];
  /** The query that the shown rows belong to. A new query may reorder rows under the pointer. */
  #arrangedFor = '';

  get #look(): OperationQueryState {
    this.#query ??= new OperationQueryState({
      api: this.app.api,
      operations: this.signedIn.operations,
      userId: this.app.session.current?.user.id ?? '',
    });
    return this.#query;
  }

  protected override observed(): Emitter[] {
    const { operations, connection, images } = this.signedIn;
    const { router } = this.app;
    return [
      ...super.observed(),
      operations.changed,
      connection.changed,
      images.changed,
      router.changed,
      this.#look.changed,
    ];
  }

  protected override willUpdate(): void {
    if (this.app.router.page === 'operations') this.#look.setFilter(parseFilter(this.app.router.search));
  }

  protected override render(): TemplateResult {
    const { list: text } = operationsTextOf(this.app.preferences);
    const look = this.#look;
    const { active, ended } = this.#arrange();
    const isEmpty = active.length + ended.length === 0;
    const isNone = isEmpty && look.isLoaded;
    const isWaiting = isEmpty && !look.isLoaded && look.problem === null;
    return html`<div class="page-head"><h1>${text.title}</h1></div>
      ${operationFilters(this.app, look.filter)} ${problemBox(this.app, look.problem)}
      ${isWaiting ? html`<p class="muted">${this.text.shell.loading}</p>` : nothing}
      ${isNone ? this.#empty() : nothing}
      ${active.length > 0 || (!isEmpty && !isFiltered(look.filter)) ? this.#group(text.active, active) : nothing}
      ${ended.length === 0 ? nothing : this.#group(text.ended, ended)} ${this.#more()}`;
  }

  #more(): TemplateResult | typeof nothing {
    const look = this.#look;
    // After an error the same button tries again.
    const label =
      look.problem === null ? operationsTextOf(this.app.preferences).list.more : this.text.shell.tryAgain;
    if (!look.hasMore && look.problem === null) return nothing;
    return html`<p class="more">
      <button class="button" aria-disabled=${String(look.isBusy)} @click=${() => void look.more()}>
        ${label}
      </button>
    </p>`;
  }

  /** Both groups, in a stable order while one of them is hovered or focused. */
  #arrange(): { active: OperationEntry[]; ended: OperationEntry[] } {
    const { operations } = this.signedIn;
    const look = this.#look;
    const { search } = this.app.router;
    const isInUse =
      this.#arrangedFor === search &&
      [...this.querySelectorAll('.rows')].some((list) => isHoveredOrFocused(list));
    this.#arrangedFor = search;
    const shown = operations.all.filter((entry) => look.shows(entry));
    const idsOf = (entries: OperationEntry[]): string[] => entries.map((entry) => entry.snapshot.id);
    const exists = (id: string): boolean => operations.get(id) !== undefined;
    const active = stableOrder(this.#active, idsOf(activeOf(shown)), { isHoveredOrFocused: isInUse, exists });
    const isElsewhere = new Set(active);
    const wanted = idsOf(endedOf(shown)).filter((id) => !isElsewhere.has(id));
    const ended = stableOrder(this.#ended, wanted, { isHoveredOrFocused: isInUse, exists });
    this.#active = active;
    this.#ended = ended;
    return { active: operations.getMany(active), ended: operations.getMany(ended) };
  }

  readonly #onRelease = (): void => this.requestUpdate();

  #group(title: string, entries: OperationEntry[]): TemplateResult {
    const isEmpty = entries.length === 0;
    return html`<section class="group" aria-label=${title}>
      <h2>${title}${isEmpty ? nothing : html`<span class="badge">${entries.length}</span>`}</h2>
      <div class="card">
        ${isEmpty ? html`<p class="nothing">${operationsTextOf(this.app.preferences).list.noneActive}</p>` : nothing}
        <ul class="rows" @pointerleave=${this.#onRelease} @focusout=${this.#onRelease}>
          ${repeat(
            entries,
            (entry) => entry.snapshot.id,
            (entry) => this.#row(entry),
          )}
        </ul>
      </div>
    </section>`;
  }

  #row({ snapshot, isUnknown }: OperationEntry): TemplateResult {
    return operationItem(this.app, snapshot, isUnknown ? dismissOffers(this.app) : resultOffers(this.app));
  }

  #empty(): TemplateResult {
    const { list: text } = operationsTextOf(this.app.preferences);
    const isNarrowed = isFiltered(this.#look.filter);
    return html`<section class="card empty">
      ${icon('clock')}
      <h2>${isNarrowed ? text.filters.nothing : text.emptyTitle}</h2>
      <p>${isNarrowed ? text.filters.nothingLead : text.emptyLead}</p>
    </section>`;
  }
}
