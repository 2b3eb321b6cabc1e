import type { Vm } from '@wcc/api';
import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { VmDialog } from './machine-dialog.ts';

interface AutostartForm {
  enabled: boolean;
  order: string;
  delaySeconds: string;
}

const maxOrder = 9999;
const maxDelaySeconds = 3600;

/** Autostart, order and delay of a machine, running or not. */
export class VmAutostartDialog extends VmDialog {
  static override readonly properties: PropertyDeclarations = {
    ...VmDialog.properties,
    vm: { attribute: false },
    form: { state: true },
  };
  declare vm: Vm;
  declare form: AutostartForm;
  protected readonly idPrefix = 'vm-autostart';

  override connectedCallback(): void {
    super.connectedCallback();
    const { enabled = false, order = 0, delaySeconds = 0 } = this.vm.autostart ?? {};
    this.form = { enabled, order: String(order), delaySeconds: String(delaySeconds) };
  }

  protected override render(): TemplateResult {
    const text = this.words.autostart;
    const { form } = this;
    const change = (part: Partial<AutostartForm>): void => void (this.form = { ...this.form, ...part });
    const isBadOrder = wholeNumber(form.order, maxOrder) === null;
    const isBadDelay = wholeNumber(form.delaySeconds, maxDelaySeconds) === null;
    return this.frame({
      title: text.title,
      lead: html`<bdi translate="no">${this.vm.name}</bdi>`,
      body: html`<label class="check"
          ><input
            type="checkbox"
            .checked=${form.enabled}
            @change=${() => change({ enabled: !form.enabled })}
          />${text.enabled}</label
        >
        <div class="pair">
          ${this.textField({
            id: 'vm-autostart-order',
            label: text.order,
            value: form.order,
            mode: 'numeric',
            change: (order) => change({ order }),
            isBad: isBadOrder,
            note: isBadOrder ? text.badOrder : text.orderHint,
          })}
          ${this.textField({
            id: 'vm-autostart-delaySeconds',
            label: text.delay,
            value: form.delaySeconds,
            mode: 'numeric',
            unit: 's',
            change: (delaySeconds) => change({ delaySeconds }),
            isBad: isBadDelay,
            note: isBadDelay ? text.badDelay : text.delayHint,
          })}
        </div>`,
      buttons: this.buttons(text.save),
      submit: () => void this.#save(),
    });
  }

  async #save(): Promise<void> {
    const { id } = this.vm;
    const { enabled } = this.form;
    const order = wholeNumber(this.form.order, maxOrder);
    const delaySeconds = wholeNumber(this.form.delaySeconds, maxDelaySeconds);
    if (id === null) return;
    if (order === null) return this.inputOf('order')?.focus();
    if (delaySeconds === null) return this.inputOf('delaySeconds')?.focus();
    const isSaved = await this.send(async () => {
      this.vms.put(await this.app.api.changeVm(id, { autostart: { enabled, order, delaySeconds } }));
    });
    if (!isSaved) return;
    this.app.announcer.say(this.words.autostart.saved);
    this.close();
  }
}

function wholeNumber(text: string, most: number): number | null {
  const trimmed = text.trim();
  return /^\d{1,4}$/.test(trimmed) && Number(trimmed) <= most ? Number(trimmed) : null;
}
