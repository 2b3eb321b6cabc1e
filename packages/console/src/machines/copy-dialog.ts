import type { Vm } from '@wcc/api';
import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import { createKeys } from '../ui/idempotency.ts';
import { MachineDialog } from './machine-dialog.ts';
import { judgeMachineName, proposeMachineName } from './machine-form.ts';

/** Copies a machine that is off, disks and all. */
export class CopyMachineDialog extends MachineDialog {
  static override readonly properties: PropertyDeclarations = {
    ...MachineDialog.properties,
    machine: { attribute: false },
    onCreated: { attribute: false },
    name: { state: true },
  };
  declare machine: Vm;
  declare onCreated: (id: number | string | null) => void;
  declare name: string;
  protected readonly idPrefix = 'vm-copy';
  readonly #keyOf = createKeys();

  override connectedCallback(): void {
    super.connectedCallback();
    this.name = proposeMachineName(`${this.machine.name}-copy`, this.taken);
  }

  protected override render(): TemplateResult {
    const { words } = this;
    const verdict = judgeMachineName(this.name, this.taken);
    return this.frame({
      title: words.copy.title,
      lead: html`${words.copy.of} <bdi translate="no">${this.machine.name}</bdi>`,
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
    const { id } = this.machine;
    const { name } = this;
    if (id === null) return;
    if (judgeMachineName(name, this.taken) !== null) return this.inputOf('name')?.focus();
    const operation = await this.start(() => this.app.api.copyVm(id, { name }, this.#keyOf({ name })));
    if (operation !== null) this.onCreated(operation.target?.kind === 'vm' ? operation.target.id : null);
  }
}
