import { css } from 'lit';
import type { CSSResult } from 'lit';

/** Pages about access, and the page of a share link. */
export const access: CSSResult = css`
  .page-head p {
    max-inline-size: 40rem;
  }
  .token-owner {
    max-inline-size: 20rem;
    margin-block-end: 1rem;
  }
  .setting {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 1.4fr);
    gap: 1rem 2rem;
    padding: 1.25rem;
    margin-block-end: 1rem;
  }
  .choices,
  .setting form {
    display: grid;
    gap: 1rem;
    align-content: start;
  }
  .generating,
  .with-button {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 0.5rem;
  }
  .generating > .button {
    align-self: start;
    margin-block-start: 1.625rem;
  }
  .button.danger {
    border-color: transparent;
    background: light-dark(#b3261e, #c33a31);
    color: #fff;
  }
  .button.danger:hover {
    background: light-dark(#8f1d17, #d24b42);
  }
  .secret input {
    font: 0.8125rem var(--mono);
  }
  .access h3 {
    margin: 0;
    font-size: 0.875rem;
    font-weight: 600;
  }
  .holders > li {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 0.75rem;
    padding-block: 0.5rem;
  }
  .holders > li + li {
    border-block-start: 1px solid var(--line);
  }
  .holders li > span {
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .holders li > span > span {
    display: block;
    font-size: 0.8125rem;
  }
  .give {
    display: grid;
    gap: 0.75rem;
    padding-block-end: 0.75rem;
    border-block-end: 1px solid var(--line);
  }
  .give .button {
    justify-self: start;
  }
  .give > .field,
  .give select,
  .give input {
    min-inline-size: 0;
  }
  table.data td[data-label] > span {
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  td .subject {
    font-size: 0.8125rem;
    overflow-wrap: anywhere;
  }
  td code.bad {
    color: var(--danger);
  }
  td.main code {
    font-weight: 400;
    font-size: 0.75rem;
  }
  .shared {
    display: grid;
    gap: 1.25rem;
    max-inline-size: 44rem;
    margin-inline: auto;
  }
  .shared > header {
    display: flex;
    align-items: center;
    gap: 0.875rem;
  }
  .shared > header .mark {
    inline-size: 2.5rem;
    block-size: 2.5rem;
  }
  .shared .row {
    padding: 1rem;
  }
  .shared .banner {
    border: 1px solid color-mix(in srgb, var(--warning) 30%, transparent);
    border-radius: var(--radius);
    padding: 0.625rem 1rem;
  }
  .shared .languages {
    max-inline-size: 16rem;
  }
  @media (max-width: 48rem) {
    .setting {
      grid-template-columns: minmax(0, 1fr);
    }
  }
`;
