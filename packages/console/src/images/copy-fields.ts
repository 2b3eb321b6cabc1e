import type { CopyMethodChoice, CopyPlan } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { judgeName, parseLimit } from './copy-form.ts';
import type { CopyForm, NameVerdict } from './copy-form.ts';
import type { Text } from '../text/text.ts';
import type { FieldError } from '../ui/form-element.ts';
import { imagesTextOf } from './text/catalogue.ts';

export interface FieldContext {
  app: App;
  form: CopyForm;
  plan: CopyPlan | null;
  /** What the server has against one of the fields, until something is changed. */
  fieldError: FieldError | null;
  change: (part: Partial<CopyForm>) => void;
}

const methods: readonly CopyMethodChoice[] = ['auto', 'clone', 'copy'];

const valueOf = (event: Event): string =>
  event.target instanceof HTMLInputElement ? event.target.value : '';

export function nameField({ app, form, plan, fieldError, change }: FieldContext): TemplateResult {
  const { copy } = imagesTextOf(app.preferences);
  const verdict = judgeName(form.name, plan);
  const bad = verdictWords(verdict, app.text) || (fieldError?.field === 'name' ? fieldError.words : '');
  const isFree = bad === '' && plan?.nameTaken === false;
  const kind = bad !== '' ? 'note bad' : isFree ? 'note good' : 'note';
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
      aria-invalid=${String(bad !== '')}
      aria-describedby="copy-name-note"
    />
    <p class=${kind} id="copy-name-note">${bad || (isFree ? app.text.imageName.free : '\u00a0')}</p>
  </div>`;
}

function verdictWords(verdict: NameVerdict, { imageName }: Text): string {
  if (verdict === null) return '';
  return verdict === 'taken' ? imageName.taken : imageName.problems[verdict];
}

export function methodField({ app, form, plan, change }: FieldContext): TemplateResult {
  const { copy } = imagesTextOf(app.preferences);
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

export function extrasField({ app, form, fieldError, change }: FieldContext): TemplateResult {
  const { copy } = imagesTextOf(app.preferences);
  const refused = fieldError?.field === 'limit' ? fieldError.words : '';
  const bad = parseLimit(form.limit) === undefined ? copy.badLimit : refused;
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
          aria-invalid=${String(bad !== '')}
          aria-describedby="copy-limit-note"
        />
        <span class="muted">${copy.limitUnit}</span>
      </div>
      <p class=${bad === '' ? 'note' : 'note bad'} id="copy-limit-note">${bad || copy.limitHint}</p>
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
