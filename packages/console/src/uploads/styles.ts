import { css } from 'lit';
import type { CSSResult } from 'lit';

/** The dialogs for upload and import. */
export const uploads: CSSResult = css`
  .drop {
    display: grid;
    justify-items: center;
    gap: 0.5rem;
    padding: 2rem 1rem;
    border: 1.5px dashed var(--line-strong);
    border-radius: var(--radius-large);
    background: var(--sunken);
    text-align: center;
    color: var(--muted);
    transition:
      border-color 0.1s,
      background 0.1s;
  }
  .drop > .icon {
    inline-size: 2rem;
    block-size: 2rem;
    stroke-width: 1;
  }
  .drop .button {
    position: relative;
    margin-block-start: 0.25rem;
    overflow: hidden;
  }
  .drop input[type='file'] {
    position: absolute;
    inset: 0;
    opacity: 0;
    cursor: pointer;
    font-size: 0;
  }
  .drop .button:has(:focus-visible) {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .drop.over {
    border-color: var(--accent);
    background: var(--accent-soft);
    color: var(--text);
  }
  .drop.slim {
    grid-template-columns: auto 1fr auto;
    align-items: center;
    gap: 0.5rem 0.75rem;
    padding: 0.75rem 1rem;
    text-align: start;
  }
  .drop.slim p {
    justify-self: start;
  }
  .drop.slim > .icon {
    inline-size: 1.25rem;
    block-size: 1.25rem;
    stroke-width: 1.5;
  }
  .drop.slim .button {
    margin: 0;
  }
  .unfinished {
    display: grid;
    gap: 0.25rem;
    padding: 0.75rem 1rem;
    border-radius: var(--radius);
    background: var(--accent-soft);
    font-size: 0.8125rem;
  }
  .unfinished > p:first-child {
    font-weight: 500;
  }
  .unfinished li {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 0 0.75rem;
  }
  .unfinished bdi {
    overflow-wrap: anywhere;
  }
  .files {
    display: grid;
    gap: 0.75rem;
  }
  .file {
    display: grid;
    gap: 0.5rem;
    padding: 0.75rem 1rem 0.875rem;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
  }
  .file-head {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 0 0.75rem;
  }
  .file-name {
    font-weight: 500;
    overflow-wrap: anywhere;
  }
  .file-head > .muted {
    grid-column: 1;
    font-size: 0.8125rem;
  }
  .file-head > .remove {
    grid-column: 2;
    grid-row: 1 / span 2;
    align-self: start;
    margin: -0.25rem -0.5rem 0 0;
  }
  .file > .note {
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .file > .note.bad {
    color: var(--danger);
  }
  .file > .note.good {
    color: var(--success);
  }
  .file summary {
    inline-size: fit-content;
    min-block-size: 1.5rem;
    font-size: 0.8125rem;
    color: var(--muted);
    cursor: pointer;
  }
  .file details[open] summary {
    margin-block-end: 0.375rem;
  }
  .resume {
    gap: 0.5rem;
  }
  input.digest {
    font-family: var(--mono);
  }
  .fields {
    display: grid;
    gap: 1.25rem;
  }
  @media (max-width: 30rem) {
    .drop.slim {
      grid-template-columns: auto 1fr;
    }
    .drop.slim .button {
      grid-column: 1 / -1;
      justify-self: stretch;
    }
  }
  @media (forced-colors: active) {
    .drop.over {
      border-style: solid;
      border-color: Highlight;
    }
  }
`;
