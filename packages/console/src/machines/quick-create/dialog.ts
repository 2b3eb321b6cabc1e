import type { Image, ImageId, QuickCreateVmRequest } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { size } from '../../text/format.ts';
import type { Emitter } from '../../ui/emitter.ts';
import { checkField } from '../../ui/fields.ts';
import { icon } from '../../ui/icons.ts';
import { createKeys } from '../../ui/idempotency.ts';
import { needsFacts } from '../facts.ts';
import { hypervisorNote } from '../hypervisor-note.ts';
import { imageChoices } from '../image-choices.ts';
import { VmDialog } from '../machine-dialog.ts';
import { gib, checkVmName, parseCpus, parseDiskSize, parseMemory, proposeVmName } from '../machine-form.ts';

interface QuickForm {
  image: number;
  name: string;
  /** In GiB; empty for the size of the image. */
  size: string;
  cpus: string;
  memory: string;
  isFull: boolean;
  isStarted: boolean;
}

type Fault = 'image' | 'name' | 'size' | 'cpus' | 'memory';

const defaultMemory = 2 * gib;

/** Creates a machine from an image and a name. Other fields have defaults and are folded. */
export class QuickCreateDialog extends VmDialog {
  static override readonly properties: PropertyDeclarations = {
    ...VmDialog.properties,
    imageId: { attribute: false },
    onCreated: { attribute: false },
    form: { state: true },
  };
  /** Id of the image that is preselected; 0 for none. */
  declare imageId: ImageId;
  /** Called with the id of the machine once the operation exists. */
  declare onCreated: (id: number | string | null) => void;
  declare form: QuickForm | null;
  protected readonly idPrefix = 'quick';
  readonly #keyOf = createKeys();
  #isNamed = false;

  constructor() {
    super();
    this.imageId = 0;
    this.form = null;
  }

  protected override observed(): Emitter[] {
    const { images, connection } = this.signedIn;
    return [...super.observed(), images.changed, connection.changed, this.vms.changed];
  }

  protected override willUpdate(): void {
    if (this.form !== null || !this.signedIn.images.isLoaded || !this.vms.isLoaded) return;
    const images = this.#images;
    const image = images.find(({ id }) => id === this.imageId) ?? images[0];
    this.form = {
      image: image?.id ?? 0,
      name: image === undefined ? '' : proposeVmName(image.name, this.taken),
      size: '',
      cpus: '2',
      memory: '2',
      isFull: false,
      isStarted: true,
    };
  }

  protected override updated(): void {
    // The fields are rendered once the lists are loaded, which may be after the dialog opened.
    if (this.#isNamed || this.inputOf('name') === null) return;
    this.#isNamed = true;
    this.inputOf('name')?.focus();
    this.inputOf('name')?.select();
  }

  /** Images that a machine can start from, templates first. */
  get #images(): Image[] {
    const isTemplate = ({ template }: Image): boolean => template;
    return this.signedIn.images.all
      .filter(({ state, format }) => state === 'ready' && (format === 'raw' || format === 'qcow2'))
      .toSorted((a, b) => Number(isTemplate(b)) - Number(isTemplate(a)));
  }

  protected override render(): TemplateResult {
    const { quickText: text } = this.words;
    const { form } = this;
    const isOff = !this.signedIn.connection.isOnline || form === null;
    const verb = form?.isStarted === false ? text.submitOff : text.submit;
    return this.frame({
      title: text.title,
      lead: text.lead,
      body: html`${hypervisorNote(this.vms.host, this.words)}
      ${form === null ? html`<p class="muted">${this.text.shell.loading}</p>` : this.#fields(form)}`,
      note: this.signedIn.connection.isOnline ? '' : this.text.shell.disabledOffline,
      buttons: this.buttons(html`${icon('bolt')}${this.busy ? this.words.busy : verb}`, { isOff }),
      submit: () => void this.#submit(),
    });
  }

