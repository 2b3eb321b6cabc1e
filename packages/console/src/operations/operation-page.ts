import type { OperationLog } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { formatRate } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import { html, nothing, svg } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { copyText, hasClipboard } from '../app/clipboard.ts';
import { lazyPart } from '../app/lazy.ts';
import { pagePaths } from '../app/router.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { section } from '../ui/facts.ts';
import { icon } from '../ui/icons.ts';
import { problemBox } from '../ui/problem.ts';
import { aboutOf, bytesOf, errorOf, logOf, phasesOf, warningsOf } from './facts.ts';
import { liveRow } from './live-row.ts';
import type { RowOffers } from './live-row.ts';
import type { OperationEntry } from './operation-entry.ts';
import { RateHistory, sparkline } from './rate-history.ts';
import { operationsTextOf } from './text/catalogue.ts';

const paintEveryMs = 250;
const chart = { width: 600, height: 80 };

/** Row, phases, log, details and sharing of one operation. */
export class OperationPage extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    problem: { state: true },
    log: { state: true },
    copied: { state: true },
  };
  declare problem: unknown;
  declare log: OperationLog['items'] | null;
  declare copied: boolean;
  #id = '';
  #stop: (() => void) | null = null;
  #rates = new RateHistory();
  #logFor = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #offers: RowOffers = {
    verbs: ['open'],
    run: (verb, id) => {
      const result = this.signedIn.operations.get(id)?.snapshot.result;
      if (verb === 'open' && result) this.app.router.goToResult(result);
    },
  };

  constructor() {
    super();
    this.problem = null;
    this.log = null;
    this.copied = false;
  }

  protected override observed(): Emitter[] {
    return [
      ...super.observed(),
      this.signedIn.operations.changed,
      this.app.router.changed,
      this.app.lazyParts.changed,
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    this.#stop = null;
    this.#id = '';
    clearTimeout(this.#timer);
  }

  protected override willUpdate(): void {
    const { operationId } = this.app.router;
    if (operationId === null || operationId === this.#id) return;
    this.#stop?.();
    this.#id = operationId;
    this.#rates = new RateHistory();
    this.#logFor = '';
    this.problem = null;
    this.log = null;
    this.copied = false;
    this.#stop = this.signedIn.operations.listen(operationId, () => this.#onSnapshot());
    this.#onSnapshot();
    void this.#load(operationId);
  }

  protected override render(): TemplateResult {
    const { operation: text } = operationsTextOf(this.app.preferences);
    const entry = this.signedIn.operations.get(this.#id);
    return html`<div class="page-head">
        <h1>${text.title}</h1>
        <a class="button quiet" href=${pagePaths.operations} @click=${this.app.router.onLink}
          >${icon('back')}${text.back}</a
        >
      </div>
      ${entry === undefined ? this.#missing() : this.#whole(entry)}`;
  }

  /** The same text for an operation that does not exist and one that the user may not see. */
  #missing(): TemplateResult {
    const { operation: text } = operationsTextOf(this.app.preferences);
    const { shell } = this.text;
    if (this.problem === null) return html`<p class="muted">${shell.loading}</p>`;
    if (!(this.problem instanceof ApiProblem && this.problem.status === 404))
      return html`${problemBox(this.app, this.problem)}
        <p class="more">
          <button class="button" @click=${() => void this.#load(this.#id)}>
            ${this.text.shell.tryAgain}
          </button>
        </p>`;
    return html`<section class="card empty">
      ${icon('alert')}
      <h2>${text.notFound}</h2>
      <p>${text.notFoundHint}</p>
    </section>`;
  }

  #whole({ snapshot, may }: OperationEntry): TemplateResult {
    const { app } = this;
    return html`<div class="card operation-card">${liveRow(app, snapshot.id, { offers: this.#offers })}</div>
      <div class="operation-grid">
        <div>
          ${errorOf(app, snapshot)} ${warningsOf(app, snapshot)} ${this.#chart(snapshot)}
          ${phasesOf(app, snapshot)} ${logOf(app, this.log)}
        </div>
        <div>
          ${aboutOf(app, snapshot)} ${bytesOf(app, snapshot)}
          ${
            may?.['share'] === true
              ? lazyPart(
                  'access',
                  app,
                  () =>
                    html`<wcc-operation-access .app=${app} .operation=${snapshot.id}></wcc-operation-access>`,
                )
              : nothing
          }
        </div>
      </div>
      ${this.#raw(snapshot)}`;
  }

  #chart(snapshot: Snapshot): TemplateResult | typeof nothing {
    const { operation: text } = operationsTextOf(this.app.preferences);
    const { line, area, peak } = sparkline(this.#rates.samples, chart);
    const phase = snapshot.phases[snapshot.phaseIndex];
    if (line === '' || phase === undefined) return nothing;
    const isSteps = 'unit' in phase && phase.unit !== 'bytes';
    const show = (rate: number): string =>
      isSteps ? text.stepsPerSecond(rate.toFixed(1)) : formatRate(Math.round(rate));
    const now =
      snapshot.state === 'running' && snapshot.rate !== null ? text.rateNow(show(snapshot.rate)) : '';
    const words = [now, text.ratePeak(show(peak))].filter((part) => part !== '').join(' · ');
    return section(
      text.rate,
      html`<svg
          class="sparkline"
          viewBox="0 -2 ${chart.width} ${chart.height + 4}"
          preserveAspectRatio="none"
          role="img"
          aria-label="${text.rate}: ${words}"
        >
          ${svg`<path class="area" d=${area}/><path class="line" d=${line}/>`}
        </svg>
        <p class="muted" aria-hidden="true">${words}</p>`,
    );
  }

  #raw(snapshot: Snapshot): TemplateResult {
    const { operation: text } = operationsTextOf(this.app.preferences);
    return html`<details class="card raw">
      <summary>${text.raw}</summary>
      ${
        hasClipboard()
          ? html`<button class="button small" @click=${() => void this.#copy(snapshot)}>
              ${icon('copy')}${this.copied ? text.copied : text.copy}
            </button>`
          : nothing
      }
      <pre tabindex="0" aria-label=${text.raw}><code>${JSON.stringify(snapshot, null, 2)}</code></pre>
    </details>`;
  }

  async #copy(snapshot: Snapshot): Promise<void> {
    const { copied } = operationsTextOf(this.app.preferences).operation;
    this.copied = await copyText(this.app, JSON.stringify(snapshot, null, 2), copied);
  }

  /** Paints at most four times per second. Loads the log when the state or the phase changes. */
  #onSnapshot(): void {
    const entry = this.signedIn.operations.get(this.#id);
    if (entry === undefined) return;
    const { snapshot } = entry;
    this.#rates.add(snapshot);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.requestUpdate();
    }, paintEveryMs);
    const logFor = `${snapshot.epoch} ${snapshot.state} ${snapshot.phaseIndex}`;
    if (logFor === this.#logFor) return;
    this.#logFor = logFor;
    void this.#loadLog(this.#id);
  }

  async #load(id: string): Promise<void> {
    this.problem = null;
    try {
      this.signedIn.operations.offer(await this.app.api.operation(id));
      if (this.#id === id) this.requestUpdate();
    } catch (error) {
      if (this.#id === id) this.problem = error;
    }
  }

  /** An error is ignored: the next change loads the log again. */
  async #loadLog(id: string): Promise<void> {
    try {
      const { items } = await this.app.api.operationLog(id);
      if (this.#id === id) this.log = items;
    } catch {
      if (this.#id === id) this.#logFor = '';
    }
  }
}
