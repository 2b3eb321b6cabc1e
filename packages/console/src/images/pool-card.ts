import type { Pool } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { errorTextOf } from '../text/errors.ts';
import { size } from '../text/format.ts';
import { icon } from '../ui/icons.ts';
import { usageMeter } from '../ui/usage-meter.ts';
import { poolPlace } from './pool-place.ts';
import { imagesTextOf } from './text/catalogue.ts';

/** Path and free space of a pool, or why it is unavailable. */
export function poolCard(app: App, pool: Pool): TemplateResult {
  const { list: images } = imagesTextOf(app.preferences);
  if (pool.state === 'unavailable') return unavailable(app, pool);
  const label = images.free(size(pool.freeBytes), size(pool.totalBytes));
  return html`<section class="card pool" aria-label=${images.space}>
    <p class="where">${icon('disk')}<code>${poolPlace(pool)}</code></p>
    <p class="space">
      <span>
        ${label}${pool.reservedBytes > 0 ? html` · ${images.reserved(size(pool.reservedBytes))}` : nothing}
        ${pool.clonePossible ? html` · ${images.clonePossible}` : nothing}
      </span>
      ${usageMeter({
        freeBytes: pool.freeBytes,
        totalBytes: pool.totalBytes,
        label: images.space,
        text: label,
      })}
    </p>
  </section>`;
}

function unavailable(app: App, pool: Pool): TemplateResult {
  const { list: text } = imagesTextOf(app.preferences);
  const reason = pool.stateReason;
  const known = errorTextOf(app.preferences.locale)['pool_unavailable'];
  return html`<section class="problem" aria-label=${text.unavailable} data-testid="pool-unavailable">
    ${icon('alert')}<strong>${text.unavailable}</strong>
    ${known === undefined ? nothing : html`<span>${known.message} ${known.hint}</span>`}
    ${reason === null ? nothing : html`<span>${reason.message}</span><span>${reason.hint}</span>`}
    <code>${poolPlace(pool)}</code>
  </section>`;
}
