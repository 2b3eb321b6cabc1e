import { css } from 'lit';
import type { CSSResult } from 'lit';

/** Fields of the pages and dialogs about machines. */
export const vmForms: CSSResult = css`
  .boot-order {
    display: grid;
    gap: 0.25rem;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .boot-order li {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 0.5rem;
  }
  .icon.up {
    rotate: 180deg;
  }
  .triple {
    display: grid;
    grid-template-columns: repeat(3, minmax(0, 1fr));
    gap: 1rem;
  }
  .options > summary {
    min-block-size: 1.5rem;
    inline-size: fit-content;
    color: var(--muted);
    cursor: pointer;
  }
  .options > summary:hover {
    color: var(--text);
  }
  .options > .body,
  dialog .options > .body {
    display: grid;
    gap: 1rem;
    padding: 0.75rem 0 0;
  }
  @media (max-width: 40rem) {
    .triple {
      grid-template-columns: minmax(0, 1fr);
    }
  }
`;
