import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { FormDialog } from './form-dialog.ts';

/** A question before an action that cannot be undone. */
export interface Question {
  title: string;
  text: string;
  /** Label of the button that runs the action. */
  verb: string;
  /** @default true */
  isDanger?: boolean;
  run: () => Promise<void>;
}

export class ConfirmDialog extends FormDialog {
  static override readonly properties: PropertyDeclarations = {
    ...FormDialog.properties,
    question: { attribute: false },
  };
  declare question: Question;
  protected readonly idPrefix: string = 'confirm';

  protected override render(): TemplateResult {
    const { title, text, verb, isDanger = true } = this.question;
    return this.frame({
      title,
      body: html`<p class="question">${text}</p>`,
      buttons: this.buttons(verb, { look: isDanger ? 'danger' : 'primary' }),
      submit: () => void this.#run(),
    });
  }

  async #run(): Promise<void> {
    if (await this.send(() => this.question.run())) this.close();
  }
}
