import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';

export interface Column<Row> {
  label: string;
  /** `main`: name of the row; `act`: its buttons. @default a plain value */
  kind?: 'main' | 'act';
  /** An empty string hides the cell in the card layout. */
  cell: (row: Row) => unknown;
}

export interface DataTable<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => unknown;
}

/** The head of a table. Roles are named as in {@link dataTable}. */
export function tableHead(
  columns: readonly { label: string; kind?: 'main' | 'act' | 'number' }[],
): TemplateResult {
  return html`<thead role="rowgroup">
    <tr role="row">
      ${columns.map(
        ({ label, kind }) =>
          html`<th role="columnheader" scope="col" class=${kind === 'number' ? 'number' : ''}>
            ${kind === 'act' ? html`<span class="visually-hidden">${label}</span>` : label}
          </th>`,
      )}
    </tr>
  </thead>`;
}

/**
 * A table that becomes a list of cards on narrow screens. ARIA roles are explicit, because `display: block`
 * would remove the table semantics.
 */
export function dataTable<Row>({ label, columns, rows, keyOf }: DataTable<Row>): TemplateResult {
  return html`<div class="card">
    <table role="table" class="data" aria-label=${label}>
      ${tableHead(columns)}
      <tbody role="rowgroup">
        ${repeat(
          rows,
          keyOf,
          (row) =>
            html`<tr role="row">
              ${columns.map((column) => cellOf(column, row))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function cellOf<Row>({ label, kind, cell }: Column<Row>, row: Row): TemplateResult {
  const content = cell(row);
  if (kind === 'main') return html`<td role="cell" class="main name">${content}</td>`;
  if (kind === 'act') return html`<td role="cell" class="act">${content}</td>`;
  return html`<td role="cell" class=${content === '' ? 'none' : ''} data-label=${label}>
    <span>${content}</span>
  </td>`;
}
