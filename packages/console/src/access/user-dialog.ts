import { findPasswordProblem } from '@wcc/api';
import type { Role, User } from '@wcc/api';
import type { ApiProblem } from '@wcc/api/client';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { generatePassword, isUserName } from '../app/credentials.ts';
import { pagePaths } from '../app/router.ts';
import { FormDialog } from '../ui/form-dialog.ts';
import { valueOf } from '../ui/form-value.ts';
import { segmentField } from '../ui/segments.ts';
import { accessTextOf } from './text/catalogue.ts';
import type { AccessText } from './text/text.ts';

const roles: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Adds or changes a user. A generated password is shown once after saving. */
export class UserDialog extends FormDialog<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormDialog.properties,
    user: { attribute: false },
    onSaved: { attribute: false },
    role: { state: true },
    handOver: { state: true },
  };
  /** The user to change; `null` for a new one. */
  declare user: User | null;
  declare onSaved: () => void;
  declare role: Role;
  /** Name and generated password of the user who was just saved. */
  declare handOver: { name: string; password: string } | null;
  protected readonly idPrefix = 'user';
  #generated = '';

  constructor() {
    super();
    this.role = 'viewer';
    this.handOver = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.role = this.user?.role ?? 'viewer';
  }

  protected override messageFor(error: ApiProblem): string {
    return error.code === 'exists' ? this.#text.taken : super.messageFor(error);
  }

  get #text(): AccessText['users'] {
    return accessTextOf(this.app.preferences).users;
  }

  get #isOwn(): boolean {
    return this.user?.id === this.app.session.current?.user.id;
  }

  protected override render(): TemplateResult {
    const { user } = this;
    const text = this.#text;
    if (this.handOver !== null) return this.#handOverFrame(this.handOver);
    return this.frame({
      title: user === null ? text.add : text.change,
      ...(user === null ? {} : { lead: html`<bdi translate="no">${user.name}</bdi>` }),
      body: html`${user === null ? this.input('name', { label: text.name, hint: text.nameHint }) : nothing}
      ${this.#roleField()} ${this.#isOwn ? this.#ownPassword() : this.#passwordField()}
      ${user === null ? nothing : this.#disabledField(user)}`,
      note: user === null ? '' : this.#isOwn ? text.endsOwnSession : text.endsSessions,
      buttons: this.buttons(this.busy ? text.busy : user === null ? text.create : text.save),
      submit: (form) => void this.#save(form),
    });
  }

  #handOverFrame({ name, password }: { name: string; password: string }): TemplateResult {
    const text = this.#text;
    return this.frame({
      title: this.user === null ? text.created(name) : text.changed(name),
      body: html`<p>${text.handOver(name)}</p>
        <wcc-secret-box .app=${this.app} .label=${text.password} .secret=${password}></wcc-secret-box>`,
      buttons: html`<button class="button primary">${this.text.shell.close}</button>`,
      submit: () => this.close(),
    });
  }

  #roleField(): TemplateResult {
    const text = this.#text;
    return segmentField({
      name: 'user-role',
      label: text.role,
      value: this.role,
      choices: roles.map((role) => ({ value: role, label: this.text.shell.roles[role] })),
      change: (role) => (this.role = role),
      note: text.roleHints[this.role],
    });
  }

  #passwordField(): TemplateResult {
    const text = this.#text;
    return html`<div class="generating">
      ${this.input('password', {
        label: this.user === null ? text.password : text.newPassword,
        hint: this.user === null ? text.passwordHint : text.keepPassword,
        type: 'password',
        autocomplete: 'new-password',
      })}
      <button type="button" class="button" @click=${() => this.#generate()}>${text.generate}</button>
    </div>`;
  }

  #ownPassword(): TemplateResult {
    return html`<p class="muted">
      <a href=${pagePaths.settings} @click=${this.app.router.onLink}>${this.#text.ownPassword}</a>
    </p>`;
  }

  #disabledField({ disabled }: User): TemplateResult {
    const text = this.#text;
    return html`<label class="check">
      <input type="checkbox" name="disabled" .checked=${disabled} />${text.mayNotSignIn}
      <span class="note">${text.mayNotSignInHint}</span>
    </label>`;
  }

  #generate(): void {
    const input = this.inputOf('password');
    if (input === null) return;
    this.#generated = generatePassword();
    input.type = 'text';
    input.value = this.#generated;
    input.focus();
    input.select();
  }

  async #save(form: HTMLFormElement): Promise<void> {
    const text = this.#text;
    const name = this.user?.name ?? valueOf(form, 'name').trim();
    const password = valueOf(form, 'password');
    if (!isUserName(name)) return this.showFieldError({ field: 'name', message: text.badName });
    const isKept = this.user !== null && password === '';
    const problem = isKept ? null : findPasswordProblem(password, name);
    if (problem !== null)
      return this.showFieldError({ field: 'password', message: this.app.text.passwordProblems[problem] });
    const { role, user } = this;
    const disabled = new FormData(form).has('disabled');
    const isSaved = await this.send(async () => {
      if (user === null) await this.app.api.createUser({ name, role, password });
      else await this.#change(user, { role, disabled, ...(isKept ? {} : { password }) });
    });
    if (!isSaved) return;
    this.app.announcer.say(user === null ? text.created(name) : text.changed(name));
    this.onSaved();
    if (password !== '' && password === this.#generated) this.handOver = { name, password };
    else this.close();
  }

  /** Sends only changed fields: each change is recorded and ends the user's sessions. */
  async #change(user: User, next: { role: Role; disabled: boolean; password?: string }): Promise<void> {
    const changes = {
      ...(next.role === user.role ? {} : { role: next.role }),
      ...(next.disabled === user.disabled ? {} : { disabled: next.disabled }),
      ...(next.password === undefined ? {} : { password: next.password }),
    };
    if (Object.keys(changes).length > 0) await this.app.api.changeUser(user.id, changes);
  }
}
