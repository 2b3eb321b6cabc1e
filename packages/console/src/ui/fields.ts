import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { inputValue } from './form-value.ts';

export interface FieldOptions {
  /** Id of the input: unique in the page. */
  id: string;
  label: string;
  value: string;
  change: (value: string) => void;
  /** Error or hint below the field. */
  note?: string;
  isBad?: boolean;
  isGood?: boolean;
  /** Shown after the field. */
  unit?: string;
  /** @default 'text' */
  mode?: 'text' | 'numeric' | 'decimal';
  autocomplete?: AutoFill;
  placeholder?: string;
}

function noteOf({ id, note, isBad, isGood }: FieldOptions): TemplateResult | typeof nothing {
  if (note === undefined) return nothing;
  const kind = isBad === true ? 'note bad' : isGood === true ? 'note good' : 'note';
  return html`<p class=${kind} id="${id}-note">${note === '' ? '\u00a0' : note}</p>`;
}

/** A field for one line of text or a number. */
export function textField(options: FieldOptions): TemplateResult {
  const { id, label, value, change, note, isBad = false, unit, mode = 'text' } = options;
  const input = html`<input
    id=${id}
    type="text"
    inputmode=${mode}
    autocomplete=${options.autocomplete ?? 'off'}
    autocapitalize="none"
    spellcheck="false"
    placeholder=${options.placeholder ?? ''}
    .value=${value}
    @input=${(event: Event) => change(inputValue(event))}
    aria-invalid=${String(isBad)}
    aria-describedby=${note === undefined ? nothing : `${id}-note`}
  />`;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${unit === undefined ? input : html`<div class="with-unit">${input}<span class="muted">${unit}</span></div>`}
    ${noteOf(options)}
  </div>`;
}

/** A field for several lines of text. */
export function areaField(options: FieldOptions & { rows?: number }): TemplateResult {
  const { id, label, value, change, note, isBad = false, rows = 3 } = options;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <textarea
      class="area"
      id=${id}
      rows=${rows}
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
      placeholder=${options.placeholder ?? ''}
      .value=${value}
      @input=${(event: Event) => change(inputValue(event))}
      aria-invalid=${String(isBad)}
      aria-describedby=${note === undefined ? nothing : `${id}-note`}
    ></textarea>
    ${noteOf(options)}
  </div>`;
}

export interface Choice<Value extends string = string> {
  value: Value;
  label: string;
  /** Cannot be chosen. @default false */
  isOff?: boolean;
  /** Tooltip. */
  hint?: string;
  /** Language of the label, if it differs from the page's. */
  lang?: string;
}

export interface SelectOptions extends FieldOptions {
  choices: readonly Choice[];
}

/** A field for one choice of a list. */
export function selectField(options: SelectOptions): TemplateResult {
  const { id, label, value, change, note, choices, isBad = false } = options;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select
      class="select"
      id=${id}
      @change=${(event: Event) => change(inputValue(event))}
      aria-invalid=${String(isBad)}
      aria-describedby=${note === undefined ? nothing : `${id}-note`}
    >
      ${choices.map(
        (choice) =>
          html`<option
            value=${choice.value}
            ?selected=${choice.value === value}
            ?disabled=${choice.isOff === true}
          >
            ${choice.label}
          </option>`,
      )}
    </select>
    ${noteOf(options)}
  </div>`;
}

export interface CheckOptions {
  label: string;
  isOn: boolean;
  change: (isOn: boolean) => void;
  note?: string;
}

export function checkField({ label, isOn, change, note }: CheckOptions): TemplateResult {
  return html`<label class="check">
    <input
      type="checkbox"
      .checked=${isOn}
      @change=${(event: Event) => change((event.target as HTMLInputElement).checked)}
    />${label}${note === undefined ? nothing : html`<span class="note">${note}</span>`}
  </label>`;
}
