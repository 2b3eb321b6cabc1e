import { css } from 'lit';
import type { CSSResult } from 'lit';

export const shell: CSSResult = css`
  :is(
    wcc-images-page,
    wcc-operations-page,
    wcc-operation-page,
    wcc-image-page,
    wcc-users-page,
    wcc-tokens-page,
    wcc-audit-page,
    wcc-settings-page,
    wcc-shared-page,
    wcc-password-form,
    wcc-operation-access,
    wcc-secret-box,
    wcc-sign-in,
    wcc-first-sign-in,
    wcc-tray,
    wcc-live-row
  ) {
    display: block;
  }
  .skip {
    position: fixed;
    inset: 0.5rem auto auto 0.5rem;
    z-index: 3;
    translate: 0 -200%;
  }
  .skip:focus {
    translate: none;
  }
  .top {
    position: sticky;
    inset-block-start: 0;
    z-index: 2;
    display: flex;
    align-items: center;
    gap: 1.5rem;
    min-block-size: 3.5rem;
    padding: 0 max(1.5rem, calc((100vw - 72rem) / 2));
    border-block-end: 1px solid var(--line);
    background: color-mix(in srgb, var(--surface) 92%, transparent);
    backdrop-filter: blur(8px);
  }
  .brand {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    font-weight: 650;
    font-size: 1rem;
    letter-spacing: -0.01em;
    color: var(--text);
    text-decoration: none;
  }
  .top nav {
    display: flex;
    gap: 0.25rem;
    align-self: stretch;
  }
  .tab {
    position: relative;
    display: flex;
    align-items: center;
    gap: 0.5rem;
    padding: 0 0.75rem;
    color: var(--muted);
    font-weight: 500;
    text-decoration: none;
  }
  .tab:hover {
    color: var(--text);
  }
  .tab[aria-current='page'] {
    color: var(--text);
  }
  .tab[aria-current='page']::after {
    content: '';
    position: absolute;
    inset: auto 0.75rem -1px;
    block-size: 2px;
    border-radius: 2px;
    background: var(--accent);
  }
  .badge {
    min-inline-size: 1.25rem;
    padding: 0 0.375rem;
    border-radius: 99px;
    background: var(--accent-soft);
    color: var(--accent);
    font-size: 0.75rem;
    line-height: 1.25rem;
    text-align: center;
  }
  .top .end {
    display: flex;
    align-items: center;
    gap: 0.75rem;
    margin-inline-start: auto;
  }
  .link-state {
    display: flex;
    align-items: center;
    gap: 0.375rem;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .dot {
    inline-size: 0.5rem;
    block-size: 0.5rem;
    border-radius: 50%;
    background: var(--success);
  }
  .dot.off {
    background: transparent;
    border: 2px solid var(--warning);
  }
  .icon.only-narrow {
    display: none;
  }
  .banner {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 0.75rem;
    padding: 0.625rem max(1.5rem, calc((100vw - 72rem) / 2));
    border-block-end: 1px solid color-mix(in srgb, var(--warning) 30%, transparent);
    background: var(--warning-soft);
  }
  .banner > .icon {
    color: var(--warning);
  }
  .banner p {
    flex: 1 1 16rem;
  }
  main {
    display: block;
    max-inline-size: 75rem;
    margin-inline: auto;
    padding: 2rem 1.5rem 4rem;
  }
  main:focus {
    outline: none;
  }
  .page-head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.75rem 1.5rem;
    margin-block-end: 1.25rem;
  }
  .page-head ~ .problem {
    margin-block-end: 1rem;
  }
  .page-head .end {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.75rem;
  }
  .centre {
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 0.75rem;
    min-block-size: 60vh;
    text-align: center;
  }
  .gate {
    display: grid;
    align-items: center;
    min-block-size: 100dvh;
    padding: 2rem 1rem;
  }
  .gate-card {
    inline-size: min(24rem, 100%);
    margin-inline: auto;
    display: grid;
    gap: 1.25rem;
  }
  .gate-card .intro {
    display: grid;
    justify-items: start;
    gap: 0.375rem;
  }
  .gate-card .mark {
    inline-size: 2.5rem;
    block-size: 2.5rem;
    margin-block-end: 0.75rem;
  }
  .gate-card form {
    display: grid;
    gap: 1rem;
    padding: 1.5rem;
    border: 1px solid var(--line);
    border-radius: var(--radius-large);
    background: var(--surface);
    box-shadow: var(--shadow);
  }
  .gate-card .languages {
    display: flex;
    gap: 0.25rem;
    justify-content: center;
  }
  .notice.problem {
    grid-template-columns: auto minmax(0, 1fr) auto;
    align-items: center;
    max-inline-size: min(28rem, calc(100vw - 2rem));
    box-shadow: var(--shadow-high);
  }
  .notice > .button {
    grid-column: 3;
  }
  dialog.expired {
    inline-size: min(26rem, calc(100vw - 2rem));
    padding: 1.5rem;
  }
  dialog.expired form {
    padding: 0;
    border: 0;
    background: none;
    box-shadow: none;
  }
  @media (max-width: 40rem) {
    .top {
      gap: 0.25rem;
      padding-inline: 1rem;
    }
    /* The brand is a link to Home as well. */
    .tab.home {
      display: none;
    }
    .top nav {
      gap: 0;
    }
    .brand span,
    .link-state span:not(.dot) {
      position: absolute;
      clip-path: inset(50%);
      inline-size: 1px;
      block-size: 1px;
      overflow: hidden;
    }
    .tab {
      padding: 0 0.5rem;
    }
    .tab[aria-current='page']::after {
      inset-inline: 0.5rem;
    }
    .banner {
      padding-inline: 1rem;
    }
    main {
      padding: 1.25rem 1rem 3rem;
    }
    .user-name {
      display: none;
    }
    .icon.only-narrow {
      display: block;
    }
    .icon.only-wide {
      display: none;
    }
    .top .end {
      gap: 0.25rem;
    }
    .top .button {
      padding: 0 0.5rem;
    }
  }
  /* Three tabs, a count and the menu fit in one line of 320 px. */
  @media (max-width: 24rem) {
    .top {
      padding-inline: 0.5rem;
    }
    .tab {
      gap: 0.25rem;
      padding: 0 0.3125rem;
      font-size: 0.8125rem;
    }
    .tab[aria-current='page']::after {
      inset-inline: 0.3125rem;
    }
    .top .button {
      padding: 0 0.25rem;
    }
  }
  @media (forced-colors: active) {
    .tab[aria-current='page']::after {
      background: Highlight;
      forced-color-adjust: none;
    }
  }
`;
