import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import type { App } from './app.ts';
import type { LazyPart } from './lazy-parts.ts';

/**
 * The result of `render` once the part's elements are defined. An undefined element would not get its
 * properties.
 */
export function lazyPart(part: LazyPart, app: App, render: () => TemplateResult): TemplateResult {
  const state = app.lazyParts.request(part);
  if (state === 'loaded') return render();
  const { shell } = app.text;
  if (state === 'loading') return html`<p class="muted">${shell.loading}</p>`;
  return html`<div class="problem" role="group">
    ${icon('alert')}<span>${shell.unreachable}</span>
    <button class="button" @click=${() => void app.lazyParts.load(part)}>${shell.tryAgain}</button>
  </div>`;
}
