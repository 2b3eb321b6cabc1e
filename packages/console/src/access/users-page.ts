import type { User } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import { dataTable } from '../ui/data-table.ts';
import { icon } from '../ui/icons.ts';
import { problemBox } from '../ui/problem.ts';
import type { Emitter } from '../ui/emitter.ts';
import { PagedList } from '../ui/paged-list.ts';
import { accessTextOf } from './text/catalogue.ts';
import { clockTime } from '../text/format.ts';

/** Who may sign in, and as what. For administrators. */
export class UsersPage extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    edited: { state: true },
  };
  /** Who is changed; `new`: somebody is added; `null`: no dialog is open. */
  declare edited: User | 'new' | null;
  #users: PagedList<User> | null = null;

  constructor() {
    super();
    this.edited = null;
  }

  get #list(): PagedList<User> {
    this.#users ??= new PagedList(() => this.app.api.users());
    return this.#users;
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.#list.changed];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#list.load();
  }

  protected override render(): TemplateResult {
    const { users: text } = accessTextOf(this.app.preferences);
    const { items, problem, isLoaded } = this.#list;
    return html`<div class="page-head">
        <div>
          <h1>${text.title}</h1>
          <p class="muted">${text.lead}</p>
        </div>
        <button class="button primary" ?disabled=${!isLoaded} @click=${() => (this.edited = 'new')}>
          ${icon('plus')}${text.add}
        </button>
      </div>
      ${problemBox(this.app, problem)}
      ${
        isLoaded
          ? this.#table(items)
          : problem === null
            ? html`<p class="muted">${this.text.shell.loading}</p>`
            : nothing
      }
      ${this.#dialog()}`;
  }

  #table(users: readonly User[]): TemplateResult {
    const { users: text } = accessTextOf(this.app.preferences);
    const { shell } = this.text;
    const own = this.app.session.current?.user.id;
    return dataTable({
      label: text.title,
      rows: users,
      keyOf: ({ id }) => id,
      columns: [
        {
          label: text.name,
          kind: 'main',
          cell: ({ id, name }) =>
            html`<bdi translate="no">${name}</bdi
              >${id === own ? html` <span class="id">${text.you}</span>` : nothing}`,
        },
        { label: text.role, cell: ({ role }) => shell.roles[role] },
        {
          label: text.state,
          cell: ({ disabled }) =>
            html`<span class=${disabled ? 'state missing' : 'state'}
              ><span class="dot"></span>${disabled ? text.disabled : text.active}</span
            >`,
        },
        { label: text.since, cell: ({ createdAt }) => clockTime(createdAt, this.app.preferences.locale) },
        {
          label: this.text.shell.actions,
          kind: 'act',
          cell: (user) =>
            html`<button
              class="button small"
              aria-label=${text.changeNamed(user.name)}
              @click=${() => (this.edited = user)}
            >
              ${text.change}
            </button>`,
        },
      ],
    });
  }

  #dialog(): TemplateResult | typeof nothing {
    if (this.edited === null) return nothing;
    return html`<wcc-user-dialog
      .app=${this.app}
      .user=${this.edited === 'new' ? null : this.edited}
      .onSaved=${() => void this.#list.load()}
      .onClosed=${() => (this.edited = null)}
    ></wcc-user-dialog>`;
  }
}
