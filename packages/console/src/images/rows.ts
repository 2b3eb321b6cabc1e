import type { Image } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { imagePageOf } from '../app/router.ts';
import { isActive, createdImageName } from '../operations/groups.ts';
import type { OperationEntry } from '../operations/operation-entry.ts';
import { pendingRow } from '../operations/rows.ts';
import { size } from '../text/format.ts';
import { icon } from '../ui/icons.ts';
import { imagesTextOf } from './text/catalogue.ts';

export interface ImageRowContext {
  app: App;
  onCopy: (image: Image) => void;
  mayCopy: boolean;
}

/** Table row of an image. */
export function imageRow(image: Image, { app, onCopy, mayCopy }: ImageRowContext): TemplateResult {
  const { list: images } = imagesTextOf(app.preferences);
  const { shell } = app.text;
  const isOffline = app.signedIn?.connection.isOnline === false;
  const isSource = app.signedIn?.operations.all.some(
    (entry) =>
      isActive(entry) && entry.snapshot.subject.kind === 'image' && entry.snapshot.subject.id === image.id,
  );
  const hasSize = image.state !== 'refused';
  const numberClass = hasSize ? 'number' : 'number none';
  return html`<tr role="row" data-image=${image.id}>
    <td role="cell" class="main">
      <a
        class="name"
        href=${imagePageOf(image.id)}
        title=${images.detailsOf(image.name)}
        @click=${app.router.onLink}
        ><bdi translate="no">${image.name}</bdi></a
      ><span class="id">#${image.id}</span>
      ${image.template ? html`<span class="badge">${images.template}</span>` : nothing}
      ${isSource ? html`<span class="copying">· ${images.beingCopied}</span>` : nothing}
    </td>
    <td role="cell" class=${hasSize ? '' : 'none'} data-label=${images.format}>
      <span class="format">${image.format ?? ''}</span>
    </td>
    <td role="cell" class=${numberClass} data-label=${images.virtualSize}>
      ${hasSize ? size(image.virtualSizeBytes) : ''}
    </td>
    <td role="cell" class=${numberClass} data-label=${images.onDisk}>
      ${hasSize ? size(image.dataBytes) : ''}
    </td>
    <td role="cell" class="in-state" data-label=${images.state}>${stateCell(image, app)}</td>
    <td role="cell" class="act">
      ${
        image.state === 'ready' && mayCopy
          ? html`<button
              class="button small"
              aria-label=${images.copyNamed(image.name)}
              aria-disabled=${String(isOffline)}
              title=${isOffline ? shell.disabledOffline : ''}
              @click=${() => (isOffline ? undefined : onCopy(image))}
            >
              ${icon('copy')}${images.copy}
            </button>`
          : nothing
      }
    </td>
  </tr>`;
}

/** The state, with its reason unless the image is ready. */
export function stateCell(image: Image, app: App): TemplateResult {
  const { list: images } = imagesTextOf(app.preferences);
  const why = stateReasonText(image, app);
  return html`<span class="state ${image.state}">
    <span class="dot"></span>
    <span>${images.states[image.state]}${why === '' ? nothing : html`<span class="why">${why}</span>`}</span>
  </span>`;
}

function stateReasonText(image: Image, app: App): string {
  const { list: text } = imagesTextOf(app.preferences);
  if (image.state === 'missing') return text.missingHint;
  if (image.state === 'ready' || image.stateReason === null) return '';
  const { reasons, otherReason } = text;
  if (Object.hasOwn(reasons, image.stateReason)) return reasons[image.stateReason] ?? '';
  const refusal = app.signedIn?.images.refusalText(image.stateReason, app.preferences.locale) ?? null;
  return refusal === null ? otherReason(image.stateReason) : `${refusal.message} ${refusal.hint}`;
}

/** An image that an operation is making. Its name is already reserved. */
export function pendingImageRow({ snapshot }: OperationEntry, app: App): TemplateResult {
  return pendingRow(app, { id: snapshot.id, name: createdImageName(snapshot) ?? '', columns: 6 });
}
