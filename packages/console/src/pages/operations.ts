import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { ConsoleElement } from '../components/console-element.ts';
import { icon } from '../components/icons.ts';
import { isHeld } from '../components/held.ts';
import { liveRow } from '../components/live-row.ts';
import type { RowOffers } from '../components/live-row.ts';
import { problemBox } from '../components/problem.ts';
import type { Emitter } from '../state/emitter.ts';
import { activeOf, endedOf } from '../state/operation-groups.ts';
import type { OperationEntry } from '../state/operations.ts';
import { steadyOrder } from '../state/steady-order.ts';
import { clockTime } from '../text/format.ts';

/** Everything that runs, then everything that has ended, newest first. */
export class OperationsPage extends ConsoleElement {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    busy: { state: true },
  };
  declare busy: boolean;
  #active: string[] = [];
  #ended: string[] = [];
  readonly #offers: RowOffers = {
    verbs: ['open'],
    run: (_, id) => {
      const result = this.desk.operations.get(id)?.snapshot.result;
      if (result) this.app.router.goToImage(result.id);
    },
  };

  constructor() {
    super();
    this.busy = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.desk.operations.isLoaded) void this.#more();
  }

  protected override follows(): Emitter[] {
    return [...super.follows(), this.desk.operations.changed, this.desk.link.changed];
  }

  protected override render(): TemplateResult {
    const { operations: text } = this.text;
    const { operations } = this.desk;
    const { active, ended } = this.#arrange();
    const isEmpty = operations.isLoaded && active.length + ended.length === 0;
    return html`<div class="page-head"><h1>${text.title}</h1></div>
      ${problemBox(this.app, operations.problem)} ${isEmpty ? this.#empty() : nothing}
      ${isEmpty ? nothing : this.#group(text.active, active, text.noneActive)}
      ${ended.length === 0 ? nothing : this.#group(text.ended, ended, '')}
      ${
        operations.hasMore
          ? html`<p class="more">
              <button class="button" ?disabled=${this.busy} @click=${() => void this.#more()}>
                ${text.more}
              </button>
            </p>`
          : nothing
      }`;
  }

  /** Both groups, steady while somebody points at one of them or works in it with the keyboard. */
  #arrange(): { active: OperationEntry[]; ended: OperationEntry[] } {
    const { operations } = this.desk;
    const held = [...this.querySelectorAll('.rows')].some((list) => isHeld(list));
    const idsOf = (entries: OperationEntry[]): string[] => entries.map((entry) => entry.snapshot.id);
    const isThere = (id: string): boolean => operations.get(id) !== undefined;
    const active = steadyOrder(this.#active, idsOf(activeOf(operations.all)), { isHeld: held, isThere });
    const isElsewhere = new Set(active);
    const wanted = idsOf(endedOf(operations.all)).filter((id) => !isElsewhere.has(id));
    const ended = steadyOrder(this.#ended, wanted, { isHeld: held, isThere });
    this.#active = active;
    this.#ended = ended;
    const entriesOf = (ids: string[]): OperationEntry[] =>
      ids.map((id) => operations.get(id)).filter((entry) => entry !== undefined);
    return { active: entriesOf(active), ended: entriesOf(ended) };
  }

  readonly #settle = (): void => this.requestUpdate();

  #group(title: string, entries: OperationEntry[], none: string): TemplateResult {
    return html`<section class="group" aria-label=${title}>
      <h2>${title}${entries.length === 0 ? nothing : html`<span class="badge">${entries.length}</span>`}</h2>
      <div class="card">
        ${entries.length === 0 ? html`<p class="nothing">${none}</p>` : nothing}
        <ul class="rows" @pointerleave=${this.#settle} @focusout=${this.#settle}>
          ${repeat(
            entries,
            (entry) => entry.snapshot.id,
            (entry) => this.#row(entry),
          )}
        </ul>
      </div>
    </section>`;
  }

  #row({ snapshot }: OperationEntry): TemplateResult {
    const at = snapshot.endedAt ?? snapshot.createdAt;
    return html`<li data-operation=${snapshot.id}>
      ${liveRow(this.app, snapshot.id, { offers: this.#offers })}
      <time class="when" datetime=${at}>${clockTime(at, this.app.preferences.locale)}</time>
    </li>`;
  }

  #empty(): TemplateResult {
    const { operations: text } = this.text;
    return html`<section class="card empty">
      ${icon('copy')}
      <h2>${text.emptyTitle}</h2>
      <p>${text.emptyLead}</p>
    </section>`;
  }

  async #more(): Promise<void> {
    this.busy = true;
    await this.desk.operations.loadMore();
    this.busy = false;
  }
}
