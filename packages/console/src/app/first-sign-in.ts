import { findPasswordProblem } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { FormElement } from '../ui/form-element.ts';
import { valueOf } from '../ui/form-value.ts';
import type { App } from './app.ts';
import { isUserName } from './credentials.ts';
import { gateIntro } from './gate-intro.ts';
import { pagePaths } from './router.ts';

/** Page of the one-time link: sets name and password of the first administrator. */
export class FirstSignIn extends FormElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormElement.properties,
    isShown: { state: true },
  };
  declare isShown: boolean;
  protected readonly idPrefix = 'first';

  constructor() {
    super();
    this.isShown = false;
  }

  protected override render(): TemplateResult {
    const { firstSignIn } = this.text;
    const hasSecret = this.app.router.firstSignInSecret !== null;
    return html`<div class="gate-card">
      ${gateIntro(firstSignIn.title, hasSecret ? firstSignIn.lead : firstSignIn.noSecret)}
      ${hasSecret ? this.#form() : nothing}
      <a class="button quiet" href="/" @click=${this.app.router.onLink}>${firstSignIn.toSignIn}</a>
    </div>`;
  }

  protected override firstUpdated(): void {
    this.inputOf('password')?.focus();
  }

  #form(): TemplateResult {
    const { firstSignIn } = this.text;
    return html`<form @submit=${(event: SubmitEvent) => void this.#submit(event)} novalidate>
      ${this.problemBox()}
      ${this.input('name', {
        label: firstSignIn.name,
        hint: firstSignIn.nameHint,
        autocomplete: 'username',
        value: 'admin',
      })}
      ${this.input('password', {
        label: firstSignIn.password,
        hint: firstSignIn.passwordHint,
        type: this.isShown ? 'text' : 'password',
        autocomplete: 'new-password',
      })}
      <label class="check">
        <input type="checkbox" @change=${(event: Event) => this.#show(event)} />${firstSignIn.show}
      </label>
      <button class="button primary wide" ?disabled=${this.busy}>${firstSignIn.submit}</button>
    </form>`;
  }

  #show(event: Event): void {
    if (event.target instanceof HTMLInputElement) this.isShown = event.target.checked;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const secret = this.app.router.firstSignInSecret;
    if (secret === null || !(event.target instanceof HTMLFormElement)) return;
    const name = valueOf(event.target, 'name').trim();
    const password = valueOf(event.target, 'password');
    const { badName } = this.text.firstSignIn;
    if (!isUserName(name)) return this.showFieldError({ field: 'name', message: badName });
    const problem = findPasswordProblem(password, name);
    if (problem !== null)
      return this.showFieldError({ field: 'password', message: this.text.passwordProblems[problem] });
    const isIn = await this.send(() => this.app.session.firstSignIn({ secret, name, password }));
    if (isIn) this.app.router.go(pagePaths.home);
  }
}
