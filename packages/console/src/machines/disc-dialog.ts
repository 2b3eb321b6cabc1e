import type { Image, Vm } from '@wcc/api';
import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { Emitter } from '../ui/emitter.ts';
import { imageChoices } from './image-choices.ts';
import { VmDialog } from './machine-dialog.ts';

/** Inserts an ISO into the CD drive. */
export class DiscDialog extends VmDialog {
  static override readonly properties: PropertyDeclarations = {
    ...VmDialog.properties,
    vm: { attribute: false },
    image: { state: true },
  };
  declare vm: Vm;
  declare image: number;
  protected readonly idPrefix = 'vm-disc';

  constructor() {
    super();
    this.image = 0;
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.signedIn.images.changed];
  }

  get #discs(): Image[] {
    return this.signedIn.images.all.filter(({ state, format }) => state === 'ready' && format === 'iso');
  }

  protected override render(): TemplateResult {
    const { words } = this;
    const discs = this.#discs;
    const chosen = discs.find(({ id }) => id === this.image) ?? discs[0];
    return this.frame({
      title: words.disc.insert,
      lead: html`<bdi translate="no">${this.vm.name}</bdi>`,
      body:
        chosen === undefined
          ? html`<p class="question">${words.disc.none}</p>`
          : this.selectField({
              id: 'vm-disc-image',
              label: words.disc.image,
              value: String(chosen.id),
              choices: imageChoices(discs),
              change: (value) => (this.image = Number(value)),
            }),
      buttons: this.buttons(words.disc.insertVerb, { isOff: chosen === undefined }),
      submit: () => void this.#insert(chosen?.id),
    });
  }

  async #insert(image: number | undefined): Promise<void> {
    const { id } = this.vm;
    if (id === null || image === undefined) return;
    const isDone = await this.send(async () => {
      this.vms.put(await this.app.api.setCdrom(id, { image }));
    });
    if (!isDone) return;
    this.app.announcer.say(this.words.disc.inserted);
    this.close();
  }
}
