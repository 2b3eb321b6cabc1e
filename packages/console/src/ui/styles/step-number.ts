import { css } from 'lit';
import type { CSSResult } from 'lit';

/** Styles of the round number before a step. */
export const stepNumber: CSSResult = css`
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 1.5rem;
  block-size: 1.5rem;
  border-radius: 50%;
  background: var(--accent-soft);
  color: var(--accent);
  font-size: 0.75rem;
  font-weight: 600;
`;
