import type { Image } from '@wcc/api';
import { html } from 'lit';
import type { CSSResult, PropertyDeclarations, TemplateResult } from 'lit';
import { OperationDialog } from '../operations/operation-dialog.ts';
import { createKeys } from '../ui/idempotency.ts';
import { image as styles } from './image-styles.ts';
import { imagesTextOf } from './text/catalogue.ts';
import type { ImageText } from './text/text.ts';

/** Base of the dialogs about one image. */
export abstract class ImageDialog extends OperationDialog {
  static override readonly properties: PropertyDeclarations = {
    ...OperationDialog.properties,
    image: { attribute: false },
  };
  declare image: Image;
  protected readonly keyOf: (body: unknown) => string = createKeys();

  protected override styles(): readonly CSSResult[] {
    return [styles];
  }

  protected get words(): ImageText {
    return imagesTextOf(this.app.preferences).image;
  }

  protected name(): TemplateResult {
    return html`<bdi translate="no">${this.image.name}</bdi>`;
  }
}
