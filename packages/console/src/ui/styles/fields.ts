import { css } from 'lit';
import type { CSSResult } from 'lit';

/** Styles of `ui/fields.ts` that the first page does not need. */
export const fields: CSSResult = css`
  .area {
    inline-size: 100%;
    padding: 0.5rem 0.625rem;
    border: 1px solid var(--line-strong);
    border-radius: var(--radius);
    background: var(--surface);
    color: inherit;
    font: 0.8125rem/1.5 var(--mono);
    resize: vertical;
  }
  .area[aria-invalid='true'],
  .select[aria-invalid='true'] {
    border-color: var(--danger);
  }
`;
