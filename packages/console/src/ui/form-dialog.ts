import type { ApiProblem } from '@wcc/api/client';
import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { AppContext } from './app-context.ts';
import { FormElement } from './form-element.ts';
import { icon } from './icons.ts';

export interface DialogFrame {
  title: string;
  /** Below the title. */
  lead?: unknown;
  body: unknown;
  /** Beside the buttons. */
  note?: string;
  buttons: unknown;
  submit?: (form: HTMLFormElement) => void;
}

export interface ButtonOptions {
  /** @default 'primary' */
  look?: 'primary' | 'danger';
  /** Cannot be pressed now. @default false */
  isOff?: boolean;
}

/** Of radio buttons, the checked one. */
const fields =
  '.body :is(input:not([type="radio"]), input[type="radio"]:checked, select, textarea):not(:disabled)';

/** A form in a modal dialog. The page renders the element to open it, and removes it at `onClosed`. */
export abstract class FormDialog<Context extends AppContext = AppContext> extends FormElement<Context> {
  static override readonly properties: PropertyDeclarations = {
    ...FormElement.properties,
    onClosed: { attribute: false },
  };
  declare onClosed: () => void;

  protected override firstUpdated(): void {
    this.querySelector('dialog')?.showModal();
    this.firstField?.focus();
  }

  /** Gets the focus when the dialog opens: the first field, or Cancel. */
  protected get firstField(): HTMLElement | null {
    return this.querySelector<HTMLElement>(`${fields}, .foot button`);
  }

  protected frame({ title, lead, body, note, buttons, submit }: DialogFrame): TemplateResult {
    const id = `${this.idPrefix}-title`;
    return html`<dialog
      aria-labelledby=${id}
      @cancel=${this.#onCancel}
      @close=${this.#onClose}
      @keydown=${this.#onKey}
    >
      <form
        @submit=${(event: SubmitEvent) => {
          event.preventDefault();
          if (event.target instanceof HTMLFormElement) submit?.(event.target);
        }}
        novalidate
      >
        <header class="head">
          <div>
            <h2 id=${id}>${title}</h2>
            ${lead === undefined ? '' : html`<p>${lead}</p>`}
          </div>
          <button
            type="button"
            class="button quiet small"
            aria-label=${this.text.shell.close}
            @click=${() => this.close()}
          >
            ${icon('close')}
          </button>
        </header>
        <div class="body">${this.problemBox()} ${body}</div>
        <footer class="foot">
          <p>${note ?? ''}</p>
          ${buttons}
        </footer>
      </form>
    </dialog>`;
  }

  /** Cancel, and the button that submits. */
  protected buttons(label: unknown, { look = 'primary', isOff = false }: ButtonOptions = {}): TemplateResult {
    return html`<button type="button" class="button" @click=${() => this.close()}>
        ${this.text.shell.cancel}
      </button>
      <button class="button ${look}" aria-disabled=${String(this.busy || isOff)}>${label}</button>`;
  }

  /** Adds the hint, because a dialog has space for longer texts. */
  protected override messageFor(error: ApiProblem): string {
    const { message, hint } = this.app.explain(error);
    return `${message} ${hint}`;
  }

  /** Scrolls to an error that is shown above the fields. */
  protected override showError(error: unknown): void {
    super.showError(error);
    void this.#showProblem();
  }

  async #showProblem(): Promise<void> {
    await this.updateComplete;
    this.querySelector('.body > .problem')?.scrollIntoView({ block: 'nearest' });
  }

  /** Wraps Tab inside the dialog: after the last button the browser would leave the page. */
  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Tab') return;
    const buttons = [...this.querySelectorAll<HTMLElement>('.head button, .foot button')];
    const [from, to] = event.shiftKey ? [buttons[0], buttons.at(-1)] : [buttons.at(-1), buttons[0]];
    if (event.target !== from) return;
    event.preventDefault();
    to?.focus();
  };

  /** Calls `onClosed` immediately: the `close` event comes a frame later, when another dialog may be open. */
  protected close(): void {
    this.querySelector('dialog')?.close();
    this.onClosed();
  }

  readonly #onCancel = (event: Event): void => {
    // A file chooser that is cancelled fires the same event.
    if (!(event.target instanceof HTMLDialogElement)) return;
    event.preventDefault();
    this.close();
  };

  /** The browser closed the dialog. */
  readonly #onClose = (): void => {
    if (this.isConnected) this.onClosed();
  };
}
