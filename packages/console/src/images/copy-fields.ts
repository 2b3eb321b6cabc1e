import type { CopyMethodChoice, CopyPlan } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import type { Text } from '../text/text.ts';
import { textField } from '../ui/fields.ts';
import type { FieldError } from '../ui/form-element.ts';
import { segmentField } from '../ui/segments.ts';
import { checkCopyName, parseLimit } from './copy-form.ts';
import type { CopyForm, CopyNameProblem } from './copy-form.ts';
import { imagesTextOf } from './text/catalogue.ts';

export interface FieldContext {
  app: App;
  form: CopyForm;
  plan: CopyPlan | null;
  /** Error of the server at one of the fields; cleared by any change. */
  fieldError: FieldError | null;
  change: (part: Partial<CopyForm>) => void;
}

const methods: readonly CopyMethodChoice[] = ['auto', 'clone', 'copy'];

export function nameField({ app, form, plan, fieldError, change }: FieldContext): TemplateResult {
  const { copy } = imagesTextOf(app.preferences);
  const bad =
    verdictWords(checkCopyName(form.name, plan), app.text) ||
    (fieldError?.field === 'name' ? fieldError.message : '');
  const isFree = bad === '' && plan?.nameTaken === false;
  return textField({
    id: 'copy-name',
    label: copy.name,
    value: form.name,
    change: (name) => change({ name }),
    note: isFree ? app.text.imageName.free : bad,
    isBad: bad !== '',
    isGood: isFree,
  });
}

function verdictWords(verdict: CopyNameProblem, { imageName }: Text): string {
  if (verdict === null) return '';
  return verdict === 'taken' ? imageName.taken : imageName.problems[verdict];
}

export function methodField({ app, form, plan, change }: FieldContext): TemplateResult {
  const { copy } = imagesTextOf(app.preferences);
  const isImpossible = (method: CopyMethodChoice): boolean =>
    method === 'clone' && plan?.clonePossible === false;
  return segmentField({
    name: 'copy-method',
    label: copy.method,
    value: form.method,
    choices: methods.map((method) => ({
      value: method,
      label: copy.methods[method],
      isOff: isImpossible(method),
      ...(isImpossible(method) ? { hint: copy.cloneImpossible } : {}),
    })),
    change: (method) => change({ method }),
    note: copy.methodHints[form.method],
  });
}

export function extrasField({ app, form, fieldError, change }: FieldContext): TemplateResult {
  const { copy } = imagesTextOf(app.preferences);
  const refused = fieldError?.field === 'limit' ? fieldError.message : '';
  const bad = parseLimit(form.limit) === undefined ? copy.badLimit : refused;
  return html`<div class="pair">
    ${textField({
      id: 'copy-limit',
      label: copy.limit,
      value: form.limit,
      mode: 'decimal',
      unit: copy.limitUnit,
      change: (limit) => change({ limit }),
      note: bad || copy.limitHint,
      isBad: bad !== '',
    })}
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
