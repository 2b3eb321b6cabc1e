import { css } from 'lit';
import type { CSSResult } from 'lit';

export const images: CSSResult = css`
  .card {
    border: 1px solid var(--line);
    border-radius: var(--radius-large);
    background: var(--surface);
    box-shadow: var(--shadow);
  }
  .pool {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 1.5rem;
    padding: 0.75rem 1rem;
    margin-block-end: 1rem;
  }
  .pool .where {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    flex: 1 1 16rem;
    min-inline-size: 0;
    color: var(--muted);
  }
  .pool .space {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.75rem;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  meter {
    inline-size: 10rem;
    block-size: 0.5rem;
    border: 0;
    border-radius: 99px;
    background: var(--wcc-track);
  }
  meter::-webkit-meter-bar {
    block-size: 0.5rem;
    border: 0;
    border-radius: 99px;
    background: var(--wcc-track);
  }
  meter::-webkit-meter-optimum-value {
    border-radius: 99px;
    background: color-mix(in srgb, var(--accent) 75%, var(--muted));
  }
  meter::-webkit-meter-suboptimum-value,
  meter::-webkit-meter-even-less-good-value {
    border-radius: 99px;
    background: var(--warning);
  }
  meter::-moz-meter-bar {
    background: var(--accent);
  }
  table {
    inline-size: 100%;
    border-collapse: collapse;
  }
  th,
  td {
    padding: 0.625rem 1rem;
    text-align: start;
    vertical-align: middle;
  }
  th {
    padding-block: 0.5rem;
    font-size: 0.75rem;
    font-weight: 500;
    color: var(--muted);
    white-space: nowrap;
  }
  td {
    border-block-start: 1px solid var(--line);
  }
  tbody tr:hover {
    background: color-mix(in srgb, var(--hover) 45%, transparent);
  }
  tbody tr:last-child td:first-child {
    border-end-start-radius: var(--radius-large);
  }
  tbody tr:last-child td:last-child {
    border-end-end-radius: var(--radius-large);
  }
  tr.found {
    animation: found 2.4s ease-out;
  }
  @keyframes found {
    from {
      background: var(--accent-soft);
    }
  }
  .number {
    text-align: end;
    white-space: nowrap;
  }
  td.act {
    inline-size: 1%;
    text-align: end;
  }
  .name {
    font-weight: 500;
    overflow-wrap: anywhere;
  }
  a.name {
    color: inherit;
    text-decoration: none;
  }
  a.name:hover {
    text-decoration: underline;
    text-underline-offset: 0.2em;
  }
  .id {
    margin-inline-start: 0.5rem;
    font-size: 0.75rem;
    color: var(--muted);
    white-space: nowrap;
  }
  .format {
    font: 0.8125rem var(--mono);
    color: var(--muted);
  }
  .state {
    display: inline-flex;
    align-items: baseline;
    gap: 0.5rem;
  }
  .state .dot {
    flex: none;
    translate: 0 -1px;
  }
  .state.missing .dot,
  .state.refused .dot {
    background: var(--warning);
  }
  .state .why {
    display: block;
    font-size: 0.8125rem;
    color: var(--muted);
    max-inline-size: 26rem;
    text-wrap: pretty;
  }
  .copying {
    font-size: 0.8125rem;
    color: var(--accent);
  }
  tr.making .name {
    color: var(--muted);
  }
  .empty {
    display: grid;
    justify-items: center;
    gap: 0.5rem;
    padding: 4rem 1.5rem;
    text-align: center;
  }
  .empty > .icon {
    inline-size: 2.5rem;
    block-size: 2.5rem;
    margin-block-end: 0.5rem;
    stroke-width: 1;
    color: var(--muted);
  }
  .empty .button {
    margin-block: 1rem 0.25rem;
  }
  .empty p {
    max-inline-size: 34rem;
    color: var(--muted);
  }
  .ways {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 0.75rem;
    margin-block: 1rem 0.25rem;
  }
  .empty .ways .button {
    margin: 0;
  }
  .drop-page {
    position: fixed;
    inset: 0.75rem;
    z-index: 3;
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 0.75rem;
    border: 2px dashed var(--accent);
    border-radius: 12px;
    background: color-mix(in srgb, var(--accent-soft) 92%, transparent);
    font-weight: 500;
    pointer-events: none;
  }
  .drop-page .icon {
    inline-size: 2.5rem;
    block-size: 2.5rem;
    stroke-width: 1;
  }
  .empty .or {
    margin-block-start: 1.5rem;
    padding-block-start: 1.5rem;
    border-block-start: 1px solid var(--line);
    inline-size: min(34rem, 100%);
  }
  @media (max-width: 48rem) {
    table,
    tbody {
      display: block;
    }
    thead {
      position: absolute;
      clip-path: inset(50%);
      inline-size: 1px;
      block-size: 1px;
      overflow: hidden;
    }
    tr {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      gap: 0.25rem 1rem;
      padding: 0.875rem 1rem;
    }
    tr + tr {
      border-block-start: 1px solid var(--line);
    }
    td,
    td.act {
      inline-size: auto;
      padding: 0;
      border: 0;
    }
    td.main {
      grid-column: 1;
    }
    td.act {
      grid-column: 2;
      grid-row: 1 / span 2;
      align-self: start;
    }
    td[data-label] {
      grid-column: 1 / -1;
      display: flex;
      justify-content: space-between;
      align-items: baseline;
      gap: 1rem;
      text-align: end;
    }
    td[data-label]::before {
      content: attr(data-label);
      color: var(--muted);
    }
    td.none {
      display: none;
    }
    td.in-state .state {
      text-align: start;
    }
    td.bar {
      grid-column: 1 / -1;
    }
    meter {
      inline-size: 7rem;
    }
  }
  @media (forced-colors: active) {
    meter {
      outline: 1px solid CanvasText;
    }
    .dot {
      border: 4px solid CanvasText;
    }
    .state:is(.missing, .refused) .dot {
      border-color: Highlight;
    }
  }
`;
