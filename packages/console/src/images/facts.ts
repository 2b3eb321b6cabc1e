import type { Image } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { copyText, hasClipboard } from '../app/clipboard.ts';
import { imagePageOf } from '../app/router.ts';
import { clockTime, size } from '../text/format.ts';
import { fact, section } from '../ui/facts.ts';
import { icon } from '../ui/icons.ts';
import { poolPlace } from './pool-place.ts';
import { imageUsers } from './references.ts';
import { stateCell } from './rows.ts';
import { imagesTextOf } from './text/catalogue.ts';

export function factsOf(app: App, image: Image): TemplateResult {
  const text = imagesTextOf(app.preferences).image;
  const { list: images } = imagesTextOf(app.preferences);
  const pool = app.signedIn?.images.pools.find(({ id }) => id === image.pool);
  const at = clockTime(image.createdAt, app.times);
  const hasSize = image.state !== 'refused';
  return section(
    text.facts,
    html`<dl>
      ${fact(images.state, stateCell(image, app))}
      ${fact(images.format, image.format === null ? null : html`<span class="format">${image.format}</span>`)}
      ${fact(images.virtualSize, hasSize ? size(image.virtualSizeBytes) : null)}
      ${fact(text.fileSize, hasSize ? size(image.sizeBytes) : null)}
      ${fact(images.onDisk, hasSize ? size(image.dataBytes) : null)}
      ${fact(text.pool, pool === undefined ? null : html`<code translate="no">${poolPlace(pool)}</code>`)}
      ${fact(text.created, html`<time datetime=${image.createdAt}>${at}</time>`)}
      ${fact(text.id, html`<code>#${image.id}</code>`)}
    </dl>`,
  );
}

/** The image's source and its copies. */
export function lineageOf(app: App, image: Image): TemplateResult {
  const text = imagesTextOf(app.preferences).image;
  const images = app.signedIn?.images.all ?? [];
  const copies = images.filter(({ copiedFrom }) => copiedFrom === image.id);
  const source = images.find(({ id }) => id === image.copiedFrom);
  if (image.copiedFrom === null && copies.length === 0)
    return section(text.lineage, html`<p class="muted">${text.noLineage}</p>`);
  const from =
    image.copiedFrom === null
      ? null
      : source === undefined
        ? text.lost(String(image.copiedFrom))
        : linkTo(app, source);
  return section(
    text.lineage,
    html`<dl>
      ${fact(text.copiedFrom, from)}
      ${fact(text.copies, copies.length === 0 ? null : copies.map((copy) => linkTo(app, copy)))}
    </dl>`,
  );
}

function linkTo({ router }: App, { id, name }: Image): TemplateResult {
  return html`<a href=${imagePageOf(id)} @click=${router.onLink}><bdi translate="no">${name}</bdi></a>`;
}

export function checksumOf(app: App, { sha256 }: Image, mayCompute: boolean): TemplateResult {
  const text = imagesTextOf(app.preferences).image;
  if (sha256 === null) return section(text.checksum, html`<p class="muted">${text.noChecksum}</p>`);
  const canCopy = hasClipboard() && mayCompute;
  const copy = (): void => void copyText(app, sha256, text.copied);
  return section(
    text.checksum,
    html`<p class="sha256">
      <code translate="no">${sha256}</code>
      ${
        canCopy
          ? html`<button
              class="button quiet small"
              aria-label=${text.copyText}
              title=${text.copyText}
              @click=${copy}
            >
              ${icon('copy')}
            </button>`
          : nothing
      }
    </p>`,
  );
}

export function usersOf(app: App, image: Image): TemplateResult {
  const text = imagesTextOf(app.preferences).image;
  return section(
    text.usedBy,
    image.usedBy.length === 0 ? html`<p class="muted">${text.unused}</p>` : imageUsers(app, image),
  );
}
