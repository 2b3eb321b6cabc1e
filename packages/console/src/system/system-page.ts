import type { DoctorReport } from '@wcc/api';
import { html, nothing } from 'lit';
import type { CSSResult, PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { clockTime, count } from '../text/format.ts';
import type { Locale } from '../text/text.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import { section } from '../ui/facts.ts';
import { icon } from '../ui/icons.ts';
import type { IconName } from '../ui/icons.ts';
import { problemBox } from '../ui/problem.ts';
import { system } from './styles.ts';
import { SystemState } from './system-state.ts';
import { systemTextOf } from './text/catalogue.ts';
import { findingTextOf, loadFindingTexts } from './text/findings.ts';
import type { SystemText } from './text/text.ts';

type Check = DoctorReport['checks'][number];

const icons: Readonly<Record<Check['state'], IconName>> = {
  failed: 'alert',
  warning: 'alert',
  ok: 'check',
  skipped: 'minimise',
};

/** The checks of the host, for administrators: what needs attention comes first. */
export class SystemPage extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    isChecking: { state: true },
  };
  declare isChecking: boolean;
  #state: SystemState | null = null;
  /** The language whose texts are loaded, or are being loaded. */
  #locale: Locale | null = null;

  constructor() {
    super();
    this.isChecking = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#state ??= new SystemState(this.app.api);
    void this.#check();
  }

  protected override styles(): readonly CSSResult[] {
    return [system];
  }

  protected override willUpdate(): void {
    const { locale } = this.app.preferences;
    if (locale === this.#locale) return;
    this.#locale = locale;
    void loadFindingTexts(locale).then(() => this.requestUpdate());
  }

  get #text(): SystemText {
    return systemTextOf(this.app.preferences);
  }

  async #check(): Promise<void> {
    const state = this.#state;
    if (state === null || this.isChecking) return;
    this.isChecking = true;
    await state.load();
    this.isChecking = false;
    if (state.report !== null && state.problem === null) this.app.announcer.say(this.#summary(state.report));
  }

  #summary({ checks }: DoctorReport): string {
    const number = (state: Check['state']): number => checks.filter((check) => check.state === state).length;
    const [failed, warnings] = [number('failed'), number('warning')];
    if (failed + warnings === 0) return this.#text.allGood;
    const { locale } = this.app.preferences;
    return this.#text.summary(count(failed, locale), count(warnings, locale));
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    const { report = null, problem = null } = this.#state ?? {};
    return html`<div class="page-head">
        <div>
          <h1>${text.title}</h1>
          <p class="muted">${text.lead}</p>
        </div>
        <button class="button" aria-disabled=${String(this.isChecking)} @click=${() => void this.#check()}>
          ${icon('rescan')}${this.isChecking ? text.checking : text.again}
        </button>
      </div>
      ${problemBox(this.app, problem)}
      ${
        report === null
          ? problem === null
            ? html`<p class="muted">${text.checking}</p>`
            : nothing
          : this.#report(report)
      }`;
  }

  #report(report: DoctorReport): TemplateResult {
    const text = this.#text;
    const time = clockTime(report.checkedAt, { ...this.app.times, hasSeconds: true });
    const of = (...states: Check['state'][]): Check[] =>
      states.flatMap((state) => report.checks.filter((check) => check.state === state));
    return html`<p class="muted">
        ${this.#summary(report)} ${text.checkedAt(time, `${(report.durationMs / 1000).toFixed(1)} s`)}
      </p>
      ${this.#part(text.parts.attention, of('failed', 'warning'))} ${this.#part(text.parts.good, of('ok'))}
      ${this.#part(text.parts.skipped, of('skipped'))}`;
  }

  #part(title: string, checks: readonly Check[]): TemplateResult | typeof nothing {
    if (checks.length === 0) return nothing;
    return section(
      title,
      html`<ul class="host-checks">
        ${checks.map((check) => this.#item(check))}
      </ul>`,
    );
  }

  #item(check: Check): TemplateResult {
    const text = this.#text;
    const { found, advice } = findingTextOf(check, this.app.preferences.locale);
    return html`<li class=${check.state} data-check=${check.id}>
      ${icon(icons[check.state])}
      <div>
        <h3>
          ${text.checks[check.id] ?? check.title} <span class="state">${text.states[check.state]}</span>
        </h3>
        <p>${found}</p>
        ${advice === null ? nothing : html`<p class="advice"><strong>${text.advice}</strong> ${advice}</p>`}
      </div>
    </li>`;
  }
}
