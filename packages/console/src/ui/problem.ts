import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { AppContext } from './app-context.ts';
import { icon } from './icons.ts';

/** Message and hint of an error, and the server's exact message if the page shows a translation. */
export function problemBox(app: AppContext, error: unknown): TemplateResult | typeof nothing {
  if (error === null || error === undefined) return nothing;
  const { message, hint, detail } = app.explain(error);
  return html`<div class="problem" role="group">
    ${icon('alert')}<strong>${message}</strong>
    ${hint === '' ? nothing : html`<span>${hint}</span>`}
    ${detail === '' || detail === message ? nothing : html`<code lang="en">${detail}</code>`}
  </div>`;
}
