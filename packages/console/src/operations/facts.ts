import type { OperationLog } from '@wcc/api';
import { formatBytes, formatPercent, isTerminal } from '@wcc/progress';
import type { Phase, PhaseName, Reference, Snapshot } from '@wcc/progress';
import { durationText, phaseName, warningText } from '../text/operation-names.ts';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { operationPageOf, pagePaths } from '../app/router.ts';
import { clockTime, count } from '../text/format.ts';
import { fact, section } from '../ui/facts.ts';
import { operationsTextOf } from './text/catalogue.ts';

type Part = TemplateResult | typeof nothing;

/** Amount and duration of each phase. */
export function phasesOf(app: App, snapshot: Snapshot): Part {
  const { phases } = snapshot;
  if (phases.length === 0) return nothing;
  const { operation: text } = operationsTextOf(app.preferences);
  const { locale } = app.preferences;
  return section(
    text.phases,
    html`<ol class="phases">
      ${phases.map(
        (phase) =>
          html`<li class="phase-${phase.state}">
            <span class="phase">${phaseName(phase.name, locale)}</span>
            <span class="is">${hasNoOutcome(phase, snapshot) ? '' : text.phaseStates[phase.state]}</span>
            <span class="amount">${amountOf(phase, app)}</span>
            <span class="time">${timeOf(phase, snapshot, app)}</span>
          </li>`,
      )}
    </ol>`,
  );
}

/** After the end of the operation, the state of a phase that did not end is hidden. */
function hasNoOutcome(phase: Phase | PhaseName, snapshot: Snapshot): boolean {
  const isOpen = phase.state === 'pending' || phase.state === 'running';
  return isTerminal(snapshot.state) && (isOpen || wasCut(phase, snapshot));
}

/** The phase in which the operation was cancelled is "skipped", although it ran. */
function wasCut(phase: Phase | PhaseName, { state, phases, phaseIndex }: Snapshot): boolean {
  return state === 'cancelled' && phase === phases[phaseIndex];
}

function timeOf(phase: Phase | PhaseName, snapshot: Snapshot, app: App): string {
  const { state, elapsedMs } = phase;
  const hasRun = state !== 'pending' && (state !== 'skipped' || wasCut(phase, snapshot));
  if (elapsedMs === undefined || !hasRun) return '';
  return durationText(elapsedMs, app.preferences.locale);
}

function amountOf(phase: Phase | PhaseName, app: App): string {
  if (!('done' in phase) || (phase.done === 0 && phase.total === null)) return '';
  const show = (value: number): string =>
    phase.unit === 'bytes' ? formatBytes(value) : count(value, app.preferences.locale);
  const percent = formatPercent(phase.done, phase.total);
  if (phase.unit === null) return percent === null ? '' : `${percent} %`;
  if (phase.total === null) return show(phase.done);
  return phase.done >= phase.total ? show(phase.total) : `${show(phase.done)} / ${show(phase.total)}`;
}

export function bytesOf(app: App, { bytes, method }: Snapshot): Part {
  if (bytes === null) return nothing;
  const { operation: text } = operationsTextOf(app.preferences);
  const names = ['virtual', 'data', 'written', 'shared', 'skipped'] as const;
  const isKnown = method !== null && Object.hasOwn(text.methods, method);
  return section(
    text.bytes,
    html`<dl>
      ${names.map((name) => fact(text.byteNames[name], formatBytes(bytes[name])))}
      ${fact(text.method, isKnown ? (text.methods[method] ?? null) : method)}
    </dl>`,
  );
}

/** Message and hint in the reader's language, with the server's code and detail. */
export function errorOf(app: App, { error }: Snapshot): Part {
  if (error === null) return nothing;
  const { operation: text } = operationsTextOf(app.preferences);
  const { message, hint } = app.explainOperation(error);
  return section(
    text.error,
    html`<p class="bad"><strong>${message}</strong></p>
      ${hint === '' ? nothing : html`<p>${hint}</p>`}
      <dl>
        ${fact(text.code, html`<code>${error.code}</code>`)}
        ${fact(text.detail, error.detail === null ? null : html`<code lang="en">${error.detail}</code>`)}
      </dl>`,
  );
}

export function warningsOf(app: App, { warnings }: Snapshot): Part {
  if (warnings.length === 0) return nothing;
  const { locale } = app.preferences;
  return section(
    operationsTextOf(app.preferences).operation.warnings,
    html`<ul class="warnings">
      ${warnings.map((code) => html`<li>${warningText(code, locale)} <code>${code}</code></li>`)}
    </ul>`,
  );
}

/** Owner, times and related resources. */
export function aboutOf(app: App, snapshot: Snapshot): TemplateResult {
  const { operation: text } = operationsTextOf(app.preferences);
  const time = (at: string | null): Part =>
    at === null ? nothing : html`<time datetime=${at}>${clockTime(at, app.times)}</time>`;
  const link = (id: string | null): Part =>
    id === null
      ? nothing
      : html`<a href=${operationPageOf(id)} @click=${app.router.onLink}><code>${id}</code></a>`;
  return section(
    text.about,
    html`<dl>
      ${fact(text.owner, snapshot.ownerName === '' ? '' : name(snapshot.ownerName))}
      ${fact(text.created, time(snapshot.createdAt))} ${fact(text.started, time(snapshot.startedAt))}
      ${fact(text.endedAt, time(snapshot.endedAt))} ${fact(text.subject, subjectOf(app, snapshot.subject))}
      ${fact(text.target, snapshot.target === null ? null : name(snapshot.target.name))}
      ${fact(text.result, resultOf(app, snapshot))} ${fact(text.retryOf, link(snapshot.retryOf))}
      ${fact(text.partOf, link(snapshot.partOf))}
      ${fact(text.label, html`<code translate="no">${snapshot.label}</code>`)}
      ${fact(text.id, html`<code translate="no">${snapshot.id}</code>`)}
    </dl>`,
  );
}

const name = (text: string): TemplateResult => html`<bdi translate="no">${text}</bdi>`;

function subjectOf(app: App, subject: Reference): TemplateResult {
  if (subject.id === null) return name(subject.name);
  const query = `?subject=${encodeURIComponent(subject.kind)}:${encodeURIComponent(String(subject.id))}`;
  return html`${name(subject.name)}
    <a href="${pagePaths.operations}${query}" @click=${app.router.onLink}
      >${operationsTextOf(app.preferences).operation.others(subject.name)}</a
    >`;
}

function resultOf(app: App, { result, target }: Snapshot): Part {
  if (result === null) return nothing;
  const { showImage, showVm } = operationsTextOf(app.preferences).operation;
  if (result.kind !== 'image' && result.kind !== 'vm')
    return html`<code translate="no">${result.kind} ${result.id}</code>`;
  return html`${target === null ? nothing : name(target.name)}
    <button class="button small" @click=${() => app.router.goToResult(result)}>
      ${result.kind === 'vm' ? showVm : showImage}
    </button>`;
}

/** The server writes the log in English, so it is marked as English. */
export function logOf(app: App, log: OperationLog['items'] | null): Part {
  if (log === null) return nothing;
  const { operation: text } = operationsTextOf(app.preferences);
  return section(
    text.log,
    log.length === 0
      ? html`<p class="muted">${text.noLog}</p>`
      : html`<ol class="log">
          ${log.map(
            ({ at, kind, text: line }) =>
              html`<li>
                <time datetime=${at}>${clockTime(at, { ...app.times, hasSeconds: true })}</time>
                <code class="kind">${kind}</code><span lang="en">${line}</span>
              </li>`,
          )}
        </ol>`,
  );
}