  #fields(form: QuickForm): TemplateResult {
    const { words } = this;
    const images = this.#images;
    if (images.length === 0) return html`<p>${words.quickText.noImages}</p>`;
    const verdict = checkVmName(form.name, this.taken);
    return html`${this.selectField({
      id: 'quick-image',
      label: words.image,
      value: String(form.image),
      choices: imageChoices(images),
      change: (value) => this.#choose(Number(value)),
    })}
    ${this.textField({
      id: 'quick-name',
      label: words.name,
      value: form.name,
      change: (name) => this.#change({ name }),
      note: verdict === null ? words.nameFree : words.nameProblems[verdict],
      isBad: verdict !== null,
      isGood: verdict === null,
    })}
    ${this.#options(form)} ${this.#facts(form)}`;
  }

  #options(form: QuickForm): TemplateResult {
    const { words } = this;
    const bad = new Set(this.#faults(form));
    const image = this.#imageOf(form);
    const number = (name: 'size' | 'cpus' | 'memory', label: string, more: object): TemplateResult =>
      this.textField({
        id: `quick-${name}`,
        label,
        value: form[name],
        mode: name === 'cpus' ? 'numeric' : 'decimal',
        change: (value) => this.#change({ [name]: value }),
        isBad: bad.has(name),
        ...more,
      });
    const own = image === undefined ? '' : size(image.virtualSizeBytes);
    return html`<details class="options">
      <summary>${words.quickText.options}</summary>
      <div class="body">
        <div class="triple">
          ${number('cpus', words.cpus, bad.has('cpus') ? { note: words.badCpus } : {})}
          ${number('memory', words.memory, {
            unit: 'GiB',
            ...(bad.has('memory') ? { note: words.badMemory } : {}),
          })}
          ${number('size', words.diskSize, {
            unit: 'GiB',
            note: bad.has('size') ? words.badDiskSize(own) : words.quickText.sizeHint(own),
          })}
        </div>
        ${checkField({
          label: words.quickText.full,
          note: words.quickText.fullHint,
          isOn: form.isFull,
          change: (isFull) => this.#change({ isFull }),
        })}
        ${checkField({
          label: words.startAfter,
          isOn: form.isStarted,
          change: (isStarted) => this.#change({ isStarted }),
        })}
      </div>
    </details>`;
  }

  #facts(form: QuickForm): TemplateResult | typeof nothing {
    const image = this.#imageOf(form);
    if (image === undefined) return nothing;
    const pool = this.signedIn.images.pools.find(({ id }) => id === image.pool);
    return needsFacts(
      {
        diskBytes: form.isFull && pool?.clonePossible !== true ? image.dataBytes : 0,
        maxDiskBytes: parseDiskSize(form.size) ?? image.virtualSizeBytes,
        freeDiskBytes: pool?.freeBytes ?? null,
        memoryBytes: parseMemory(form.memory) ?? defaultMemory,
        freeMemoryBytes: this.vms.host?.freeMemoryBytes ?? null,
      },
      this.words,
    );
  }

  #imageOf({ image }: QuickForm): Image | undefined {
    return this.#images.find(({ id }) => id === image);
  }

  #choose(id: ImageId): void {
    const image = this.#images.find((each) => each.id === id);
    if (this.form === null || image === undefined) return;
    // A typed name stays; a proposed name follows the image.
    const old = this.#imageOf(this.form);
    const isProposed = old !== undefined && this.form.name === proposeVmName(old.name, this.taken);
    this.#change({ image: id, ...(isProposed ? { name: proposeVmName(image.name, this.taken) } : {}) });
  }

  #change(part: Partial<QuickForm>): void {
    if (this.form !== null) this.form = { ...this.form, ...part };
    this.problem = null;
  }

  #faults(form: QuickForm): Fault[] {
    const image = this.#imageOf(form);
    const isBadSize =
      form.size.trim() !== '' && parseDiskSize(form.size, image?.virtualSizeBytes ?? 0) === undefined;
    return [
      ...(image === undefined ? (['image'] as const) : []),
      ...(checkVmName(form.name, this.taken) === null ? [] : (['name'] as const)),
      ...(parseCpus(form.cpus) === undefined ? (['cpus'] as const) : []),
      ...(parseMemory(form.memory) === undefined ? (['memory'] as const) : []),
      ...(isBadSize ? (['size'] as const) : []),
    ];
  }

  async #submit(): Promise<void> {
    const { form } = this;
    if (form === null || !this.signedIn.connection.isOnline) return;
    const [fault] = this.#faults(form);
    if (fault !== undefined) return this.#lead(fault);
    const request = toRequest(form);
    const operation = await this.start(() => this.app.api.quickCreateVm(request, this.#keyOf(request)));
    if (operation === null) return;
    const { subject, target } = operation;
    this.onCreated(subject.kind === 'vm' ? subject.id : (target?.id ?? null));
  }

  #lead(field: Fault): void {
    const details = this.querySelector('details');
    if (details !== null && ['size', 'cpus', 'memory'].includes(field)) details.open = true;
    this.querySelector<HTMLElement>(`#quick-${field}`)?.focus();
  }
}

function toRequest(form: QuickForm): QuickCreateVmRequest {
  const sizeBytes = parseDiskSize(form.size);
  return {
    image: form.image,
    name: form.name,
    full: form.isFull,
    start: form.isStarted,
    cpus: parseCpus(form.cpus) ?? 2,
    memoryBytes: parseMemory(form.memory) ?? defaultMemory,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}
