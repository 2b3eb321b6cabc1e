import type { Upload } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { size } from '../text/format.ts';
import type { UploadsText } from './text/text.ts';

/** The files that the server waits for, each with its size and progress. */
export function unfinishedUploads(
  unfinished: readonly Upload[],
  text: UploadsText,
): TemplateResult | typeof nothing {
  if (unfinished.length === 0) return nothing;
  return html`<section class="unfinished" aria-label=${text.unfinished}>
    <p>${text.unfinished}</p>
    <ul>
      ${unfinished.map(
        ({ name, sizeBytes, offsetBytes }) =>
          html`<li>
            <bdi translate="no">${name}</bdi>
            <span class="muted"
              >${text.unfinishedFacts(size(sizeBytes), percentOf(offsetBytes, sizeBytes))}</span
            >
          </li>`,
      )}
    </ul>
    <p class="note">${text.unfinishedHint}</p>
  </section>`;
}

/** Rounded down, so that only a complete upload is at 100 %. */
export function percentOf(done: number, total: number): string {
  return `${total === 0 ? 0 : Math.floor((done / total) * 100)} %`;
}
