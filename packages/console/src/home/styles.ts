import { css } from 'lit';
import type { CSSResult } from 'lit';
import { stepNumber } from '../ui/styles/step-number.ts';

/** The home page and its first steps. */
export const home: CSSResult = css`
  .home-grid {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr));
    gap: 1rem;
    align-items: start;
    margin-block-end: 2rem;
  }
  .host-state {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    font-weight: 500;
  }
  .host-state.good > .icon,
  .checks .good > .icon,
  .first-ways .done {
    color: var(--success);
  }
  .host-state.bad > .icon,
  .checks .bad > .icon {
    color: var(--warning);
  }
  .panel .host-state.bad {
    color: var(--text);
  }
  .small {
    font-size: 0.8125rem;
  }
  .first-run {
    display: grid;
    gap: 1rem;
    padding: 1.25rem;
    margin-block-end: 2rem;
  }
  .checks {
    display: grid;
    gap: 0.5rem;
  }
  .checks li {
    display: grid;
    grid-template-columns: auto minmax(6rem, max-content) minmax(0, 1fr);
    gap: 0.125rem 0.75rem;
    align-items: center;
  }
  .checks strong,
  .first-ways strong {
    font-weight: 500;
  }
  .checks li > span {
    color: var(--muted);
    overflow-wrap: anywhere;
  }
  .checks .waits > .icon {
    color: var(--muted);
  }
  .first-ways {
    display: grid;
    margin: 0;
    padding: 0;
    list-style: none;
    counter-reset: way;
    border-block-start: 1px solid var(--line);
  }
  .first-ways li {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    align-items: center;
    gap: 0.5rem 0.875rem;
    padding-block: 0.875rem;
    counter-increment: way;
  }
  .first-ways li + li {
    border-block-start: 1px solid var(--line);
  }
  .first-ways li:last-child {
    padding-block-end: 0;
  }
  .first-ways li::before {
    content: counter(way);
    ${stepNumber}
  }
  .first-ways .muted {
    display: block;
    font-size: 0.8125rem;
  }
  .first-ways .done {
    display: inline-flex;
    align-items: center;
    gap: 0.375rem;
  }
  @media (max-width: 40rem) {
    .first-ways li {
      grid-template-columns: auto minmax(0, 1fr);
    }
    .first-ways li > :last-child {
      grid-column: 2;
      justify-self: start;
    }
    .checks li {
      grid-template-columns: auto minmax(0, 1fr);
    }
    .checks li > span {
      grid-column: 2;
    }
  }
  @media (forced-colors: active) {
    .first-ways li::before {
      border: 1px solid CanvasText;
    }
  }
`;
