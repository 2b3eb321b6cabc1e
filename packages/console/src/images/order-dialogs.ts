import type { ChangeImageRequest } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { ImageDialog } from './image-dialog.ts';

interface Order {
  title: string;
  lead: string;
  submit: string;
  change: ChangeImageRequest;
}

/** Changes an image at once, after a question. */
abstract class OrderDialog extends ImageDialog {
  protected abstract get order(): Order;

  protected override render(): TemplateResult {
    const { title, lead, submit } = this.order;
    return this.frame({
      title,
      lead: this.name(),
      body: html`<p>${lead}</p>`,
      buttons: this.buttons(this.busy ? this.words.busy : submit, { look: 'danger' }),
      submit: () => void this.#submit(),
    });
  }

  async #submit(): Promise<void> {
    const isDone = await this.send(async () => {
      await this.app.api.changeImage(this.image.id, this.order.change);
      await this.signedIn.images.load();
    });
    if (isDone) this.close();
  }
}

/** Shows a private image to all users. */
export class PublishDialog extends OrderDialog {
  protected readonly idPrefix = 'publish';

  protected override get order(): Order {
    const { publishTitle: title, publishLead: lead, publishSubmit: submit } = this.words;
    return { title, lead, submit, change: { private: false } };
  }
}

/** Accepts a changed file as the one that disks are based on. */
export class AcceptBaseDialog extends OrderDialog {
  protected readonly idPrefix = 'accept-base';

  protected override get order(): Order {
    const { acceptBase: title, acceptBaseLead: lead, acceptBaseSubmit: submit } = this.words;
    return { title, lead, submit, change: { baseChanged: false } };
  }
}
