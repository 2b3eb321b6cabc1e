import type { Image } from '@wcc/api';
import { html } from 'lit';
import type { CSSResult, PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { createKeys } from '../ui/idempotency.ts';
import { image as styles } from './image-styles.ts';
import type { ImageText } from './text/text.ts';
import { imagesTextOf } from './text/catalogue.ts';
import { FormDialog } from '../ui/form-dialog.ts';

/** What the dialogs about one image have in common; each closes once its operation exists. */
export abstract class ImageDialog extends FormDialog<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormDialog.properties,
    image: { attribute: false },
  };
  declare image: Image;
  protected readonly keyOf: (body: unknown) => string = createKeys();

  protected override styles(): readonly CSSResult[] {
    return [styles];
  }

  protected get closeWord(): string {
    return this.words.close;
  }

  protected get words(): ImageText {
    return imagesTextOf(this.app.preferences).image;
  }

  protected name(): TemplateResult {
    return html`<bdi translate="no">${this.image.name}</bdi>`;
  }

  protected buttons(submit: unknown, look = 'primary'): TemplateResult {
    return html`<button type="button" class="button" @click=${() => this.close()}>${this.closeWord}</button>
      <button class="button ${look}" aria-disabled=${String(this.busy)}>
        ${this.busy ? this.words.busy : submit}
      </button>`;
  }

  /** Begins the operation and closes; a fieldError is shown in the dialog. */
  protected async begin(order: () => ReturnType<typeof this.app.api.cancel>): Promise<void> {
    const isBegun = await this.send(async () => {
      const { operation } = await order();
      this.signedIn.operations.offer(operation);
    });
    if (isBegun) this.close();
  }
}
