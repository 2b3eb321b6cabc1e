import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { hasClipboard } from '../app/clipboard.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import { icon } from '../ui/icons.ts';
import { accessTextOf } from './text/catalogue.ts';

/** Shows a secret once, in a field that can also be copied by hand. */
export class SecretBox extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    label: { attribute: false },
    secret: { attribute: false },
    isTaken: { state: true },
  };
  declare label: string;
  declare secret: string;
  declare isTaken: boolean;

  constructor() {
    super();
    this.isTaken = false;
  }

  protected override render(): TemplateResult {
    const { secret: text } = accessTextOf(this.app.preferences);
    const canCopy = hasClipboard();
    const offer = canCopy ? text.copy : text.select;
    return html`<div class="field secret">
      <label for="secret-value">${this.label}</label>
      <div class="with-button">
        <input
          id="secret-value"
          readonly
          spellcheck="false"
          autocomplete="off"
          .value=${this.secret}
          @focus=${(event: FocusEvent) => (event.target as HTMLInputElement).select()}
          aria-describedby="secret-note"
        />
        <button type="button" class="button" @click=${() => void this.#take(canCopy)}>
          ${icon('copy')}${this.isTaken && canCopy ? text.copied : offer}
        </button>
      </div>
      <p class="note" id="secret-note">${this.isTaken && !canCopy ? text.selected : text.once}</p>
    </div>`;
  }

  async #take(canCopy: boolean): Promise<void> {
    const { secret: text } = accessTextOf(this.app.preferences);
    const input = this.querySelector('input');
    input?.focus();
    input?.select();
    try {
      if (canCopy) await navigator.clipboard.writeText(this.secret);
      this.isTaken = true;
      this.app.announcer.say(canCopy ? text.copied : text.selected);
    } catch (error) {
      // The browser refused to copy. The secret is selected, so Ctrl+C copies it.
      this.app.announcer.alert(`${text.selected} (${String(error)})`);
    }
  }
}
