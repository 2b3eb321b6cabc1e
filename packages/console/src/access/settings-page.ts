import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { languageChoice, themeChoice } from '../app/user-menu.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { accessTextOf } from './text/catalogue.ts';

/**
 * The user's own settings. Password and first-boot profile are stored on the server, the rest in this
 * browser.
 */
export class SettingsPage extends ConsoleElement<App> {
  protected override observed(): Emitter[] {
    return [...super.observed(), this.signedIn.operations.pausing];
  }

  protected override render(): TemplateResult {
    const { settings: text } = accessTextOf(this.app.preferences);
    const panel = (title: string, lead: string, content: unknown): TemplateResult =>
      html`<section class="card setting">
        <div>
          <h2>${title}</h2>
          <p class="muted">${lead}</p>
        </div>
        <div class="choices">${content}</div>
      </section>`;
    return html`<div class="page-head"><h1>${text.title}</h1></div>
      ${panel(text.password, text.passwordLead, html`<wcc-password-form .app=${this.app}></wcc-password-form>`)}
      ${this.app.canWrite ? panel(text.profile.title, text.profile.lead, html`<wcc-profile-form .app=${this.app}></wcc-profile-form>`) : nothing}
      ${panel(text.look, '', html`${languageChoice(this.app, 'setting')} ${themeChoice(this.app, 'setting')}`)}
      ${panel(text.awake, text.awakeLead, this.#awake())} ${panel(text.live, text.liveLead, this.#pause())}
      ${panel(text.units, text.unitsLead, '')}`;
  }

  #awake(): TemplateResult {
    const { preferences } = this.app;
    return html`<label class="check">
      <input
        type="checkbox"
        .checked=${preferences.keepAwake}
        @change=${(event: Event) =>
          event.target instanceof HTMLInputElement && preferences.setKeepAwake(event.target.checked)}
      />${accessTextOf(preferences).settings.awakeChoice}
    </label>`;
  }

  #pause(): TemplateResult {
    const { operations } = this.signedIn;
    const { pause } = this.text;
    return html`<div>
      <button class="button" @click=${() => (operations.isPaused ? operations.resume() : operations.pause())}>
        ${operations.isPaused ? pause.resume : pause.pause}
      </button>
    </div>`;
  }
}
