import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { FormDialog } from './form-dialog.ts';

/** What is asked before something that cannot be undone. */
export interface Question {
  title: string;
  words: string;
  /** On the button that does it. */
  verb: string;
  run: () => Promise<void>;
}

export class ConfirmDialog extends FormDialog {
  static override readonly properties: PropertyDeclarations = {
    ...FormDialog.properties,
    question: { attribute: false },
  };
  declare question: Question;
  protected readonly idPrefix = 'confirm';

  protected get closeWord(): string {
    return this.text.shell.cancel;
  }

  protected override render(): TemplateResult {
    const { title, words, verb } = this.question;
    return this.frame({
      title,
      body: html`<p class="question">${words}</p>`,
      buttons: html`<button type="button" class="button" @click=${() => this.close()}>
          ${this.closeWord}
        </button>
        <button class="button danger" aria-disabled=${String(this.busy)}>${verb}</button>`,
      submit: () => void this.#run(),
    });
  }

  async #run(): Promise<void> {
    if (await this.send(() => this.question.run())) this.close();
  }
}
