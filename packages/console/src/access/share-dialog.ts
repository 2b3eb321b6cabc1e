import type { CreatedShare } from '@wcc/api';
import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { FormDialog } from '../ui/form-dialog.ts';
import { valueOf } from '../ui/form-value.ts';
import { accessTextOf } from './text/catalogue.ts';
import { shareLifetimes } from './text/text.ts';
import type { AccessText } from './text/text.ts';

const defaultLifetimeS = 86_400;

/** Creates a share link for one operation and shows it once. */
export class ShareDialog extends FormDialog<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormDialog.properties,
    operation: { type: String },
    onSaved: { attribute: false },
    made: { state: true },
  };
  declare operation: string;
  declare onSaved: () => void;
  declare made: CreatedShare | null;
  protected readonly idPrefix = 'share';

  constructor() {
    super();
    this.made = null;
  }

  get #text(): AccessText['access'] {
    return accessTextOf(this.app.preferences).access;
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    const { made } = this;
    if (made !== null)
      return this.frame({
        title: text.newLink,
        lead: text.linksLead,
        body: html`<wcc-secret-box
          .app=${this.app}
          .label=${text.newLink}
          .secret=${made.link}
        ></wcc-secret-box>`,
        buttons: html`<button class="button primary">${this.text.shell.close}</button>`,
        submit: () => this.close(),
      });
    return this.frame({
      title: text.createLink,
      lead: text.linksLead,
      body: html`${this.input('name', { label: text.linkName, hint: text.linkNameHint })}
        <label class="field"
          ><span class="label">${text.life}</span
          ><select class="select" name="life">
            ${shareLifetimes.map(
              (life) =>
                html`<option value=${life} ?selected=${life === defaultLifetimeS}>
                  ${text.lives[life]}
                </option>`,
            )}
          </select></label
        >`,
      buttons: this.buttons(text.createLink),
      submit: (form) => void this.#create(form),
    });
  }

  async #create(form: HTMLFormElement): Promise<void> {
    const name = valueOf(form, 'name').trim();
    const expiresInS = Number(valueOf(form, 'life'));
    const isMade = await this.send(async () => {
      this.made = await this.app.api.createShare(this.operation, { name, expiresInS });
    });
    if (isMade) this.onSaved();
  }
}
