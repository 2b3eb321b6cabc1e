import type { Vm, VmDisk } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { size } from '../text/format.ts';
import { segmentField } from '../ui/segments.ts';
import { VmDialog } from './machine-dialog.ts';
import { gib, gibText, mib, parseDiskSize } from './machine-form.ts';

/** Adds an empty disk, or grows a disk. */
export class VmDiskDialog extends VmDialog {
  static override readonly properties: PropertyDeclarations = {
    ...VmDialog.properties,
    vm: { attribute: false },
    disk: { attribute: false },
    size: { state: true },
    format: { state: true },
  };
  declare vm: Vm;
  /** The disk to grow; `null` to add one. */
  declare disk: VmDisk | null;
  /** In GiB, as typed. */
  declare size: string;
  declare format: 'raw' | 'qcow2';
  protected readonly idPrefix = 'vm-disk';

  constructor() {
    super();
    this.format = 'qcow2';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.size = this.disk === null ? '20' : gibText(this.disk.sizeBytes + gib);
  }

  get #minBytes(): number {
    return this.disk === null ? mib : this.disk.sizeBytes + 1;
  }

  protected override render(): TemplateResult {
    const { words, disk } = this;
    const { disksText: text } = words;
    const isBad = parseDiskSize(this.size, this.#minBytes) === undefined;
    const own = disk === null ? '' : size(disk.sizeBytes);
    return this.frame({
      title: disk === null ? text.add : text.grow,
      lead: html`<bdi translate="no">${disk?.name ?? this.vm.name}</bdi>`,
      body: html`${this.textField({
        id: 'vm-disk-size',
        label: disk === null ? words.diskSize : text.newSize,
        value: this.size,
        unit: 'GiB',
        mode: 'decimal',
        change: (typed) => (this.size = typed),
        note: isBad ? words.badDiskSize(own) : disk === null ? text.sizeHint : text.growHint(own),
        isBad,
      })}
      ${disk === null ? this.#formatField() : nothing}`,
      buttons: this.buttons(disk === null ? text.addVerb : text.growVerb),
      submit: () => void this.#save(),
    });
  }

  #formatField(): TemplateResult {
    const { disksText: text } = this.words;
    return segmentField({
      name: 'vm-disk-format',
      label: text.format,
      value: this.format,
      choices: [
        { value: 'qcow2', label: 'qcow2' },
        { value: 'raw', label: 'raw' },
      ],
      change: (format) => (this.format = format),
      note: text.formatHints[this.format],
    });
  }

  async #save(): Promise<void> {
    const { vm, disk } = this;
    const sizeBytes = parseDiskSize(this.size, this.#minBytes);
    if (vm.id === null) return;
    if (sizeBytes === undefined) return this.inputOf('size')?.focus();
    const { id } = vm;
    const isSaved = await this.send(async () => {
      const { api } = this.app;
      this.vms.put(
        disk === null
          ? await api.addDisk(id, { kind: 'blank', sizeBytes, format: this.format })
          : await api.growDisk(id, disk.index, { sizeBytes }),
      );
      void this.signedIn.images.load();
    });
    if (!isSaved) return;
    this.app.announcer.say(disk === null ? this.words.disksText.added : this.words.disksText.grown);
    this.close();
  }
}
