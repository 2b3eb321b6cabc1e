import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { FormElement } from './form-element.ts';
import { icon } from './icons.ts';

export interface DialogFrame {
  title: string;
  /** Under the title. */
  lead?: unknown;
  body: unknown;
  /** Beside the buttons. */
  note?: string;
  buttons: unknown;
  submit?: (form: HTMLFormElement) => void;
}

/** A form in a modal dialog. The page renders it when it is wanted, and takes it away at `onClosed`. */
export abstract class FormDialog extends FormElement {
  static override readonly properties: PropertyDeclarations = {
    ...FormElement.properties,
    onClosed: { attribute: false },
  };
  declare onClosed: () => void;

  protected abstract readonly closeWord: string;

  protected override firstUpdated(): void {
    this.querySelector('dialog')?.showModal();
    this.querySelector<HTMLElement>('.body input, .foot button')?.focus();
  }

  protected frame({ title, lead, body, note, buttons, submit }: DialogFrame): TemplateResult {
    const id = `${this.idPrefix}-title`;
    return html`<dialog aria-labelledby=${id} @close=${() => this.onClosed()}>
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
            aria-label=${this.closeWord}
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

  protected close(): void {
    this.querySelector('dialog')?.close();
  }
}
