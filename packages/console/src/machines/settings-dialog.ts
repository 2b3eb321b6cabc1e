import type { BootDevice, CdBus, ChangeVmRequest, Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import { cdBusField } from './cd-bus-field.ts';
import { VmDialog } from './machine-dialog.ts';
import { gibText, checkVmName, parseCpus, parseMemory } from './machine-form.ts';

const allDevices: readonly BootDevice[] = ['disk', 'cdrom', 'network'];

interface SettingsForm {
  name: string;
  cpus: string;
  memory: string;
  cdBus: CdBus | null;
  order: readonly BootDevice[];
}

/** Name, CPUs, memory, CD bus and boot order of a machine that is off. */
export class VmSettingsDialog extends VmDialog {
  static override readonly properties: PropertyDeclarations = {
    ...VmDialog.properties,
    vm: { attribute: false },
    form: { state: true },
  };
  declare vm: Vm;
  declare form: SettingsForm;
  protected readonly idPrefix = 'vm-settings';

  override connectedCallback(): void {
    super.connectedCallback();
    const { name, cpus, memoryBytes, cdBus, bootOrder } = this.vm;
    this.form = { name, cpus: String(cpus), memory: gibText(memoryBytes), cdBus, order: bootOrder };
  }

  protected override render(): TemplateResult {
    const { words } = this;
    return this.frame({
      title: words.settings.title,
      lead: html`<bdi translate="no">${this.vm.name}</bdi>`,
      body: html`${this.#fields()} ${this.#cdBus()} ${this.#order()}`,
      buttons: this.buttons(words.settings.save),
      submit: () => void this.#save(),
    });
  }

  get #others(): string[] {
    return this.taken.filter((name) => name !== this.vm.name);
  }

  #fields(): TemplateResult {
    const { words, form } = this;
    const change = (part: Partial<SettingsForm>): void => void (this.form = { ...this.form, ...part });
    const verdict = checkVmName(form.name, this.#others);
    const isBadCpus = parseCpus(form.cpus) === undefined;
    const isBadMemory = parseMemory(form.memory) === undefined;
    return html`${this.textField({
        id: 'vm-settings-name',
        label: words.name,
        value: form.name,
        change: (name) => change({ name }),
        isBad: verdict !== null,
        ...(verdict === null ? {} : { note: words.nameProblems[verdict] }),
      })}
      <div class="pair">
        ${this.textField({
          id: 'vm-settings-cpus',
          label: words.cpus,
          value: form.cpus,
          mode: 'numeric',
          change: (cpus) => change({ cpus }),
          isBad: isBadCpus,
          ...(isBadCpus ? { note: words.badCpus } : {}),
        })}
        ${this.textField({
          id: 'vm-settings-memory',
          label: words.memory,
          value: form.memory,
          mode: 'decimal',
          unit: 'GiB',
          change: (memory) => change({ memory }),
          isBad: isBadMemory,
          ...(isBadMemory ? { note: words.badMemory } : {}),
        })}
      </div>`;
  }

  #cdBus(): TemplateResult | typeof nothing {
    const { cdBus: value } = this.form;
    const change = (cdBus: CdBus): void => void (this.form = { ...this.form, cdBus });
    return value === null ? nothing : cdBusField({ name: 'vm-settings-cdBus', value, change }, this.words);
  }

  #order(): TemplateResult {
    const { settings: text, devices } = this.words;
    const { order } = this.form;
    const rest = allDevices.filter((device) => !order.includes(device));
    const row = (device: BootDevice, index: number): TemplateResult =>
      html`<li>
        <label class="check"
          ><input type="checkbox" .checked=${index >= 0} @change=${() => this.#toggle(device)} />${
            devices[device]
          }</label
        >
        <button
          type="button"
          class="button quiet small"
          aria-label=${text.earlier(devices[device])}
          ?disabled=${index <= 0}
          @click=${() => this.#earlier(index)}
        >
          ${icon('chevron', 'up')}
        </button>
      </li>`;
    return html`<fieldset class="field">
      <legend>${text.bootOrder}</legend>
      <ol class="boot-order">
        ${order.map((device, index) => row(device, index))} ${rest.map((device) => row(device, -1))}
      </ol>
      <p class="note">${text.bootOrderHint}</p>
    </fieldset>`;
  }

  #toggle(device: BootDevice): void {
    const { order } = this.form;
    const next = order.includes(device) ? order.filter((each) => each !== device) : [...order, device];
    // At least one boot device must stay checked.
    if (next.length === 0) return this.requestUpdate();
    this.form = { ...this.form, order: next };
  }

  #earlier(index: number): void {
    const order = [...this.form.order];
    const [device] = order.splice(index, 1);
    if (device === undefined) return;
    order.splice(index - 1, 0, device);
    this.form = { ...this.form, order };
  }

  async #save(): Promise<void> {
    const { id } = this.vm;
    const { name, cpus, memory } = this.form;
    if (id === null) return;
    if (checkVmName(name, this.#others) !== null) return this.inputOf('name')?.focus();
    if (parseCpus(cpus) === undefined) return this.inputOf('cpus')?.focus();
    if (parseMemory(memory) === undefined) return this.inputOf('memory')?.focus();
    const changes = this.#changes();
    const isSaved = await this.send(async () => {
      if (Object.keys(changes).length > 0) this.vms.put(await this.app.api.changeVm(id, changes));
    });
    if (!isSaved) return;
    this.app.announcer.say(this.words.settings.saved);
    this.close();
  }

  /** Only changed fields. */
  #changes(): ChangeVmRequest {
    const { vm, form } = this;
    const cpus = parseCpus(form.cpus);
    const memoryBytes = parseMemory(form.memory);
    return {
      ...(form.name === vm.name ? {} : { name: form.name }),
      ...(cpus === undefined || cpus === vm.cpus ? {} : { cpus }),
      ...(memoryBytes === undefined || form.memory === gibText(vm.memoryBytes) ? {} : { memoryBytes }),
      ...(form.cdBus === null || form.cdBus === vm.cdBus ? {} : { cdBus: form.cdBus }),
      ...(form.order.join() === vm.bootOrder.join() ? {} : { bootOrder: [...form.order] }),
    };
  }
}
