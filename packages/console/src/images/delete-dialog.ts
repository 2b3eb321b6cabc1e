import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { size } from '../text/format.ts';
import { icon } from '../ui/icons.ts';
import { ImageDialog } from './image-dialog.ts';
import { poolPlace } from './pool-place.ts';
import { imageUsers } from './references.ts';

/** Deletes an image, or names what prevents it. Cancel has the focus. */
export class DeleteDialog extends ImageDialog {
  protected readonly idPrefix = 'delete';

  protected override render(): TemplateResult {
    const { words, image } = this;
    const isFree = image.usedBy.length === 0 && !image.template;
    return this.frame({
      title: words.removeTitle,
      lead: html`${this.name()} · ${words.removeLead(size(image.dataBytes))}`,
      body: html`${image.template ? this.#obstacle(words.removeTemplate) : nothing}
      ${image.usedBy.length > 0 ? this.#obstacle(words.removeUsed, imageUsers(this.app, image)) : nothing}
      ${isFree ? this.#what() : nothing}`,
      buttons: isFree
        ? this.buttons(this.busy ? words.busy : words.removeSubmit, { look: 'danger' })
        : html`<button type="button" class="button" @click=${() => this.close()}>
            ${this.text.shell.close}
          </button>`,
      submit: () =>
        void (isFree && this.start(() => this.app.api.deleteImage(image.id, this.keyOf(image.id)))),
    });
  }

  #what(): TemplateResult {
    const { words, image } = this;
    const pool = this.signedIn.images.pools.find(({ id }) => id === image.pool);
    return html`<p>${words.removeFile}</p>
      <p class="path">
        <code translate="no">${pool === undefined ? '' : `${poolPlace(pool)}/`}${image.name}</code>
      </p>
      <p class="muted">${words.removeNothingElse}</p>`;
  }

  #obstacle(text: string, more: unknown = nothing): TemplateResult {
    return html`<div class="problem" role="group">${icon('alert')}<span>${text}</span>${more}</div>`;
  }
}
