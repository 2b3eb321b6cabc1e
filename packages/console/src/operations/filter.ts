import type { OperationQuery } from '@wcc/api';
import { operationStates } from '@wcc/progress/protocol';
import type { OperationState, Snapshot } from '@wcc/progress';

/** Filter of the operations page. An empty list or string is no condition. */
export interface OperationFilter {
  states: readonly OperationState[];
  action: string;
  isOwn: boolean;
  /** `<kind>:<id>`, e.g. `image:100`. */
  subject: string;
  /**
   * First day, e.g. `2026-11-24`, in the reader's time zone. Days, because the browser's clock may be wrong
   * by minutes.
   */
  from: string;
  /** Last day, inclusive. */
  to: string;
}

export const noFilter: OperationFilter = {
  states: [],
  action: '',
  isOwn: false,
  subject: '',
  from: '',
  to: '',
};

export const activeStates: readonly OperationState[] = [
  'queued',
  'running',
  'paused',
  'cancelling',
  'interrupted',
];

/** Reads the query of the address and ignores malformed conditions. */
export function parseFilter(search: string): OperationFilter {
  const params = new URLSearchParams(search);
  const named = (params.get('state') ?? '').split(',');
  const subject = params.get('subject') ?? '';
  return {
    states: operationStates.filter((state) => named.includes(state)),
    action: params.get('action') ?? '',
    isOwn: params.get('owner') === 'me',
    subject: /^[a-z_]+:.+$/.test(subject) ? subject : '',
    from: dayOf(params.get('from')),
    to: dayOf(params.get('to')),
  };
}

/** For example `?state=failed&action=…`; empty without conditions. */
export function formatFilter(filter: OperationFilter): string {
  const parts = {
    state: filter.states.join(','),
    action: filter.action,
    owner: filter.isOwn ? 'me' : '',
    subject: filter.subject,
    from: filter.from,
    to: filter.to,
  };
  const query = Object.entries(parts)
    .filter(([, value]) => value !== '')
    // Commas and colons are allowed in a query and stay readable.
    .map(
      ([key, value]) => `${key}=${encodeURIComponent(value).replaceAll('%2C', ',').replaceAll('%3A', ':')}`,
    )
    .join('&');
  return query === '' ? '' : `?${query}`;
}

export function isFiltered(filter: OperationFilter): boolean {
  return formatFilter(filter) !== '';
}

/** The conditions as a query of the API. */
export function queryOf(filter: OperationFilter, userId: string): OperationQuery {
  const { since, until } = timesOf(filter);
  return {
    ...(filter.states.length > 0 ? { state: filter.states.join(',') } : {}),
    ...(filter.action === '' ? {} : { action: filter.action }),
    ...(filter.isOwn ? { owner: userId } : {}),
    ...(filter.subject === '' ? {} : { subject: filter.subject }),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
  };
}

/** Whether a live snapshot matches the filter. */
export function matchesFilter(snapshot: Snapshot, filter: OperationFilter, userId: string): boolean {
  const { since, until } = timesOf(filter);
  const { subject } = snapshot;
  return (
    (filter.states.length === 0 || filter.states.includes(snapshot.state)) &&
    (filter.action === '' || filter.action === snapshot.action) &&
    (!filter.isOwn || snapshot.owner === userId) &&
    (filter.subject === '' || filter.subject === `${subject.kind}:${subject.id}`) &&
    (since === null || snapshot.createdAt >= since) &&
    (until === null || snapshot.createdAt < until)
  );
}

function timesOf({ from, to }: OperationFilter): { since: string | null; until: string | null } {
  return { since: startOf(from, 0), until: startOf(to, 1) };
}

/** Local midnight at the start of the day, or of the day `later` days after it. */
function startOf(day: string, later: number): string | null {
  const [year, month, date] = day.split('-').map(Number);
  if (year === undefined || month === undefined || date === undefined) return null;
  const at = new Date(year, month - 1, date + later);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

function dayOf(text: string | null): string {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && startOf(text, 0) !== null ? text : '';
}
