import type { Inspected } from '../foreign/inspect.ts';
import type { IsAllowed } from './address-rules.ts';

/** What imports remember while this process lives. */
export interface ImportContext {
  readonly isAllowed: IsAllowed;
  /** Whole addresses, query and all, by operation: in memory only, and only until the end. */
  readonly sources: Map<string, URL>;
  /** What the inspection of a complete file said. */
  readonly inspected: Map<string, Inspected>;
  /** Bytes that an import needs in all, as far as that is known. */
  readonly wanted: Map<string, number>;
}

export function createImportContext(isAllowed: IsAllowed): ImportContext {
  return { isAllowed, sources: new Map(), inspected: new Map(), wanted: new Map() };
}

export function forgetImport({ sources, inspected, wanted }: ImportContext, id: string): void {
  for (const map of [sources, inspected, wanted]) map.delete(id);
}
