import { css } from 'lit';
import type { CSSResult } from 'lit';

export const controls: CSSResult = css`
  button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-block-size: 2.25rem;
    padding: 0 0.875rem;
    border: 1px solid var(--line-strong);
    border-color: color-mix(in srgb, var(--line-strong) 55%, transparent);
    border-radius: var(--radius);
    background: var(--raised);
    color: var(--text);
    font-weight: 500;
    white-space: nowrap;
    text-decoration: none;
    cursor: pointer;
    box-shadow: var(--shadow);
    transition: background 0.1s;
  }
  .button:hover:not([aria-disabled='true'], :disabled) {
    background: var(--hover);
  }
  .button:active {
    transform: translateY(1px);
  }
  .button.primary {
    border-color: transparent;
    background: var(--accent-fill);
    color: #fff;
  }
  .button.primary:hover:not([aria-disabled='true'], :disabled) {
    background: var(--accent-fill-hover);
  }
  .button.quiet {
    border-color: transparent;
    background: transparent;
    box-shadow: none;
  }
  .button.quiet:hover:not([aria-disabled='true'], :disabled) {
    background: var(--hover);
  }
  .button.small {
    min-block-size: 1.875rem;
    padding: 0 0.625rem;
    gap: 0.375rem;
  }
  .button.wide {
    inline-size: 100%;
    min-block-size: 2.5rem;
  }
  .button[aria-disabled='true'],
  .button:disabled {
    background: var(--sunken);
    border-color: var(--line);
    color: var(--muted);
    box-shadow: none;
    cursor: not-allowed;
    transform: none;
  }
  .field {
    display: grid;
    gap: 0.375rem;
  }
  legend {
    margin-block-end: 0.375rem;
  }
  .field > label,
  .field > .label,
  legend {
    padding: 0;
    font-weight: 500;
  }
  .field input:not([type='checkbox'], [type='radio']),
  .select {
    inline-size: 100%;
    min-block-size: 2.25rem;
    padding: 0.375rem 0.625rem;
    border: 1px solid var(--line-strong);
    border-radius: var(--radius);
    background: var(--surface);
  }
  .field input:hover,
  .select:hover {
    border-color: var(--text);
  }
  .field input[aria-invalid='true'] {
    border-color: var(--danger);
  }
  .field .note {
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .note.bad {
    color: var(--danger);
  }
  .note.good {
    color: var(--success);
  }
  .with-unit {
    display: flex;
    align-items: center;
    gap: 0.5rem;
  }
  .with-unit input {
    max-inline-size: 8rem;
  }
  .segments {
    display: grid;
    grid-auto-flow: column;
    grid-auto-columns: 1fr;
    gap: 2px;
    padding: 2px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--sunken);
  }
  .segments label {
    position: relative;
    display: grid;
    place-items: center;
    min-block-size: 1.875rem;
    padding: 0.125rem 0.5rem;
    border-radius: 4px;
    text-align: center;
    color: var(--muted);
    cursor: pointer;
  }
  .segments label:hover {
    color: var(--text);
  }
  .segments input {
    position: absolute;
    inset: 0;
    margin: 0;
    opacity: 0;
    cursor: inherit;
  }
  .segments label:has(:checked) {
    background: var(--raised);
    color: var(--text);
    font-weight: 500;
    box-shadow:
      0 0 0 1px color-mix(in srgb, var(--line-strong) 45%, transparent),
      var(--shadow);
  }
  .segments label:has(:focus-visible) {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  .segments label:has(:disabled) {
    cursor: not-allowed;
    text-decoration: line-through;
  }
  .check {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0 0.625rem;
    align-items: center;
    cursor: pointer;
  }
  .check input {
    inline-size: 1rem;
    block-size: 1rem;
    margin: 0;
  }
  .check .note {
    grid-column: 2;
  }
  .problem {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 0.25rem 0.625rem;
    padding: 0.75rem;
    border: 1px solid color-mix(in srgb, var(--danger) 35%, transparent);
    border-radius: var(--radius);
    background: var(--danger-soft);
    overflow-wrap: anywhere;
  }
  .problem > .icon {
    margin-block-start: 0.125rem;
    color: var(--danger);
  }
  .problem > :not(.icon) {
    grid-column: 2;
  }
  .problem strong {
    font-weight: 600;
  }
  .problem code {
    color: var(--muted);
  }
  @media (pointer: coarse) {
    .button,
    .segments label,
    .select,
    .field input:not([type='checkbox'], [type='radio']) {
      min-block-size: 2.75rem;
    }
  }
  @media (forced-colors: active) {
    .segments label:has(:checked) {
      outline: 2px solid Highlight;
    }
    .button {
      border-color: ButtonText;
    }
  }
`;
