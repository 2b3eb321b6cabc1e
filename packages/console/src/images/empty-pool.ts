import type { Pool } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { icon } from '../ui/icons.ts';
import { imagesTextOf } from './text/catalogue.ts';

export interface EmptyPoolContext {
  pool: Pool | undefined;
  canCreate: boolean;
  busy: boolean;
  onSample: () => void;
  onUpload: () => void;
}

/** Shown in an empty pool: the ways to get a first image. */
export function emptyPool(
  app: App,
  { pool, canCreate, busy, onSample, onUpload }: EmptyPoolContext,
): TemplateResult {
  const { list: images } = imagesTextOf(app.preferences);
  if (!canCreate)
    return html`<section class="card empty">
      ${icon('disk')}
      <h2>${images.emptyTitle}</h2>
      <p>${images.viewerHint}</p>
    </section>`;
  return html`<section class="card empty">
    ${icon('disk')}
    <h2>${images.emptyTitle}</h2>
    <p>${images.emptyLead}</p>
    <div class="ways">
      <button
        class="button primary"
        aria-disabled=${String(busy)}
        @click=${() => (busy ? undefined : onSample())}
      >
        ${icon('plus')}${images.makeSample}
      </button>
      <button class="button" @click=${onUpload}>${icon('upload')}${images.upload}</button>
    </div>
    <p>${images.sampleHint}</p>
    ${
      typeof pool?.path === 'string'
        ? html`<p class="or">${images.putFiles} <code>${pool.path}</code> ${images.thenRescan}</p>`
        : nothing
    }
  </section>`;
}
