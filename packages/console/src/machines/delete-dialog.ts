import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import { VmDialog } from './machine-dialog.ts';
import { isOn } from './states.ts';

/** Deletes a machine, with or without its disks. To delete disks, the user must type the machine's name. */
export class DeleteVmDialog extends VmDialog {
  static override readonly properties: PropertyDeclarations = {
    ...VmDialog.properties,
    vm: { attribute: false },
    onDeleted: { attribute: false },
    isWithDisks: { state: true },
    typed: { state: true },
  };
  declare vm: Vm;
  declare onDeleted: () => void;
  declare isWithDisks: boolean;
  declare typed: string;
  protected readonly idPrefix = 'vm-delete';

  constructor() {
    super();
    this.isWithDisks = true;
    this.typed = '';
  }

  get #isSure(): boolean {
    return !this.isWithDisks || this.vm.disks.length === 0 || this.typed === this.vm.name;
  }

  protected override render(): TemplateResult {
    const { remove: text } = this.words;
    const { vm } = this;
    const isRunning = isOn(vm.state);
    const hasDisks = vm.disks.length > 0;
    return this.frame({
      title: text.title,
      lead: html`<bdi translate="no">${vm.name}</bdi>`,
      body: html`${isRunning ? html`<p class="question">${text.running}</p>` : nothing}
      ${hasDisks ? this.#choice() : html`<p class="question">${text.noDisks}</p>`}
      ${hasDisks && this.isWithDisks ? this.#name() : nothing}`,
      buttons: this.buttons(html`${icon('bin')}${text.verb}`, { look: 'danger', isOff: !this.#isSure }),
      submit: () => void this.#delete(),
    });
  }

  #choice(): TemplateResult {
    const { remove: text } = this.words;
    const choice = (isWithDisks: boolean, label: string, note: unknown): TemplateResult =>
      html`<label class="check">
        <input
          type="radio"
          name="vm-disks"
          .checked=${this.isWithDisks === isWithDisks}
          @change=${() => (this.isWithDisks = isWithDisks)}
        />${label}<span class="note">${note}</span>
      </label>`;
    const names = this.vm.disks.map(({ name }) => name).join(', ');
    return html`<fieldset class="field">
      <legend>${text.disks}</legend>
      <div class="choices">
        ${choice(true, text.withDisks, html`<bdi translate="no">${names}</bdi>`)}
        ${choice(false, text.keepDisks, text.keepDisksHint)}
      </div>
    </fieldset>`;
  }

  #name(): TemplateResult {
    return this.textField({
      id: 'vm-delete-name',
      label: this.words.remove.typeName(this.vm.name),
      value: this.typed,
      change: (typed) => (this.typed = typed),
    });
  }

  async #delete(): Promise<void> {
    const { id } = this.vm;
    if (id === null) return;
    if (!this.#isSure) return this.inputOf('name')?.focus();
    const operation = await this.start(() => this.app.api.deleteVm(id, { disks: this.isWithDisks }));
    if (operation !== null) this.onDeleted();
  }
}
