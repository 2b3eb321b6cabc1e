import { css } from 'lit';
import type { CSSResult } from 'lit';

/** Colours, sizes and fonts. Pairs are light and dark; text has a contrast of at least 4.5:1. */
export const tokens: CSSResult = css`
  :host {
    --bg: light-dark(#f6f7f9, #0e1014);
    --surface: light-dark(#ffffff, #15181e);
    --raised: light-dark(#ffffff, #1b1f26);
    --sunken: light-dark(#f1f3f6, #101318);
    --line: light-dark(#e2e5ea, #272c35);
    --line-strong: light-dark(#8b93a1, #6b7482);
    --text: light-dark(#15181e, #e9ecf1);
    --muted: light-dark(#596170, #9aa3b2);
    --accent: light-dark(#2f5fd0, #8fb0ff);
    --accent-fill: light-dark(#2f5fd0, #3a68d8);
    --accent-fill-hover: light-dark(#264fb3, #416fdd);
    --accent-soft: light-dark(#ebf0fc, #1b2540);
    --danger: light-dark(#b3261e, #ff8f85);
    --danger-soft: light-dark(#fdeeed, #33191a);
    --success: light-dark(#1a7340, #6fd495);
    --warning: light-dark(#8a5300, #f0b957);
    --warning-soft: light-dark(#fdf4e3, #2e2412);
    --hover: light-dark(#eef0f4, #22272f);
    --shadow: 0 1px 2px light-dark(rgb(20 26 40 / 5%), rgb(0 0 0 / 40%));
    --shadow-high: 0 16px 48px light-dark(rgb(20 26 40 / 18%), rgb(0 0 0 / 60%));
    --radius: 6px;
    --radius-large: 10px;
    --sans:
      system-ui, -apple-system, 'Segoe UI', Roboto, 'Hiragino Sans', 'Noto Sans CJK JP', 'Yu Gothic UI',
      sans-serif;
    --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace;

    --wcc-text: var(--text);
    --wcc-muted: var(--muted);
    --wcc-accent: var(--accent);
    --wcc-border: var(--line-strong);
    --wcc-track: light-dark(#dfe3ea, #2d333e);
    --wcc-hover: var(--hover);
    --wcc-danger: var(--danger);
    --wcc-success: var(--success);
    --wcc-warning: var(--warning);
    --wcc-radius: var(--radius);

    display: block;
    min-block-size: 100vh;
    min-block-size: 100dvh;
    background: var(--bg);
    color: var(--text);
    font: 400 0.875rem/1.4286 var(--sans);
    font-variant-numeric: tabular-nums;
    -webkit-font-smoothing: antialiased;
    accent-color: var(--accent-fill);
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  dl,
  dd,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
  }
  ul {
    list-style: none;
  }
  h1 {
    font-size: 1.375rem;
    line-height: 1.75rem;
    font-weight: 600;
    letter-spacing: -0.01em;
  }
  h2 {
    font-size: 1rem;
    line-height: 1.5rem;
    font-weight: 600;
  }
  a {
    color: var(--accent);
  }
  code {
    font: 0.9285em var(--mono);
    overflow-wrap: anywhere;
  }
  .icon {
    inline-size: 1rem;
    block-size: 1rem;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .mark {
    inline-size: 1.75rem;
    block-size: 1.75rem;
    flex: none;
  }
  .mark rect {
    fill: var(--accent-fill);
  }
  .mark path {
    fill: none;
    stroke: #fff;
    stroke-width: 2.6;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .muted {
    color: var(--muted);
  }
  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  :focus:not(:focus-visible) {
    outline: none;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
    }
  }
`;
