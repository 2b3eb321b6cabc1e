import type { Token } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import type { Question } from '../ui/confirm-dialog.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import { dataTable } from '../ui/data-table.ts';
import type { Column } from '../ui/data-table.ts';
import { icon } from '../ui/icons.ts';
import { problemBox } from '../ui/problem.ts';
import type { Emitter } from '../ui/emitter.ts';
import { PagedList } from '../ui/paged-list.ts';
import { accessTextOf } from './text/catalogue.ts';
import type { AccessText } from './text/text.ts';
import { clockTime } from '../text/format.ts';

/** Tokens for programs: one's own, and for administrators everybody's. */
export class TokensPage extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    isAll: { state: true },
    isMaking: { state: true },
    question: { state: true },
  };
  declare isAll: boolean;
  declare isMaking: boolean;
  declare question: Question | null;
  #tokens: PagedList<Token> | null = null;

  constructor() {
    super();
    this.isAll = false;
    this.isMaking = false;
    this.question = null;
  }

  get #text(): AccessText['tokens'] {
    return accessTextOf(this.app.preferences).tokens;
  }

  get #list(): PagedList<Token> {
    this.#tokens ??= new PagedList(() => this.app.api.tokens({ owner: this.isAll ? 'all' : 'me' }));
    return this.#tokens;
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
    const { items, problem, isLoaded } = this.#list;
    return html`<div class="page-head">
        <div>
          <h1>${text.title}</h1>
          <p class="muted">${text.lead}</p>
        </div>
        <button class="button primary" ?disabled=${!isLoaded} @click=${() => (this.isMaking = true)}>
          ${icon('plus')}${text.add}
        </button>
      </div>
      ${this.#whose()} ${problemBox(this.app, problem)}
      ${
        !isLoaded
          ? problem === null
            ? html`<p class="muted">${this.text.shell.loading}</p>`
            : nothing
          : items.length === 0
            ? this.#empty()
            : this.#table(items)
      }
      ${this.#dialogs()}`;
  }

  #whose(): TemplateResult | typeof nothing {
    if (this.app.session.current?.user.role !== 'admin') return nothing;
    const text = this.#text;
    const choice = (isAll: boolean, label: string): TemplateResult =>
      html`<label
        ><input
          type="radio"
          name="whose"
          .checked=${this.isAll === isAll}
          @change=${() => this.#show(isAll)}
        />${label}</label
      >`;
    return html`<fieldset class="whose">
      <legend class="visually-hidden">${text.whose}</legend>
      <div class="segments">${choice(false, text.mine)}${choice(true, text.everybodys)}</div>
    </fieldset>`;
  }

  #show(isAll: boolean): void {
    this.isAll = isAll;
    void this.#list.load();
  }

  #empty(): TemplateResult {
    const text = this.#text;
    return html`<section class="card empty">
      ${icon('disk')}
      <h2>${text.none}</h2>
      <p>${text.noneLead}</p>
    </section>`;
  }

  #table(tokens: readonly Token[]): TemplateResult {
    const text = this.#text;
    const time = (iso: string): string => clockTime(iso, this.app.preferences.locale);
    const owner: Column<Token>[] = this.isAll
      ? [{ label: text.owner, cell: ({ userName }) => html`<bdi translate="no">${userName}</bdi>` }]
      : [];
    return dataTable<Token>({
      label: text.title,
      rows: tokens,
      keyOf: ({ id }) => id,
      columns: [
        { label: text.name, kind: 'main', cell: ({ name }) => html`<bdi translate="no">${name}</bdi>` },
        ...owner,
        { label: text.scope, cell: ({ scope }) => text.scopes[scope] },
        { label: text.created, cell: ({ createdAt }) => time(createdAt) },
        {
          label: text.expires,
          cell: ({ expiresAt }) => (Date.parse(expiresAt) <= Date.now() ? text.expired : time(expiresAt)),
        },
        {
          label: text.lastUsed,
          cell: ({ lastUsedAt }) => (lastUsedAt === null ? text.never : time(lastUsedAt)),
        },
        {
          label: this.text.shell.actions,
          kind: 'act',
          cell: (token) =>
            html`<button
              class="button small"
              aria-label=${text.revokeNamed(token.name)}
              @click=${() => this.#ask(token)}
            >
              ${accessTextOf(this.app.preferences).revoke}
            </button>`,
        },
      ],
    });
  }

  #ask({ id, name }: Token): void {
    const text = this.#text;
    this.question = {
      title: text.revokeTitle,
      words: text.revokeWords(name),
      verb: accessTextOf(this.app.preferences).revoke,
      run: async () => {
        await this.app.api.revokeToken(id);
        this.app.announcer.say(text.revoked(name));
        await this.#list.load();
      },
    };
  }

  #dialogs(): TemplateResult {
    const make = html`<wcc-token-dialog
      .app=${this.app}
      .onSaved=${() => void this.#list.load()}
      .onClosed=${() => (this.isMaking = false)}
    ></wcc-token-dialog>`;
    const confirm = html`<wcc-confirm-dialog
      .app=${this.app}
      .question=${this.question}
      .onClosed=${() => (this.question = null)}
    ></wcc-confirm-dialog>`;
    return html`${this.isMaking ? make : nothing} ${this.question === null ? nothing : confirm}`;
  }
}
