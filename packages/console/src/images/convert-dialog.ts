import { findImageNameProblem } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { valueOf } from '../ui/form-value.ts';
import { segmentField } from '../ui/segments.ts';
import { ImageDialog } from './image-dialog.ts';

type Format = 'raw' | 'qcow2';
const formats: readonly Format[] = ['raw', 'qcow2'];

/** Converts an image into a new one. */
export class ConvertDialog extends ImageDialog {
  static override readonly properties: PropertyDeclarations = {
    ...ImageDialog.properties,
    format: { state: true },
  };
  declare format: Format;
  protected readonly idPrefix = 'convert';
  #proposed = '';

  constructor() {
    super();
    this.format = 'raw';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.format = this.image.format === 'qcow2' ? 'raw' : 'qcow2';
    this.#proposed = this.#propose();
  }

  protected override render(): TemplateResult {
    const { words } = this;
    return this.frame({
      title: words.convertTitle,
      lead: html`${this.name()} · ${words.convertLead}`,
      body: html`${this.#formatField()} ${this.input('name', { label: words.name, value: this.#proposed })}
      ${this.format === 'qcow2' ? this.#compressField() : nothing}`,
      note: words.mayLeave,
      buttons: this.buttons(this.busy ? this.words.busy : words.convertSubmit),
      submit: (form) => void this.#submit(form),
    });
  }

  #formatField(): TemplateResult {
    const { words } = this;
    return segmentField({
      name: 'convert-format',
      label: words.format,
      value: this.format,
      choices: formats.map((format) => ({
        value: format,
        label: words.formats[format],
        isOff: this.image.format === format,
      })),
      change: (format) => this.#choose(format),
      note: words.formatHints[this.format],
    });
  }

  #compressField(): TemplateResult {
    const { words } = this;
    return html`<label class="check">
      <input type="checkbox" name="compress" />${words.compress}
      <span class="note">${words.compressHint}</span>
    </label>`;
  }

  /** The proposed name follows the format until the user types one. */
  #choose(format: Format): void {
    this.format = format;
    const input = this.inputOf('name');
    const isOwn = input !== null && input.value !== this.#proposed;
    if (!isOwn) this.#proposed = this.#propose();
  }

  #propose(): string {
    const base = this.image.name.replace(/\.(raw|img|qcow2|iso)$/i, '');
    const taken = new Set(this.signedIn.images.all.map(({ name }) => name));
    let name = `${base}.${this.format}`;
    for (let number = 2; taken.has(name); number += 1) name = `${base}-${number}.${this.format}`;
    return name;
  }

  async #submit(form: HTMLFormElement): Promise<void> {
    const name = valueOf(form, 'name');
    const problem = findImageNameProblem(name);
    if (problem !== null)
      return this.showFieldError({ field: 'name', message: this.text.imageName.problems[problem] });
    const { format } = this;
    const compress = format === 'qcow2' && new FormData(form).has('compress');
    const body = { name, format, compress };
    await this.start(() => this.app.api.convertImage(this.image.id, body, this.keyOf(body)));
  }
}
