import type { Image, Operation, OperationLog } from '@wcc/api';
import { formatBytes, isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { RowView } from '@wcc/progress/text';
import { actionName, describeRow, warningText } from './operation-text.ts';
import { escapeTerminal, pad, widthOf } from '@wcc/progress/terminal';

/** The texts of an operation, the same as in the console. */
export function rowOf(
  snapshot: Snapshot,
  more: { isOnline?: boolean; sinceReceiptMs?: number } = {},
): RowView {
  return describeRow(snapshot, {
    connection: more.isOnline === false ? 'offline' : 'online',
    sinceReceiptMs: more.sinceReceiptMs ?? 0,
  });
}

/** A table with columns as wide as their widest cell, without trailing spaces. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const clean = [head, ...rows].map((row) => row.map(escapeTerminal));
  const widths = head.map((_, column) => Math.max(...clean.map((row) => widthOf(row[column] ?? ''))));
  return clean
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Pairs of name and value, one per line; empty values are left out. */
export function facts(pairs: readonly (readonly [string, string | null])[]): string {
  const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== '');
  const width = Math.max(...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${pad(`${name}:`, width + 1)} ${escapeTerminal(value)}\n`).join('');
}

/** The list of `wcc image ls`. */
export function imageTable(images: readonly Image[]): string {
  if (images.length === 0) return 'No images.\n';
  return table(
    ['ID', 'NAME', 'FORMAT', 'SIZE', 'ON DISK', 'STATE'],
    images.map((image) => [
      String(image.id),
      image.name,
      image.format ?? '–',
      formatBytes(image.virtualSizeBytes),
      formatBytes(image.dataBytes),
      image.state,
    ]),
  );
}

/** The details of `wcc image show`. */
export function imageFacts(image: Image): string {
  return facts([
    ['id', String(image.id)],
    ['name', image.name],
    ['format', image.format],
    ['size', formatBytes(image.virtualSizeBytes)],
    ['on disk', formatBytes(image.dataBytes)],
    ['state', image.state],
    ['reason', image.stateReason],
    ['pool', image.pool],
    ['owner', image.owner],
    ['copied from', image.copiedFrom === null ? null : String(image.copiedFrom)],
    ['sha256', image.sha256],
    ['private', image.private ? 'yes' : null],
    ['template', image.template ? 'yes' : null],
    ['remark', image.remarks.map((code) => warningText(code, 'en')).join('; ')],
    ['base', image.baseChanged ? 'changed: machines with disks on it do not start' : null],
    ['used by', image.usedBy.map(({ kind, name }) => `${kind} ${name}`).join(', ')],
    ['created', image.createdAt],
  ]);
}

/** The list of `wcc op ls`. */
export function operationTable(operations: readonly Operation[]): string {
  if (operations.length === 0) return 'No operations.\n';
  return table(
    ['ID', 'ACTION', 'SUBJECT', 'OWNER', 'STATE'],
    operations.map((operation) => {
      const row = rowOf(operation);
      return [
        operation.id,
        row.title,
        namesOf(operation),
        operation.ownerName,
        `${row.status} ${row.percent}`.trim(),
      ];
    }),
  );
}

/** Subject and target, e.g. `debian-13.raw → web-07.raw`; one name if both are equal. */
export function namesOf({ subject, target }: Snapshot): string {
  return target === null || target.name === subject.name ? subject.name : `${subject.name} → ${target.name}`;
}

/** The details of `wcc op show`. */
export function operationFacts(operation: Snapshot): string {
  const row = rowOf(operation);
  return facts([
    ['id', operation.id],
    ['action', actionName(operation.action, 'en')],
    ['subject', namesOf(operation)],
    ['owner', operation.ownerName],
    ['state', `${row.status} ${row.percent}`.trim()],
    ['progress', row.numbers],
    ['detail', row.detail],
    ['hint', row.hint],
    ['code', row.code],
    [
      'result',
      isTerminal(operation.state) && operation.result
        ? `${operation.result.kind} ${operation.result.id}`
        : null,
    ],
    ['created', operation.createdAt],
    ['ended', operation.endedAt],
    ['retry of', operation.retryOf],
  ]);
}

/** The lines of `wcc op log`. */
export function logTable({ items }: OperationLog): string {
  return items
    .map(
      ({ at, kind, text: entry }) =>
        `${escapeTerminal(at)}  ${pad(escapeTerminal(kind), 10)}  ${escapeTerminal(entry)}\n`,
    )
    .join('');
}
