import type { CopyMethodChoice, CopyPlan } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../state/app.ts';
import { judgeName, parseLimit } from '../state/copy-form.ts';
import type { CopyForm, NameVerdict } from '../state/copy-form.ts';
import type { Text } from '../text/text.ts';

export interface FieldContext {
  app: App;
  form: CopyForm;
  plan: CopyPlan | null;
  change: (part: Partial<CopyForm>) => void;
}

const methods: readonly CopyMethodChoice[] = ['auto', 'clone', 'copy'];

const valueOf = (event: Event): string =>
  event.target instanceof HTMLInputElement ? event.target.value : '';

export function nameField({ app, form, plan, change }: FieldContext): TemplateResult {
  const { copy } = app.text;
  const verdict = judgeName(form.name, plan);
  const isFree = verdict === null && plan?.nameTaken === false;
  const kind = verdict !== null ? 'note bad' : isFree ? 'note good' : 'note';
  return html`<div class="field">
    <label for="copy-name">${copy.name}</label>
    <input
      id="copy-name"
      name="name"
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
      .value=${form.name}
      @input=${(event: Event) => change({ name: valueOf(event) })}
      aria-invalid=${String(verdict !== null)}
      aria-describedby="copy-name-note"
    />
    <p class=${kind} id="copy-name-note">${verdictWords(verdict, copy) || (isFree ? copy.free : '\u00a0')}</p>
  </div>`;
}

function verdictWords(verdict: NameVerdict, copy: Text['copy']): string {
  if (verdict === null) return '';
  return verdict === 'taken' ? copy.taken : copy.nameProblems[verdict];
}

export function methodField({ app, form, plan, change }: FieldContext): TemplateResult {
  const { copy } = app.text;
  const isImpossible = (method: CopyMethodChoice): boolean =>
    method === 'clone' && plan?.clonePossible === false;
  return html`<fieldset class="field">
    <legend>${copy.method}</legend>
    <div class="segments">
      ${methods.map(
        (method) =>
          html`<label title=${isImpossible(method) ? copy.cloneImpossible : ''}
            ><input
              type="radio"
              name="method"
              value=${method}
              .checked=${form.method === method}
              ?disabled=${isImpossible(method)}
              aria-describedby="copy-method-note"
              @change=${() => change({ method })}
            />${copy.methods[method]}</label
          >`,
      )}
    </div>
    <p class="note" id="copy-method-note">${copy.methodHints[form.method]}</p>
  </fieldset>`;
}

export function extrasField({ app, form, change }: FieldContext): TemplateResult {
  const { copy } = app.text;
  const isBad = parseLimit(form.limit) === undefined;
  return html`<div class="pair">
    <div class="field">
      <label for="copy-limit">${copy.limit}</label>
      <div class="with-unit">
        <input
          id="copy-limit"
          name="limit"
          inputmode="decimal"
          autocomplete="off"
          .value=${form.limit}
          @input=${(event: Event) => change({ limit: valueOf(event) })}
          aria-invalid=${String(isBad)}
          aria-describedby="copy-limit-note"
        />
        <span class="muted">${copy.limitUnit}</span>
      </div>
      <p class=${isBad ? 'note bad' : 'note'} id="copy-limit-note">
        ${isBad ? copy.badLimit : copy.limitHint}
      </p>
    </div>
    <div class="field">
      <span class="label" aria-hidden="true">&nbsp;</span>
      <label class="check">
        <input
          type="checkbox"
          name="verify"
          .checked=${form.verify}
          @change=${(event: Event) => change({ verify: event.target instanceof HTMLInputElement && event.target.checked })}
        />${copy.verify}
        <span class="note">${copy.verifyHint}</span>
      </label>
    </div>
  </div>`;
}
