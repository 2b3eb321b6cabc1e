import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';

/** A card with a heading. */
export function section(title: string, content: unknown): TemplateResult {
  return html`<section class="card panel" aria-label=${title}>
    <h2>${title}</h2>
    ${content}
  </section>`;
}

/** A term and its description; nothing when the value is unknown. */
export function fact(term: string, value: unknown): TemplateResult | typeof nothing {
  if (value === null || value === undefined || value === '' || value === nothing) return nothing;
  return html`<div>
    <dt>${term}</dt>
    <dd>${value}</dd>
  </div>`;
}
