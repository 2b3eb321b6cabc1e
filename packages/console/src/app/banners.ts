import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { ago } from '../text/format.ts';
import { icon } from '../ui/icons.ts';
import type { App } from './app.ts';
import type { SignedInState } from './signed-in-state.ts';

/** Banner under the header while the view may be out of date. */
export function banners(app: App, signedIn: SignedInState): TemplateResult | typeof nothing {
  const { shell } = app.text;
  const { view } = signedIn.connection;
  const reload = html`<button class="button small" @click=${() => location.reload()}>
    ${icon('refresh')}${shell.reload}
  </button>`;
  if (app.session.isOutdated || view.kind === 'other_version')
    return html`<div class="banner" data-testid="banner-version">
      ${icon('refresh')}
      <p>${shell.newVersion}</p>
      ${reload}
    </div>`;
  if (view.kind === 'ok') return signedIn.operations.isPaused ? paused(app, signedIn) : nothing;
  const words =
    view.kind === 'lost' ? shell.lost(ago(view.sinceMs, app.preferences.locale)) : shell.tooManyWindows;
  return html`<div class="banner" data-testid="banner-connection">
    ${icon('offline')}
    <p>${words}</p>
    <button class="button small" @click=${() => signedIn.connection.retryNow()}>
      ${icon('refresh')}${shell.retryNow}
    </button>
  </div>`;
}

/** Shown while live updates are paused, so that users do not mistake old numbers for current ones. */
function paused({ text }: App, { operations }: SignedInState): TemplateResult {
  return html`<div class="banner paused" data-testid="banner-paused">
    ${icon('pause')}
    <p><strong>${text.pause.paused}</strong> <span class="muted">${text.pause.pausedLead}</span></p>
    <button class="button small" @click=${() => operations.resume()}>${text.pause.resume}</button>
  </div>`;
}

/** Shown to administrators while the server needs them. */
export function healthBanner(app: App, { health }: SignedInState): TemplateResult | typeof nothing {
  if (health.codes.length === 0) return nothing;
  const lines = health.codes.map((code) => html`<p>${app.text.shell.health[code]}</p>`);
  return html`<div class="banner" data-testid="banner-health">${icon('alert')}${lines}</div>`;
}
