import { css } from 'lit';
import type { CSSResult } from 'lit';

export const dialog: CSSResult = css`
  dialog {
    inline-size: min(32rem, calc(100vw - 2rem));
    max-block-size: calc(100dvh - 2rem);
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--raised);
    color: var(--text);
    box-shadow: var(--shadow-high);
  }
  dialog::backdrop {
    background: rgb(8 10 16 / 45%);
    backdrop-filter: blur(2px);
  }
  dialog form {
    display: grid;
  }
  dialog .head {
    display: flex;
    align-items: start;
    justify-content: space-between;
    gap: 1rem;
    padding: 1.25rem 1.5rem 0;
  }
  dialog .head p {
    color: var(--muted);
    overflow-wrap: anywhere;
  }
  dialog .body {
    display: grid;
    gap: 1.25rem;
    padding: 1.25rem 1.5rem;
  }
  dialog .foot {
    position: sticky;
    inset-block-end: 0;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: flex-end;
    gap: 0.75rem;
    padding: 0.875rem 1.5rem;
    border-block-start: 1px solid var(--line);
    background: var(--raised);
  }
  dialog .foot p {
    flex: 1 1 12rem;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  /* Without a note the buttons use the whole line. */
  dialog .foot p:empty {
    display: none;
  }
  .facts {
    display: grid;
    grid-template-columns: fit-content(50%) 1fr;
    gap: 0.375rem 1.5rem;
    padding: 0.875rem 1rem;
    border-radius: var(--radius);
    background: var(--sunken);
  }
  .facts dt {
    color: var(--muted);
  }
  .facts dd {
    text-align: end;
  }
  .facts .bad {
    color: var(--danger);
    font-weight: 500;
  }
  .facts .wide {
    grid-column: 1 / -1;
    text-align: start;
  }
  .pair {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 1.25rem;
  }
  @media (max-width: 30rem) {
    .pair {
      grid-template-columns: 1fr;
    }
    .pair .label {
      display: none;
    }
    dialog .head,
    dialog .body,
    dialog .foot {
      padding-inline: 1rem;
    }
  }
`;
