import { css } from 'lit';
import type { CSSResult } from 'lit';

export const operations: CSSResult = css`
  .filters {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(8.25rem, 100%), 1fr));
    gap: 0.75rem;
    align-items: end;
    margin-block-end: 1.5rem;
  }
  .filters :is(.field, input, select) {
    min-inline-size: 0;
  }
  .filters .label {
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .filters .button {
    justify-self: start;
  }
  .banner.paused {
    border-block-end-color: color-mix(in srgb, var(--accent) 30%, transparent);
    background: var(--accent-soft);
  }
  .banner.paused > .icon {
    color: var(--accent);
  }
  .group {
    margin-block-end: 2rem;
  }
  .group > h2 {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    margin-block-end: 0.625rem;
    font-size: 0.8125rem;
    font-weight: 500;
    color: var(--muted);
  }
  .rows > li {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 0 1rem;
    padding: 0.875rem 1rem;
  }
  .rows > li + li {
    border-block-start: 1px solid var(--line);
  }
  .rows .when {
    min-inline-size: 3.5rem;
    padding-block-start: 0.25rem;
    font-size: 0.8125rem;
    text-align: end;
    color: var(--muted);
    white-space: nowrap;
  }
  .nothing {
    padding: 1rem;
    color: var(--muted);
  }
  .more {
    display: flex;
    justify-content: center;
    padding-block: 0 1rem;
  }
  @media (max-width: 40rem) {
    .rows > li {
      grid-template-columns: minmax(0, 1fr);
    }
    .rows .when {
      grid-row: 1;
      text-align: start;
      padding: 0 0 0.25rem;
    }
  }
`;
