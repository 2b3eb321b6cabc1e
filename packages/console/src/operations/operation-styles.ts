import { css } from 'lit';
import type { CSSResult } from 'lit';

/** The page of one operation. */
export const operation: CSSResult = css`
  .operation-card {
    padding: 1rem;
    margin-block-end: 1rem;
  }
  .operation-grid {
    display: grid;
    grid-template-columns: minmax(0, 1.6fr) minmax(0, 1fr);
    gap: 1rem;
    align-items: start;
    margin-block-end: 1rem;
  }
  .operation-grid > div {
    display: grid;
    gap: 1rem;
  }
  .panel {
    padding: 1rem;
    display: grid;
    gap: 0.75rem;
  }
  .panel > h2,
  .raw > summary {
    font-size: 0.8125rem;
    font-weight: 500;
    color: var(--muted);
  }
  .panel .bad {
    color: var(--danger);
  }
  .panel dl {
    display: grid;
    gap: 0.5rem;
  }
  .panel dl > div {
    display: grid;
    grid-template-columns: minmax(6rem, 0.6fr) minmax(0, 1fr);
    gap: 0.125rem 1rem;
  }
  .panel dt {
    color: var(--muted);
  }
  .panel dd {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.75rem;
    overflow-wrap: anywhere;
  }
  .phases {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .phases li {
    display: grid;
    grid-template-columns: minmax(0, 1.6fr) minmax(0, 0.8fr) minmax(0, 1.2fr) 5rem;
    gap: 0.125rem 0.75rem;
    padding-block: 0.375rem;
  }
  .phases li + li {
    border-block-start: 1px solid var(--line);
  }
  .phases :is(.amount, .time) {
    text-align: end;
  }
  .phases .phase-running .phase {
    font-weight: 600;
  }
  .phases :is(.is, .phase-pending, .phase-skipped) {
    color: var(--muted);
  }
  .phases .phase-failed .is {
    color: var(--danger);
  }
  .sparkline {
    display: block;
    inline-size: 100%;
    block-size: 5rem;
  }
  .sparkline .area {
    fill: color-mix(in srgb, var(--accent) 14%, transparent);
  }
  .sparkline .line {
    fill: none;
    stroke: var(--accent);
    stroke-width: 2;
    vector-effect: non-scaling-stroke;
    stroke-linejoin: round;
  }
  .log {
    margin: 0;
    padding: 0;
    list-style: none;
    display: grid;
    gap: 0.375rem;
    font-size: 0.8125rem;
  }
  .log li {
    display: grid;
    grid-template-columns: auto minmax(5rem, auto) minmax(0, 1fr);
    gap: 0.125rem 0.75rem;
    overflow-wrap: anywhere;
  }
  .log time,
  .log .kind,
  .warnings code {
    color: var(--muted);
  }
  .warnings {
    display: grid;
    gap: 0.375rem;
  }
  .raw {
    padding: 0.75rem 1rem;
  }
  .raw > summary {
    min-block-size: 1.5rem;
    cursor: pointer;
  }
  .raw[open] > summary {
    margin-block-end: 0.75rem;
  }
  .raw pre {
    margin: 0.75rem 0 0;
    padding: 0.75rem;
    max-block-size: 24rem;
    overflow: auto;
    border-radius: var(--radius);
    background: var(--sunken);
  }
  .raw pre code {
    white-space: pre;
    overflow-wrap: normal;
  }
  @media (max-width: 56rem) {
    .operation-grid {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  @media (max-width: 40rem) {
    .log li {
      grid-template-columns: auto minmax(0, 1fr);
    }
    .phases li {
      grid-template-columns: minmax(0, 1fr) auto;
    }
    .phases .amount {
      text-align: start;
    }
    .log li > span {
      grid-column: 1 / -1;
    }
  }
  @media (forced-colors: active) {
    .sparkline .line {
      stroke: CanvasText;
    }
    .sparkline .area {
      fill: none;
    }
  }
`;
