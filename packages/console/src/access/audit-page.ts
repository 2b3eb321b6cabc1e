import type { AuditList } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { operationPageOf } from '../app/router.ts';
import { clockTime } from '../text/format.ts';
import { dataTable } from '../ui/data-table.ts';
import { inputValue } from '../ui/form-value.ts';
import { ListPage } from '../ui/list-page.ts';
import { accessTextOf } from './text/catalogue.ts';
import { auditAreas } from './text/text.ts';
import type { AccessText } from './text/text.ts';

type Entry = AuditList['items'][number];

const operationSubject = /^operation:([a-z2-7]{26})$/;

/** The audit log, for administrators. */
export class AuditPage extends ListPage<Entry, App> {
  static override readonly properties: PropertyDeclarations = {
    ...ListPage.properties,
    what: { state: true },
    who: { state: true },
  };
  declare what: string;
  declare who: string;

  constructor() {
    super();
    this.what = '';
    this.who = '';
  }

  get #text(): AccessText['audit'] {
    return accessTextOf(this.app.preferences).audit;
  }

  protected override fetchPart(cursor: string | undefined): Promise<AuditList> {
    const { what, who } = this;
    return this.app.api.audit({
      ...(what === '' ? {} : { what }),
      ...(who === '' ? {} : { who }),
      ...(cursor === undefined ? {} : { cursor }),
    });
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    return this.page({
      title: text.title,
      lead: text.lead,
      filters: this.#filters(),
      empty: html`<p class="muted">${text.none}</p>`,
      table: (entries) => this.#table(entries),
      foot: this.moreButton(text.more),
    });
  }

  #filters(): TemplateResult {
    const text = this.#text;
    return html`<form
      class="filters"
      role="search"
      aria-label=${text.filters}
      @submit=${(event: Event) => event.preventDefault()}
    >
      <label class="field"
        ><span class="label">${text.what}</span
        ><select class="select" @change=${(event: Event) => this.#show({ what: inputValue(event) })}>
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
          @change=${(event: Event) => this.#show({ who: inputValue(event).trim() })}
      /></label>
    </form>`;
  }

  #show(filter: { what?: string; who?: string }): void {
    this.what = filter.what ?? this.what;
    this.who = filter.who ?? this.who;
    void this.list.load();
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
            html`${text.events[what.split(' ', 1)[0] ?? ''] ?? nothing} <code class="muted">${what}</code>`,
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
          cell: ({ at }) => clockTime(at, { ...this.app.times, hasSeconds: true }),
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
