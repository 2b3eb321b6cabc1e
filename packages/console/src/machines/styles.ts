import { css } from 'lit';
import type { CSSResult } from 'lit';

/** The home page and the pages about machines. */
export const vms: CSSResult = css`
  :is(
    wcc-home-page,
    wcc-machines-page,
    wcc-machine-page,
    wcc-create-machine-page,
    wcc-machine-screen,
    wcc-serial-view,
    wcc-machine-operations
  ) {
    display: block;
  }
  .row-link {
    color: var(--text);
    text-decoration: none;
  }
  .row-link:hover .name {
    text-decoration: underline;
  }
  .tag {
    display: inline-flex;
    align-items: center;
    gap: 0.25rem;
    padding: 0 0.375rem;
    border: 1px solid var(--line);
    border-radius: 4px;
    font-size: 0.75rem;
    color: var(--muted);
    white-space: nowrap;
  }
  .tag .icon {
    inline-size: 0.75rem;
    block-size: 0.75rem;
  }
  .vm-state {
    display: inline-flex;
    align-items: flex-start;
    gap: 0.375rem;
    color: var(--muted);
  }
  .vm-state > .icon {
    margin-block-start: 0.125rem;
  }
  .vm-state.running {
    color: var(--success);
  }
  .vm-state.running > .icon {
    fill: currentColor;
  }
  .vm-state.making {
    color: var(--accent);
  }
  .vm-state:is(.crashed, .unknown, .paused, .suspended) {
    color: var(--warning);
  }
  .vm-state .why {
    display: block;
    max-inline-size: 26rem;
    font-size: 0.8125rem;
    color: var(--muted);
    text-wrap: pretty;
  }
  .back {
    display: inline-flex;
    align-items: center;
    gap: 0.375rem;
    margin-block-end: 0.75rem;
    min-block-size: 1.5rem;
    font-size: 0.8125rem;
    color: var(--muted);
    text-decoration: none;
  }
  .back:hover {
    color: var(--text);
    text-decoration: underline;
  }
  .vm-head > div:first-child {
    display: grid;
    gap: 0.25rem;
    min-inline-size: 0;
  }
  .vm-head h1 {
    overflow-wrap: anywhere;
  }
  .vm-actions {
    flex-wrap: wrap;
  }
  .question {
    max-inline-size: 34rem;
    text-wrap: pretty;
  }
  .vm-view {
    overflow: hidden;
  }
  .vm-views {
    padding: 0.75rem 1rem 0;
  }
  .vm-views .segments {
    max-inline-size: 18rem;
  }
  .screen {
    display: flex;
    flex-direction: column;
    margin: 0;
  }
  .screen-bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.75rem;
    min-block-size: 3rem;
    padding: 0.25rem 1rem;
  }
  .screen-bar .end {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem;
    margin-inline: auto -0.5rem;
  }
  .screen-bar .leave {
    margin-inline-end: 0.5rem;
    font-size: 0.75rem;
    color: var(--muted);
  }
  .screen-bar .typing {
    background: var(--accent-soft);
    border-color: currentColor;
    color: var(--accent);
  }
  .screen-bar .dot.off {
    border-color: var(--line-strong);
  }
  .screen-place {
    position: relative;
    flex: 1;
    min-block-size: 0;
    aspect-ratio: 16 / 9;
    max-block-size: 70dvh;
    inline-size: 100%;
    background: #000;
    color: #c9d0db;
  }
  .screen-canvas {
    position: absolute;
    inset: 0;
  }
  .screen-place:focus-visible {
    outline-offset: -2px;
  }
  /* Placed over the picture, so that the card does not clip the hint. */
  .screen-place:has(canvas:focus)::after {
    content: '';
    position: absolute;
    inset: 0;
    border: 2px solid var(--accent);
    pointer-events: none;
  }
  .screen-message {
    position: absolute;
    inset: 0;
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 0.75rem;
    padding: 1rem;
    text-align: center;
  }
  .screen-message > .icon {
    inline-size: 2rem;
    block-size: 2rem;
    stroke-width: 1;
  }
  .screen-message p {
    max-inline-size: 26rem;
    text-wrap: pretty;
  }
  .screen-message .problem {
    color: var(--text);
    text-align: start;
  }
  .screen:fullscreen {
    background: var(--surface);
    color: var(--text);
  }
  .screen:fullscreen .screen-place {
    aspect-ratio: auto;
    max-block-size: none;
  }
  .serial pre {
    margin: 0;
    padding: 0.75rem 1rem;
    block-size: min(26rem, 60dvh);
    overflow: auto;
    overscroll-behavior: contain;
    background: var(--sunken);
    border-block-start: 1px solid var(--line);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .serial pre:focus-visible {
    outline-offset: -2px;
  }
  .vm-disks {
    display: grid;
    gap: 0.75rem;
  }
  .vm-disks li,
  .vm-drive {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    align-items: center;
    gap: 0.25rem 0.625rem;
  }
  .vm-disks li > span,
  .vm-drive > span {
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .vm-disks .muted {
    display: block;
    font-size: 0.8125rem;
  }
  .vm-drive .end {
    display: flex;
    flex-wrap: wrap;
    justify-content: end;
    gap: 0.375rem;
  }
  .vm-list {
    display: grid;
    gap: 0.5rem;
  }
  .vm-list li {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 0.125rem 1rem;
    overflow-wrap: anywhere;
  }
  .panel .rows > li {
    padding: 0.75rem 0;
  }
  .hypervisor-missing {
    margin-block-end: 1rem;
  }
  dialog .hypervisor-missing {
    margin: 0;
  }
  @media (max-width: 40rem) {
    .vm-actions,
    .page-head .end {
      gap: 0.5rem;
      flex-wrap: wrap;
    }
  }
  @media (forced-colors: active) {
    .screen-place {
      forced-color-adjust: none;
    }
    .tag {
      border: 1px solid CanvasText;
    }
  }
`;
