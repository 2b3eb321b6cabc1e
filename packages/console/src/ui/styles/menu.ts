import { css } from 'lit';
import type { CSSResult } from 'lit';

/** The menu of the user: pages, language, theme. */
export const menu: CSSResult = css`
  .menu {
    position: fixed;
    inset: 3.75rem max(1.5rem, calc((100vw - 72rem) / 2)) auto auto;
    inline-size: 17rem;
    max-inline-size: calc(100vw - 2rem);
    margin: 0;
    padding: 1rem;
    border: 1px solid var(--line);
    border-radius: var(--radius-large);
    background: var(--raised);
    color: var(--text);
    box-shadow: var(--shadow-high);
  }
  .menu:popover-open {
    display: grid;
    gap: 1rem;
  }
  .menu .who {
    display: grid;
    padding-block-end: 0.75rem;
    border-block-end: 1px solid var(--line);
  }
  .menu .who strong {
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  .menu-links {
    display: grid;
    padding-block-end: 0.75rem;
    border-block-end: 1px solid var(--line);
  }
  .menu-links a {
    padding: 0.375rem 0.5rem;
    margin-inline: -0.5rem;
    border-radius: var(--radius);
    color: var(--text);
    text-decoration: none;
  }
  .menu-links a:hover {
    background: var(--hover);
  }
  .menu-links a[aria-current='page'] {
    font-weight: 600;
  }
  .menu .button {
    justify-content: flex-start;
  }
  @media (max-width: 40rem) {
    .menu {
      inset-inline-end: 1rem;
    }
  }
`;
