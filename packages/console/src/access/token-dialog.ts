import type { CreatedToken, TokenScope } from '@wcc/api';
import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { FormDialog } from '../ui/form-dialog.ts';
import { valueOf } from '../ui/form-value.ts';
import { accessTextOf } from './text/catalogue.ts';
import { tokenLifetimes } from './text/text.ts';
import type { AccessText } from './text/text.ts';

const scopes: readonly TokenScope[] = ['read', 'write', 'publish'];
const defaultDays = 90;

/** Creates a token and shows its secret once. */
export class TokenDialog extends FormDialog<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormDialog.properties,
    onSaved: { attribute: false },
    scope: { state: true },
    made: { state: true },
  };
  declare onSaved: () => void;
  declare scope: TokenScope;
  declare made: CreatedToken | null;
  protected readonly idPrefix = 'token';

  constructor() {
    super();
    this.scope = 'read';
    this.made = null;
  }

  get #text(): AccessText['tokens'] {
    return accessTextOf(this.app.preferences).tokens;
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    if (this.made !== null) return this.#madeFrame(this.made);
    return this.frame({
      title: text.add,
      body: html`${this.input('name', { label: text.name, hint: text.nameHint })} ${this.#scopeField()}
        <label class="field"
          ><span class="label">${text.life}</span
          ><select class="select" name="days">
            ${tokenLifetimes.map(
              (days) =>
                html`<option value=${days} ?selected=${days === defaultDays}>${text.lives[days]}</option>`,
            )}
          </select></label
        >`,
      buttons: this.buttons(this.busy ? text.busy : text.create),
      submit: (form) => void this.#create(form),
    });
  }

  #madeFrame({ name, secret }: CreatedToken): TemplateResult {
    const text = this.#text;
    return this.frame({
      title: text.made(name),
      body: html`<wcc-secret-box .app=${this.app} .label=${text.title} .secret=${secret}></wcc-secret-box>
        <p class="muted">${text.usage}</p>`,
      buttons: html`<button class="button primary">${this.text.shell.close}</button>`,
      submit: () => this.close(),
    });
  }

  #scopeField(): TemplateResult {
    const text = this.#text;
    return html`<fieldset class="field">
      <legend>${text.scope}</legend>
      <div class="choices">
        ${scopes.map(
          (scope) =>
            html`<label class="check">
              <input
                type="radio"
                name="scope"
                value=${scope}
                .checked=${this.scope === scope}
                @change=${() => (this.scope = scope)}
              />${text.scopes[scope]}
              <span class="note">${text.scopeHints[scope]}</span>
            </label>`,
        )}
      </div>
    </fieldset>`;
  }

  async #create(form: HTMLFormElement): Promise<void> {
    const text = this.#text;
    const name = valueOf(form, 'name').trim();
    if (name === '' || name.length > 64) return this.showFieldError({ field: 'name', message: text.noName });
    const expiresInDays = Number(valueOf(form, 'days'));
    const isMade = await this.send(async () => {
      this.made = await this.app.api.createToken({ name, scope: this.scope, expiresInDays });
    });
    if (!isMade) return;
    this.app.announcer.say(text.made(name));
    this.onSaved();
  }
}
