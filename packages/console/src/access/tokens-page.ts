import type { Token } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { clockTime } from '../text/format.ts';
import type { Question } from '../ui/confirm-dialog.ts';
import { dataTable } from '../ui/data-table.ts';
import type { Column } from '../ui/data-table.ts';
import { icon } from '../ui/icons.ts';
import { ListPage } from '../ui/list-page.ts';
import { segmentField } from '../ui/segments.ts';
import { accessTextOf } from './text/catalogue.ts';
import type { AccessText } from './text/text.ts';

/** API tokens: the user's own; administrators also see those of all users. */
export class TokensPage extends ListPage<Token, App> {
  static override readonly properties: PropertyDeclarations = {
    ...ListPage.properties,
    isAll: { state: true },
    isCreating: { state: true },
    question: { state: true },
  };
  declare isAll: boolean;
  declare isCreating: boolean;
  declare question: Question | null;

  constructor() {
    super();
    this.isAll = false;
    this.isCreating = false;
    this.question = null;
  }

  get #text(): AccessText['tokens'] {
    return accessTextOf(this.app.preferences).tokens;
  }

  protected override fetchPart(): ReturnType<typeof this.app.api.tokens> {
    return this.app.api.tokens({ owner: this.isAll ? 'all' : 'me' });
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    return this.page({
      title: text.title,
      lead: text.lead,
      action: html`<button
        class="button primary"
        ?disabled=${!this.list.isLoaded}
        @click=${() => (this.isCreating = true)}
      >
        ${icon('plus')}${text.add}
      </button>`,
      filters: this.#ownerChoice(),
      empty: this.#empty(),
      table: (tokens) => this.#table(tokens),
      foot: this.#dialogs(),
    });
  }

  #ownerChoice(): TemplateResult | typeof nothing {
    if (this.app.session.current?.user.role !== 'admin') return nothing;
    const text = this.#text;
    const choice = segmentField({
      name: 'token-owner',
      label: text.whose,
      isLabelHidden: true,
      value: this.isAll ? 'all' : 'me',
      choices: [
        { value: 'me', label: text.mine },
        { value: 'all', label: text.anyone },
      ],
      change: (owner) => this.#show(owner === 'all'),
    });
    return html`<div class="token-owner">${choice}</div>`;
  }

  #show(isAll: boolean): void {
    this.isAll = isAll;
    void this.list.load();
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
    const time = (iso: string): string => clockTime(iso, this.app.times);
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
          cell: ({ expiresAt }) =>
            Date.parse(expiresAt) <= this.app.clock.now() ? text.expired : time(expiresAt),
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
      text: text.revokeWords(name),
      verb: accessTextOf(this.app.preferences).revoke,
      run: async () => {
        await this.app.api.revokeToken(id);
        this.app.announcer.say(text.revoked(name));
        await this.list.load();
      },
    };
  }

  #dialogs(): TemplateResult {
    const make = html`<wcc-token-dialog
      .app=${this.app}
      .onSaved=${() => void this.list.load()}
      .onClosed=${() => (this.isCreating = false)}
    ></wcc-token-dialog>`;
    const confirm = html`<wcc-confirm-dialog
      .app=${this.app}
      .question=${this.question}
      .onClosed=${() => (this.question = null)}
    ></wcc-confirm-dialog>`;
    return html`${this.isCreating ? make : nothing} ${this.question === null ? nothing : confirm}`;
  }
}
