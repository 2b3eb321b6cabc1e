import type { Snapshot } from '@wcc/progress';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { operationPageOf } from '../app/router.ts';
import { clockTime } from '../text/format.ts';
import { liveRow } from './live-row.ts';
import type { RowOffers } from './live-row.ts';

/** Open leads to the page of the result if there is one, otherwise to the operation's page. */
export function resultOffers(app: App): RowOffers {
  return {
    verbs: ['open', 'details'],
    hasLink: true,
    run: (verb, id) => {
      const result = app.signedIn?.operations.get(id)?.snapshot.result;
      if (verb === 'open' && result && app.router.goToResult(result)) return;
      app.router.go(operationPageOf(id));
    },
  };
}

/** Dismiss removes the operation from this page. */
export function dismissOffers(app: App): RowOffers {
  return { verbs: ['dismiss'], run: (_, id) => app.signedIn?.operations.dismiss(id) };
}

/** A list item: the operation, and when it ended or was created. */
export function operationItem(
  app: App,
  { id, endedAt, createdAt }: Pick<Snapshot, 'id' | 'endedAt' | 'createdAt'>,
  offers: RowOffers,
): TemplateResult {
  const at = endedAt ?? createdAt;
  return html`<li data-operation=${id}>
    ${liveRow(app, id, { offers })}
    <time class="when" datetime=${at}>${clockTime(at, app.times)}</time>
  </li>`;
}

export interface PendingRow {
  id: string;
  /** Name of the image or machine that the operation makes. */
  name: string;
  /** Number of the table's columns. */
  columns: number;
}

/** A table row for something that an operation is making and that is not in the list yet. */
export function pendingRow(app: App, { id, name, columns }: PendingRow): TemplateResult {
  return html`<tr role="row" class="making" data-operation=${id}>
    <td role="cell" class="main"><bdi class="name" translate="no">${name}</bdi></td>
    <td role="cell" class="bar" colspan=${columns - 1}>
      ${liveRow(app, id, { compact: true, offers: dismissOffers(app) })}
    </td>
  </tr>`;
}
