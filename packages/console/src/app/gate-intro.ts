import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { mark } from '../ui/icons.ts';

/** Header of the pages before sign-in. */
export function gateIntro(title: string, lead: string): TemplateResult {
  return html`<div class="intro">
    ${mark()}
    <h1>${title}</h1>
    <p class="muted">${lead}</p>
  </div>`;
}
