import { css } from 'lit';
import type { CSSResult } from 'lit';

/** The list of checks of the host. */
export const system: CSSResult = css`
  wcc-system-page .panel {
    margin-block-start: 1rem;
  }
  .host-checks {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .host-checks > li {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 0.75rem;
    padding-block: 0.75rem;
  }
  .host-checks > li + li {
    border-block-start: 1px solid var(--line);
  }
  .host-checks > li > .icon {
    margin-block-start: 0.125rem;
    color: var(--muted);
  }
  .host-checks > .ok > .icon {
    color: var(--success);
  }
  .host-checks > .warning > .icon {
    color: var(--warning);
  }
  .host-checks > .failed > .icon {
    color: var(--danger);
  }
  .host-checks h3,
  .host-checks p {
    margin: 0;
  }
  .host-checks h3 {
    font-size: 0.875rem;
    font-weight: 600;
  }
  .host-checks .state {
    margin-inline-start: 0.5rem;
    color: var(--muted);
    font-size: 0.75rem;
    font-weight: 400;
  }
  .host-checks .failed .state {
    color: var(--danger);
  }
  .host-checks p {
    overflow-wrap: anywhere;
  }
  .host-checks .advice {
    margin-block-start: 0.25rem;
    color: var(--muted);
  }
  .host-checks .advice strong {
    color: var(--text);
    font-weight: 500;
  }
`;
