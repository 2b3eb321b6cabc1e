import { findPasswordProblem } from '@wcc/api';
import type { ApiProblem } from '@wcc/api/client';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { FormElement } from '../ui/form-element.ts';
import { valueOf } from '../ui/form-value.ts';
import { accessTextOf } from './text/catalogue.ts';
import type { AccessText } from './text/text.ts';

/** Changes the user's own password and ends the user's other sessions. */
export class PasswordForm extends FormElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormElement.properties,
    isDone: { state: true },
  };
  declare isDone: boolean;
  protected readonly idPrefix = 'own-password';

  constructor() {
    super();
    this.isDone = false;
  }

  get #text(): AccessText['settings'] {
    return accessTextOf(this.app.preferences).settings;
  }

  protected override messageFor(error: ApiProblem): string {
    return error.field === 'current' ? this.#text.wrongCurrent : super.messageFor(error);
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    const { users } = accessTextOf(this.app.preferences);
    return html`<form @submit=${(event: SubmitEvent) => void this.#submit(event)} novalidate>
      ${this.problemBox()}
      <input
        class="visually-hidden"
        type="text"
        name="username"
        autocomplete="username"
        tabindex="-1"
        aria-hidden="true"
        .value=${this.app.session.current?.user.name ?? ''}
        readonly
      />
      ${this.input('current', {
        label: text.current,
        type: 'password',
        autocomplete: 'current-password',
      })}
      ${this.input('next', {
        label: text.next,
        hint: users.passwordHint,
        type: 'password',
        autocomplete: 'new-password',
      })}
      <div>
        <button class="button primary" aria-disabled=${String(this.busy)}>
          ${this.busy ? text.busy : text.change}
        </button>
      </div>
      ${this.isDone ? html`<p class="note good">${text.changed}</p>` : nothing}
    </form>`;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const form = event.target;
    const text = this.#text;
    const current = valueOf(form, 'current');
    const next = valueOf(form, 'next');
    this.isDone = false;
    if (current === '') return this.showFieldError({ field: 'current', message: text.missing });
    const problem = findPasswordProblem(next, this.app.session.current?.user.name);
    if (problem !== null)
      return this.showFieldError({ field: 'next', message: this.app.text.passwordProblems[problem] });
    this.isDone = await this.send(() => this.app.api.changePassword({ current, next }));
    if (!this.isDone) return;
    form.reset();
    this.app.announcer.say(text.changed);
  }
}
