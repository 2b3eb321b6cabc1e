import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { ConsoleElement } from '../components/console-element.ts';
import { mark } from '../components/icons.ts';
import { problemBox } from '../components/problem.ts';
import { valueOf } from '../state/form-value.ts';
import { pagePaths } from '../state/router.ts';

// The server decides; these only save a round trip.
const NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const SHORTEST = 10;

interface Refusal {
  field: 'name' | 'password';
  words: string;
}

/** Opened by the one-time link: sets the first administrator's name and password. */
export class FirstSignIn extends ConsoleElement {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    problem: { state: true },
    refusal: { state: true },
    busy: { state: true },
    isShown: { state: true },
  };
  declare problem: unknown;
  declare refusal: Refusal | null;
  declare busy: boolean;
  declare isShown: boolean;

  constructor() {
    super();
    this.problem = null;
    this.refusal = null;
    this.busy = false;
    this.isShown = false;
  }

  protected override render(): TemplateResult {
    const { firstSignIn } = this.text;
    const hasSecret = this.app.router.firstSignInSecret !== null;
    return html`<div class="gate-card">
      <div class="intro">
        ${mark()}
        <h1>${firstSignIn.title}</h1>
        <p class="muted">${hasSecret ? firstSignIn.lead : firstSignIn.noSecret}</p>
      </div>
      ${hasSecret ? this.#form() : nothing}
      <a class="button quiet" href="/" @click=${this.app.router.onLink}>${firstSignIn.toSignIn}</a>
    </div>`;
  }

  #form(): TemplateResult {
    const { firstSignIn } = this.text;
    return html`<form @submit=${(event: SubmitEvent) => void this.#submit(event)} novalidate>
      ${problemBox(this.app, this.problem)}
      <div class="field">
        <label for="first-name">${firstSignIn.name}</label>
        <input
          id="first-name"
          name="name"
          value="admin"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          aria-describedby="first-name-note"
          aria-invalid=${String(this.refusal?.field === 'name')}
        />
        ${this.#note('name', firstSignIn.nameHint)}
      </div>
      <div class="field">
        <label for="first-password">${firstSignIn.password}</label>
        <input
          id="first-password"
          name="password"
          type=${this.isShown ? 'text' : 'password'}
          autocomplete="new-password"
          autofocus
          aria-describedby="first-password-note"
          aria-invalid=${String(this.refusal?.field === 'password')}
        />
        ${this.#note('password', firstSignIn.passwordHint)}
      </div>
      <label class="check">
        <input type="checkbox" @change=${(event: Event) => this.#show(event)} />${firstSignIn.show}
      </label>
      <button class="button primary wide" ?disabled=${this.busy}>${firstSignIn.submit}</button>
    </form>`;
  }

  #note(field: Refusal['field'], hint: string): TemplateResult {
    const isBad = this.refusal?.field === field;
    return html`<p class=${isBad ? 'note bad' : 'note'} id="first-${field}-note">
      ${isBad ? this.refusal?.words : hint}
    </p>`;
  }

  #show(event: Event): void {
    if (event.target instanceof HTMLInputElement) this.isShown = event.target.checked;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const secret = this.app.router.firstSignInSecret;
    if (this.busy || secret === null || !(event.target instanceof HTMLFormElement)) return;
    const form = event.target;
    const name = valueOf(form, 'name').trim();
    const password = valueOf(form, 'password');
    const { badName, tooShort } = this.text.firstSignIn;
    if (!NAME.test(name)) return this.#refuse({ field: 'name', words: badName });
    if (password.length < SHORTEST) return this.#refuse({ field: 'password', words: tooShort });
    this.refusal = null;
    this.busy = true;
    try {
      await this.app.session.firstSignIn({ secret, name, password });
      this.app.router.go(pagePaths.images);
    } catch (error) {
      this.problem = error;
      const { message, hint } = this.app.explain(error);
      this.app.announcer.alert(`${message} ${hint}`);
    } finally {
      this.busy = false;
    }
  }

  #refuse(refusal: Refusal): void {
    this.refusal = refusal;
    this.app.announcer.alert(refusal.words);
    this.querySelector<HTMLInputElement>(`#first-${refusal.field}`)?.focus();
  }
}
