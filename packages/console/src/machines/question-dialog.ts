import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { MachineDialog } from './machine-dialog.ts';

/** What is asked before an order that a running machine feels. */
export interface MachineAsk {
  title: string;
  words: string;
  /** On the button that does it. */
  verb: string;
  isDanger: boolean;
  run: () => Promise<void>;
}

export class MachineQuestion extends MachineDialog {
  static override readonly properties: PropertyDeclarations = {
    ...MachineDialog.properties,
    ask: { attribute: false },
  };
  declare ask: MachineAsk;
  protected readonly idPrefix = 'vm-ask';

  protected override render(): TemplateResult {
    const { title, words, verb, isDanger } = this.ask;
    return this.frame({
      title,
      body: html`<p class="question">${words}</p>`,
      buttons: html`<button type="button" class="button" @click=${() => this.close()}>
          ${this.words.cancel}
        </button>
        <button class=${isDanger ? 'button danger' : 'button primary'} aria-disabled=${String(this.busy)}>
          ${verb}
        </button>`,
      submit: () => void this.#run(),
    });
  }

  async #run(): Promise<void> {
    if (await this.send(() => this.ask.run())) this.close();
  }
}
