import { css } from 'lit';
import type { CSSResult } from 'lit';

export const tray: CSSResult = css`
  .dock {
    position: fixed;
    inset: auto 1rem 1rem auto;
    z-index: 2;
    display: grid;
    justify-items: end;
    gap: 0.75rem;
    inline-size: fit-content;
    max-inline-size: calc(100vw - 2rem);
    pointer-events: none;
  }
  .dock.aside {
    inset-inline: 1rem auto;
    justify-items: start;
  }
  .dock > * {
    pointer-events: auto;
    max-inline-size: 100%;
  }
  wcc-tray:not(:has(.tray)) {
    display: none;
  }
  /* Space to scroll the focused element out from under the tray. */
  main:has(~ .dock .tray.list) {
    padding-block-end: min(60dvh, 34rem);
  }
  .tray {
    max-inline-size: 100%;
    border: 1px solid color-mix(in srgb, var(--line-strong) 40%, var(--line));
    border-radius: var(--radius-large);
    background: var(--raised);
    box-shadow: var(--shadow-high);
    overflow: hidden;
  }
  .tray.list {
    display: flex;
    flex-direction: column;
    inline-size: 27rem;
    max-block-size: min(50dvh, 30rem);
  }
  .tray.bubble {
    border-radius: 99px;
  }
  .tray-head {
    display: flex;
    align-items: center;
    gap: 0.25rem;
  }
  .tray:not(.bubble) .tray-head {
    padding: 0.25rem;
  }
  .tray.list .tray-head {
    border-block-end: 1px solid var(--line);
  }
  .tray-line,
  .tray-bubble,
  .tray-group {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    border: 0;
    background: transparent;
    font-weight: 500;
    text-align: start;
    cursor: pointer;
  }
  .tray-line {
    flex: 1;
    min-inline-size: 0;
    min-block-size: 2.25rem;
    padding: 0 0.625rem;
    border-radius: calc(var(--radius-large) - 4px);
  }
  .tray-line > span:not(.sign) {
    flex: 1;
  }
  .tray-bubble {
    min-block-size: 2.75rem;
    min-inline-size: 2.75rem;
    justify-content: center;
    padding: 0 0.875rem;
    border-radius: 99px;
  }
  .tray-group {
    inline-size: 100%;
    min-block-size: 2.5rem;
    padding: 0.25rem 0.875rem;
  }
  .tray-group + ul,
  .tray-group + .tray-group {
    border-block-start: 1px solid var(--line);
  }
  :is(.tray-line, .tray-bubble, .tray-group):hover {
    background: var(--hover);
  }
  :is(.tray-line, .tray-bubble, .tray-group):focus-visible {
    outline-offset: -2px;
  }
  .tray .icon.up {
    rotate: 180deg;
  }
  .tray .icon.aside {
    rotate: -90deg;
  }
  .tray-shrink {
    padding: 0 0.5rem;
  }
  .tray-rows {
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .tray-rows li {
    padding: 0.75rem 0.875rem;
    content-visibility: auto;
    contain-intrinsic-block-size: auto 7rem;
  }
  .tray-rows li + li {
    border-block-start: 1px solid var(--line);
  }
  .sign {
    inline-size: 0.625rem;
    block-size: 0.625rem;
    flex: none;
    border-radius: 50%;
    background: var(--muted);
  }
  .sign.running {
    background: var(--accent-fill);
    box-shadow: 0 0 0 3px var(--accent-soft);
  }
  .sign.failed {
    background: var(--danger);
    box-shadow: 0 0 0 3px var(--danger-soft);
  }
  @media (max-width: 40rem) {
    .dock {
      inset: auto 0.5rem 0.5rem auto;
      max-inline-size: calc(100vw - 1rem);
    }
    .dock.aside {
      inset-inline: 0.5rem auto;
    }
    .tray.list {
      inline-size: calc(100vw - 1rem);
    }
  }
  /* On low viewports, e.g. at 400 % zoom, the list leaves space for the page above it. */
  @media (max-height: 30rem) {
    .tray.list {
      max-block-size: 45dvh;
    }
  }
  @media (pointer: coarse) {
    .tray-line,
    .tray-group {
      min-block-size: 2.75rem;
    }
  }
  @media (forced-colors: active) {
    .sign {
      background: CanvasText;
      forced-color-adjust: none;
    }
    .tray {
      border-color: CanvasText;
    }
  }
`;
