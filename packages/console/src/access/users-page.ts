import type { User } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { clockTime } from '../text/format.ts';
import { dataTable } from '../ui/data-table.ts';
import { icon } from '../ui/icons.ts';
import { ListPage } from '../ui/list-page.ts';
import { accessTextOf } from './text/catalogue.ts';

/** The users and their roles, for administrators. */
export class UsersPage extends ListPage<User, App> {
  static override readonly properties: PropertyDeclarations = {
    ...ListPage.properties,
    edited: { state: true },
  };
  /** The user whose dialog is open; `new` to add one; `null` when no dialog is open. */
  declare edited: User | 'new' | null;

  constructor() {
    super();
    this.edited = null;
  }

  protected override fetchPart(): ReturnType<typeof this.app.api.users> {
    return this.app.api.users();
  }

  protected override render(): TemplateResult {
    const { users: text } = accessTextOf(this.app.preferences);
    return this.page({
      title: text.title,
      lead: text.lead,
      action: html`<button
        class="button primary"
        ?disabled=${!this.list.isLoaded}
        @click=${() => (this.edited = 'new')}
      >
        ${icon('plus')}${text.add}
      </button>`,
      table: (users) => this.#table(users),
      foot: this.#dialog(),
    });
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
        { label: text.since, cell: ({ createdAt }) => clockTime(createdAt, this.app.times) },
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
      .onSaved=${() => void this.list.load()}
      .onClosed=${() => (this.edited = null)}
    ></wcc-user-dialog>`;
  }
}
