import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { AppContext } from './app-context.ts';
import { ConsoleElement } from './console-element.ts';
import type { Emitter } from './emitter.ts';
import { PagedList } from './paged-list.ts';
import type { ListPart } from './paged-list.ts';
import { problemBox } from './problem.ts';

export interface ListPageFrame<Item> {
  title: string;
  lead: string;
  /** Button beside the title. */
  action?: unknown;
  /** Between the title and the list. */
  filters?: unknown;
  /** Replaces a table without rows. @default the table */
  empty?: unknown;
  table: (items: readonly Item[]) => unknown;
  /** Below the list. */
  foot?: unknown;
}

/** A page whose content is one list that is loaded when the page opens. */
export abstract class ListPage<
  Item,
  Context extends AppContext = AppContext,
> extends ConsoleElement<Context> {
  protected readonly list: PagedList<Item> = new PagedList((cursor) => this.fetchPart(cursor));

  /** @param cursor where the part begins; `undefined` for the first one */
  protected abstract fetchPart(cursor: string | undefined): Promise<ListPart<Item>>;

  protected override observed(): Emitter[] {
    return [...super.observed(), this.list.changed];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.list.load();
  }

  protected page(frame: ListPageFrame<Item>): TemplateResult {
    const { title, lead, action = nothing, filters = nothing, foot = nothing } = frame;
    return html`<div class="page-head">
        <div>
          <h1>${title}</h1>
          <p class="muted">${lead}</p>
        </div>
        ${action}
      </div>
      ${filters} ${problemBox(this.app, this.list.problem)} ${this.#content(frame)} ${foot}`;
  }

  #content({ empty, table }: ListPageFrame<Item>): unknown {
    const { items, isLoaded, problem } = this.list;
    if (!isLoaded) return problem === null ? html`<p class="muted">${this.text.shell.loading}</p>` : nothing;
    return items.length === 0 && empty !== undefined ? empty : table(items);
  }

  /** The button that loads the next part, or tries again after an error. */
  protected moreButton(label: string): TemplateResult | typeof nothing {
    const { hasMore, isBusy, problem } = this.list;
    if (!hasMore && problem === null) return nothing;
    return html`<p class="more">
      <button class="button" aria-disabled=${String(isBusy)} @click=${() => void this.list.more()}>
        ${problem === null ? label : this.text.shell.tryAgain}
      </button>
    </p>`;
  }
}
