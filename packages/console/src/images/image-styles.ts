import { css } from 'lit';
import type { CSSResult } from 'lit';

/** The page of one image and its dialogs. */
export const image: CSSResult = css`
  .page-head h1 {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.75rem;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .image-actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    margin-block-end: 1.25rem;
  }
  .image-actions:empty {
    display: none;
  }
  .image-operations > li {
    padding-block: 0.75rem;
  }
  .image-operations > li + li {
    border-block-start: 1px solid var(--line);
  }
  .image-operations > li:first-child {
    padding-block-start: 0;
  }
  .sha256 {
    display: flex;
    align-items: start;
    gap: 0.5rem;
  }
  .sha256 code {
    flex: 1;
  }
  .users {
    display: grid;
    gap: 0.375rem;
  }
  .users li {
    overflow-wrap: anywhere;
  }
  .users .muted {
    margin-inline-end: 0.375rem;
  }
  .path {
    padding: 0.625rem 0.75rem;
    border-radius: var(--radius);
    background: var(--sunken);
    overflow-wrap: anywhere;
  }
`;
