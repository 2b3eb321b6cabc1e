import { percent } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import { isActive } from './groups.ts';
import type { OperationEntry } from './operation-entry.ts';

/** Summary of the user's own operations for the title and icon of the browser tab. */
export interface TabBadge {
  /** Running operations. */
  running: number;
  /** Lowest percentage of the running operations, rounded down; `null` when one of them is unknown. */
  percent: number | null;
  /** Operations that wait for a slot, a user or a server. */
  waiting: number;
  /** Operations that failed while the page was hidden. */
  failed: number;
}

export function badgeOf(
  entries: readonly OperationEntry[],
  options: { userId: string; unseen: ReadonlySet<string> },
): TabBadge {
  const own = entries.filter(({ snapshot }) => snapshot.owner === options.userId);
  const active = own.filter(isActive);
  const running = active.filter(({ snapshot }) => snapshot.state === 'running');
  const known = running.map(({ snapshot }) => percentOf(snapshot)).filter((value) => value !== null);
  return {
    running: running.length,
    percent: known.length > 0 && known.length === running.length ? Math.min(...known) : null,
    waiting: active.length - running.length,
    failed: own.filter(({ snapshot }) => options.unseen.has(snapshot.id)).length,
  };
}

function percentOf({ phases, phaseIndex }: Snapshot): number | null {
  const phase = phases[phaseIndex];
  if (phase === undefined || !('done' in phase) || phase.total === 0) return null;
  const value = percent(phase.done, phase.total);
  // Never 100, because 100 % means success.
  return value === null ? null : Math.min(99, Math.floor(value));
}

/** For example `! (2) 61 % · Images · wcc`. */
export function titleOf(badge: TabBadge, page: string): string {
  const parts = [
    badge.failed > 0 ? '!' : '',
    badge.running > 0 ? `(${badge.running})` : '',
    badge.percent === null ? '' : `${badge.percent} %`,
  ].filter((part) => part !== '');
  return [parts.join(' '), page, 'wcc'].filter((part) => part !== '').join(' · ');
}

const ringSvg = 81.68;
const steps = 20;

/** The icon as a `data:` URL: a ring that fills while operations run, a dot when some wait or have failed. */
export function iconOf(badge: TabBadge): string {
  const isIdle = badge.running + badge.waiting + badge.failed === 0;
  if (isIdle) return '/favicon.svg';
  // In steps of 5 %, because the browser decodes each new icon.
  const share = Math.floor(((badge.percent ?? 0) / 100) * steps) / steps;
  const ring =
    badge.running === 0
      ? ''
      : `<circle cx="16" cy="16" r="13" stroke="#b9c6e6"/><circle cx="16" cy="16" r="13" stroke="#2f5fd0" ` +
        `stroke-dasharray="${(badge.percent === null ? ringSvg / 4 : share * ringSvg).toFixed(1)} ${ringSvg}" ` +
        `transform="rotate(-90 16 16)"/>`;
  const colour = badge.failed > 0 ? '#b3261e' : badge.running > 0 ? '#2f5fd0' : '#8b93a1';
  const radius = badge.running > 0 ? 6 : 11;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><g fill="none" stroke-width="5">${ring}</g>` +
    `<circle cx="16" cy="16" r="${radius}" fill="${colour}"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
