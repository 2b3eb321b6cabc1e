import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { FormElement } from '../ui/form-element.ts';
import { valueOf } from '../ui/form-value.ts';
import type { App } from './app.ts';
import { gateIntro } from './gate-intro.ts';
import { languageChoice } from './user-menu.ts';

/** Sign-in form: a page, or (`expired`) the content of a dialog over the open pages. */
export class SignInForm extends FormElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormElement.properties,
    expired: { type: Boolean },
  };
  declare expired: boolean;
  protected readonly idPrefix = 'sign-in';

  constructor() {
    super();
    this.expired = false;
  }

  protected override render(): TemplateResult {
    const { signIn } = this.text;
    const known = this.app.session.current?.user.name ?? '';
    return html`<div class="gate-card">
      ${gateIntro(signIn.title, this.#lead)}
      <form @submit=${(event: SubmitEvent) => void this.#submit(event)} novalidate>
        ${this.problemBox()}
        ${this.input('name', { label: signIn.name, autocomplete: 'username', value: known })}
        ${this.input('password', {
          label: signIn.password,
          type: 'password',
          autocomplete: 'current-password',
        })}
        <button class="button primary wide" ?disabled=${this.busy}>
          ${this.busy ? signIn.busy : signIn.submit}
        </button>
      </form>
      ${this.expired ? nothing : html`<div class="languages">${languageChoice(this.app)}</div>`}
    </div>`;
  }

  get #lead(): string {
    const { signIn } = this.text;
    const { view } = this.app.session;
    if (this.expired) return signIn.expired;
    return view.kind === 'signed_out' && view.lacksPageKey ? signIn.again : signIn.lead;
  }

  /** `autofocus` would have no effect, because the dialog opens before its fields are rendered. */
  protected override firstUpdated(): void {
    this.inputOf(this.app.session.current === null ? 'name' : 'password')?.focus();
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const name = valueOf(event.target, 'name').trim();
    const password = valueOf(event.target, 'password');
    const isWhole = name !== '' && password !== '';
    const isIn = await this.send(async () => {
      if (!isWhole) throw new Error(this.text.signIn.missing);
      await this.app.session.signIn(name, password);
    });
    // The server does not reveal whether name or password is wrong. The password is more likely.
    if (!isIn && this.problem !== null) this.#again(name === '' ? 'name' : 'password');
  }

  #again(field: string): void {
    const input = this.inputOf(field);
    input?.focus();
    input?.select();
  }
}
