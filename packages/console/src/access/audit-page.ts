import type { AuditList } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import { dataTable } from '../ui/data-table.ts';
import { problemBox } from '../ui/problem.ts';
import type { Emitter } from '../ui/emitter.ts';
import { PagedList } from '../ui/paged-list.ts';
import { operationPageOf } from '../app/router.ts';
import { accessTextOf } from './text/catalogue.ts';
import { auditAreas } from './text/text.ts';
import type { AccessText } from './text/text.ts';
import { clockTime } from '../text/format.ts';

type Entry = AuditList['items'][number];

const operationSubject = /^operation:([a-z2-7]{26})$/;

/** Who did what. For administrators. */
export class AuditPage extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    what: { state: true },
    who: { state: true },
  };
  declare what: string;
  declare who: string;
  #entries: PagedList<Entry> | null = null;

  constructor() {
    super();
    this.what = '';
    this.who = '';
  }

  get #text(): AccessText['audit'] {
    return accessTextOf(this.app.preferences).audit;
  }

  get #list(): PagedList<Entry> {
    this.#entries ??= new PagedList((cursor) => {
      const { what, who } = this;
      return this.app.api.audit({
        ...(what === '' ? {} : { what }),
        ...(who === '' ? {} : { who }),
        ...(cursor === undefined ? {} : { cursor }),
      });
    });
    return this.#entries;
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.#list.changed];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#list.load();
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    const { items, problem, isLoaded, hasMore, isBusy } = this.#list;
    const more = html`<p class="more">
      <button class="button" aria-disabled=${String(isBusy)} @click=${() => void this.#list.more()}>
        ${problem === null ? text.more : accessTextOf(this.app.preferences).tryAgain}
      </button>
    </p>`;
    const nothingFits = html`<p class="muted">${text.none}</p>`;
    const waiting = problem === null ? html`<p class="muted">${this.text.shell.loading}</p>` : nothing;
    return html`<div class="page-head">
        <div>
          <h1>${text.title}</h1>
          <p class="muted">${text.lead}</p>
        </div>
      </div>
      ${this.#filters()} ${problemBox(this.app, problem)}
      ${isLoaded ? (items.length === 0 ? nothingFits : this.#table(items)) : waiting}
      ${hasMore || problem !== null ? more : nothing}`;
  }

  #filters(): TemplateResult {
    const text = this.#text;
    const valueOf = (event: Event): string => (event.target as HTMLInputElement | HTMLSelectElement).value;
    return html`<form
      class="filters"
      role="search"
      aria-label=${text.filters}
      @submit=${(event: Event) => event.preventDefault()}
    >
      <label class="field"
        ><span class="label">${text.what}</span
        ><select class="select" @change=${(event: Event) => this.#show({ what: valueOf(event) })}>
          <option value="">${text.any}</option>
          ${auditAreas.map((area) => html`<option value=${area}>${text.areas[area]}</option>`)}
        </select></label
      >
      <label class="field"
        ><span class="label">${text.who}</span
        ><input
          type="text"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          @change=${(event: Event) => this.#show({ who: valueOf(event).trim() })}
      /></label>
    </form>`;
  }

  #show(wish: { what?: string; who?: string }): void {
    this.what = wish.what ?? this.what;
    this.who = wish.who ?? this.who;
    void this.#list.load();
  }

  #table(entries: readonly Entry[]): TemplateResult {
    const text = this.#text;
    return dataTable<Entry>({
      label: text.title,
      rows: entries,
      keyOf: ({ number }) => number,
      columns: [
        {
          label: text.what,
          kind: 'main',
          cell: ({ what }) =>
            html`${text.deeds[what.split(' ', 1)[0] ?? ''] ?? nothing} <code class="muted">${what}</code>`,
        },
        { label: text.who, cell: ({ who }) => html`<bdi translate="no">${who}</bdi>` },
        { label: text.subject, cell: ({ subject }) => (subject === null ? '' : this.#subject(subject)) },
        {
          label: text.result,
          cell: ({ result }) => (result === 'ok' ? text.done : html`<code class="bad">${result}</code>`),
        },
        { label: text.from, cell: ({ address }) => address },
        {
          label: text.when,
          cell: ({ at }) => clockTime(at, this.app.preferences.locale, { hasSeconds: true }),
        },
      ],
    });
  }

  #subject(subject: string): TemplateResult {
    const [, operation] = operationSubject.exec(subject) ?? [];
    if (operation === undefined) return html`<bdi class="subject" translate="no">${subject}</bdi>`;
    return html`<a href=${operationPageOf(operation)} @click=${this.app.router.onLink}
        >${this.#text.operation}</a
      >
      <span class="id">${operation.slice(0, 6)}…</span>`;
  }
}
