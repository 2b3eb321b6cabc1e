import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { Choice } from './fields.ts';

export interface SegmentOptions<Value extends string> {
  /** Group of the radio buttons: unique in the page. */
  name: string;
  label: string;
  value: Value;
  choices: readonly Choice<Value>[];
  change: (value: Value) => void;
  note?: string;
  /** The label is only for screen readers. @default false */
  isLabelHidden?: boolean;
}

/** One of a few choices, all visible. */
export function segmentField<Value extends string>(options: SegmentOptions<Value>): TemplateResult {
  const { name, label, value, choices, change, note, isLabelHidden = false } = options;
  return html`<fieldset class="field">
    <legend class=${isLabelHidden ? 'visually-hidden' : ''}>${label}</legend>
    <div class="segments">
      ${choices.map(
        (choice) =>
          html`<label title=${choice.hint ?? ''} lang=${choice.lang ?? nothing}
            ><input
              type="radio"
              name=${name}
              value=${choice.value}
              .checked=${choice.value === value}
              ?disabled=${choice.isOff === true}
              aria-describedby=${note === undefined ? nothing : `${name}-note`}
              @change=${() => change(choice.value)}
            />${choice.label}</label
          >`,
      )}
    </div>
    ${note === undefined ? nothing : html`<p class="note" id="${name}-note">${note}</p>`}
  </fieldset>`;
}
