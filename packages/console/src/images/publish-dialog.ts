import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { ImageDialog } from './image-dialog.ts';

/** Shows a private image to all users, after a question. */
export class PublishDialog extends ImageDialog {
  protected readonly idPrefix = 'publish';

  protected override render(): TemplateResult {
    const { words } = this;
    return this.frame({
      title: words.publishTitle,
      lead: this.name(),
      body: html`<p>${words.publishLead}</p>`,
      buttons: this.buttons(this.busy ? words.busy : words.publishSubmit, { look: 'danger' }),
      submit: () => void this.#submit(),
    });
  }

  async #submit(): Promise<void> {
    const isDone = await this.send(async () => {
      await this.app.api.changeImage(this.image.id, { private: false });
      await this.signedIn.images.load();
    });
    if (isDone) this.close();
  }
}
