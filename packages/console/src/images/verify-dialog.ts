import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { valueOf } from '../ui/form-value.ts';
import { ImageDialog } from './image-dialog.ts';

/** Computes the SHA-256 of an image and optionally compares it. */
export class VerifyDialog extends ImageDialog {
  protected readonly idPrefix = 'verify';

  protected override render(): TemplateResult {
    const { words } = this;
    return this.frame({
      title: words.verifyTitle,
      lead: this.name(),
      body: html`<p>${words.verifyLead}</p>
        ${this.input('sha256', { label: words.expected, hint: words.expectedHint })}`,
      note: words.mayLeave,
      buttons: this.buttons(this.busy ? this.words.busy : words.verifySubmit),
      submit: (form) => void this.#submit(form),
    });
  }

  async #submit(form: HTMLFormElement): Promise<void> {
    const sha256 = valueOf(form, 'sha256').trim().toLowerCase();
    if (sha256 !== '' && !/^[0-9a-f]{64}$/.test(sha256))
      return this.showFieldError({ field: 'sha256', message: this.words.badDigest });
    const body = sha256 === '' ? {} : { sha256 };
    await this.start(() => this.app.api.verifyImage(this.image.id, body, this.keyOf(body)));
  }
}
