import { html } from 'lit';
import type { TemplateResult } from 'lit';

const nearlyFull = 0.9;

export interface Usage {
  freeBytes: number;
  totalBytes: number;
  label: string;
  /** The value in words. */
  text: string;
}

/** A meter that shows the used share of a space. */
export function usageMeter({ freeBytes, totalBytes, label, text }: Usage): TemplateResult {
  return html`<meter
    min="0"
    max=${totalBytes}
    high=${totalBytes * nearlyFull}
    .value=${totalBytes - freeBytes}
    aria-label=${label}
    aria-valuetext=${text}
  ></meter>`;
}
