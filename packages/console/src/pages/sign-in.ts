import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { ConsoleElement } from '../components/console-element.ts';
import { mark } from '../components/icons.ts';
import { problemBox } from '../components/problem.ts';
import { valueOf } from '../state/form-value.ts';
import { languageChoice } from '../components/user-menu.ts';

/** Name and password. As a page of its own, or (`expired`) in a dialog over pages that stay as they are. */
export class SignInForm extends ConsoleElement {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    expired: { type: Boolean },
    problem: { state: true },
    busy: { state: true },
  };
  declare expired: boolean;
  declare problem: unknown;
  declare busy: boolean;

  constructor() {
    super();
    this.expired = false;
    this.problem = null;
    this.busy = false;
  }

  protected override render(): TemplateResult {
    const { signIn } = this.text;
    const known = this.app.session.current?.user.name ?? '';
    return html`<div class="gate-card">
      <div class="intro">
        ${mark()}
        <h1>${signIn.title}</h1>
        <p class="muted">${this.expired ? signIn.expired : signIn.lead}</p>
      </div>
      <form @submit=${(event: SubmitEvent) => void this.#submit(event)} novalidate>
        ${problemBox(this.app, this.problem)}
        <div class="field">
          <label for="sign-in-name">${signIn.name}</label>
          <input
            id="sign-in-name"
            name="name"
            autocomplete="username"
            autocapitalize="none"
            spellcheck="false"
            .value=${known}
            required
          />
        </div>
        <div class="field">
          <label for="sign-in-password">${signIn.password}</label>
          <input
            id="sign-in-password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
          />
        </div>
        <button class="button primary wide" ?disabled=${this.busy}>
          ${this.busy ? signIn.busy : signIn.submit}
        </button>
      </form>
      ${this.expired ? nothing : html`<div class="languages">${languageChoice(this.app)}</div>`}
    </div>`;
  }

  /** The dialog opens before these fields are there, so `autofocus` alone would come too early. */
  protected override firstUpdated(): void {
    const isKnown = this.app.session.current !== null;
    this.querySelector<HTMLInputElement>(isKnown ? '#sign-in-password' : '#sign-in-name')?.focus();
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy || !(event.target instanceof HTMLFormElement)) return;
    const form = event.target;
    const name = valueOf(form, 'name').trim();
    const password = valueOf(form, 'password');
    if (name === '' || password === '') return this.#refuse(new Error(this.text.signIn.missing), name);
    this.busy = true;
    try {
      await this.app.session.signIn(name, password);
      this.problem = null;
    } catch (error) {
      this.#refuse(error, name);
    } finally {
      this.busy = false;
    }
  }

  #refuse(error: unknown, name: string): void {
    this.problem = error;
    const { message, hint } = this.app.explain(error);
    this.app.announcer.alert(`${message} ${hint}`);
    const field = name === '' ? '#sign-in-name' : '#sign-in-password';
    const input = this.querySelector<HTMLInputElement>(field);
    input?.focus();
    input?.select();
  }
}
