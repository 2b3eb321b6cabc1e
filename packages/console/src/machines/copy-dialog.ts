import type { Vm } from '@wcc/api';
import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import { createKeys } from '../ui/idempotency.ts';
import { VmDialog } from './machine-dialog.ts';
import { checkVmName, proposeVmName } from './machine-form.ts';

/** Copies a machine that is off, with its disks. */
export class CopyVmDialog extends VmDialog {
  static override readonly properties: PropertyDeclarations = {
    ...VmDialog.properties,
    vm: { attribute: false },
    onCreated: { attribute: false },
    name: { state: true },
  };
  declare vm: Vm;
  declare onCreated: (id: number | string | null) => void;
  declare name: string;
  protected readonly idPrefix = 'vm-copy';
  readonly #keyOf = createKeys();

  override connectedCallback(): void {
    super.connectedCallback();
    this.name = proposeVmName(`${this.vm.name}-copy`, this.taken);
  }

  protected override render(): TemplateResult {
    const { words } = this;
    const verdict = checkVmName(this.name, this.taken);
    return this.frame({
      title: words.copy.title,
      lead: html`${words.copy.of} <bdi translate="no">${this.vm.name}</bdi>`,
      body: this.textField({
        id: 'vm-copy-name',
        label: words.copy.name,
        value: this.name,
        change: (name) => (this.name = name),
        note: verdict === null ? words.nameFree : words.nameProblems[verdict],
        isBad: verdict !== null,
        isGood: verdict === null,
      }),
      note: words.copy.leave,
      buttons: this.buttons(html`${icon('copy')}${this.busy ? words.busy : words.copy.verb}`, {
        isOff: verdict !== null,
      }),
      submit: () => void this.#copy(),
    });
  }

  async #copy(): Promise<void> {
    const { id } = this.vm;
    const { name } = this;
    if (id === null) return;
    if (checkVmName(name, this.taken) !== null) return this.inputOf('name')?.focus();
    const operation = await this.start(() => this.app.api.copyVm(id, { name }, this.#keyOf({ name })));
    if (operation !== null) this.onCreated(operation.target?.kind === 'vm' ? operation.target.id : null);
  }
}
