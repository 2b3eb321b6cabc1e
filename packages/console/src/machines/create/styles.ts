import { css } from 'lit';
import type { CSSResult } from 'lit';
import { stepNumber } from '../../ui/styles/step-number.ts';

/** The page that creates a machine step by step. */
export const wizard: CSSResult = css`
  .wizard {
    display: grid;
    grid-template-columns: 13rem minmax(0, 1fr);
    grid-template-rows: 1fr auto;
  }
  .wizard-nav {
    padding: 1rem 0.75rem;
    border-inline-end: 1px solid var(--line);
    grid-row: 1 / span 2;
  }
  .wizard-nav ol {
    display: grid;
    gap: 0.125rem;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .wizard-nav button {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    inline-size: 100%;
    min-block-size: 2.25rem;
    padding: 0.25rem 0.5rem;
    border: 0;
    border-radius: var(--radius);
    background: transparent;
    color: var(--muted);
    text-align: start;
    cursor: pointer;
  }
  .wizard-nav button:hover {
    background: var(--hover);
    color: var(--text);
  }
  .wizard-nav button[aria-current='step'] {
    background: var(--accent-soft);
    color: var(--text);
    font-weight: 500;
  }
  .wizard .number-of {
    ${stepNumber}
  }
  .wizard-nav [aria-current='step'] .number-of {
    background: var(--accent-fill);
    color: #fff;
  }
  .wizard-nav .bad .number-of {
    background: var(--danger-soft);
    color: var(--danger);
  }
  .wizard-step {
    display: grid;
    align-content: start;
    gap: 1.25rem;
    min-block-size: 24rem;
    padding: 1.25rem 1.5rem;
    max-inline-size: 44rem;
  }
  .wizard .foot {
    grid-column: 2;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: flex-end;
    gap: 0.75rem;
    padding: 0.875rem 1.5rem;
    border-block-start: 1px solid var(--line);
  }
  .wizard .foot p {
    flex: 1 1 12rem;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .disk-card {
    position: relative;
    display: grid;
    gap: 1rem;
    padding: 1rem;
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }
  .disk-card > legend {
    float: inline-start;
    margin: 0;
  }
  .disk-card > legend + .button {
    position: absolute;
    inset: 0.5rem 0.5rem auto auto;
  }
  .review {
    display: grid;
    margin: 0;
  }
  .review > div {
    display: grid;
    grid-template-columns: minmax(7rem, 0.5fr) minmax(0, 1fr) auto;
    gap: 0.25rem 1rem;
    align-items: baseline;
    padding-block: 0.5rem;
    border-block-end: 1px solid var(--line);
  }
  .review dt {
    color: var(--muted);
  }
  .review dd {
    display: grid;
    overflow-wrap: anywhere;
  }
  @media (max-width: 48rem) {
    .wizard {
      grid-template-columns: minmax(0, 1fr);
      grid-template-rows: none;
    }
    .wizard-nav {
      grid-row: auto;
      border-inline-end: 0;
      border-block-end: 1px solid var(--line);
    }
    .wizard-nav ol {
      grid-template-columns: 1fr 1fr;
    }
    .wizard-step {
      min-block-size: 0;
      padding-inline: 1rem;
    }
    .wizard .foot {
      grid-column: 1;
      padding-inline: 1rem;
    }
    .review > div {
      grid-template-columns: minmax(0, 1fr) auto;
    }
    .review dd {
      grid-column: 1;
    }
    .review dd:last-child {
      grid-column: 2;
      grid-row: 1;
    }
  }
  @media (forced-colors: active) {
    .wizard-nav button[aria-current='step'] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`;
