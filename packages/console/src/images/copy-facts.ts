import type { CopyPlan } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { size } from '../text/format.ts';
import { sharesBlocks } from './copy-form.ts';
import type { CopyForm } from './copy-form.ts';
import { imagesTextOf } from './text/catalogue.ts';

export interface FactsContext {
  app: App;
  form: CopyForm;
  plan: CopyPlan | null;
  /** Why the plan could not be loaded. */
  problem: unknown;
}

/** Size of the image, required space and free space. */
export function copyFacts({ app, form, plan, problem }: FactsContext): TemplateResult {
  const { copy } = imagesTextOf(app.preferences);
  const { shell } = app.text;
  if (plan === null) {
    const isBad = problem !== null && problem !== undefined;
    const words = isBad ? `${copy.planFailed} ${app.explain(problem).message}` : shell.loading;
    return html`<div class="facts" role="group" aria-label=${copy.before}>
      <div class=${isBad ? 'wide bad' : 'wide'}>${words}</div>
    </div>`;
  }
  const isShared = sharesBlocks(form, plan);
  const isShort = !isShared && plan.needsBytes > plan.freeBytes;
  return html`<dl class="facts" aria-label=${copy.before}>
    <dt>${copy.image}</dt>
    <dd>${copy.imageFacts(size(plan.virtualSizeBytes), size(plan.dataBytes))}</dd>
    <dt>${copy.needs}</dt>
    <dd>${isShared ? copy.needsShared : size(plan.needsBytes)}</dd>
    <dt>${copy.freeSpace}</dt>
    <dd>${size(plan.freeBytes)}</dd>
    ${
      isShort
        ? html`<dd class="wide bad">${copy.notEnough(size(plan.needsBytes), size(plan.freeBytes))}</dd>`
        : nothing
    }
    <dt>${copy.instant}</dt>
    <dd>${plan.clonePossible ? copy.instantYes : copy.instantNo}</dd>
  </dl>`;
}
