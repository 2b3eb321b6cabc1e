import type { Inspected } from '../foreign/inspect.ts';
import type { IsAllowed } from './address-rules.ts';

/** State of imports in memory. */
export interface ImportContext {
  readonly isAllowed: IsAllowed;
  /**
   * Complete addresses with their query, by operation. They stay in memory until the end of the import, because a
   * query may be a secret.
   */
  readonly sources: Map<string, URL>;
  /** Results of the inspection of complete files, by operation. */
  readonly inspected: Map<string, Inspected>;
  /** Questions about a file that are not answered yet, with their users. */
  readonly questions: Map<AbortSignal, string>;
  /** Total bytes that each import needs, if known. */
  readonly wanted: Map<string, number>;
}

export function createImportContext(isAllowed: IsAllowed): ImportContext {
  return { isAllowed, sources: new Map(), inspected: new Map(), wanted: new Map(), questions: new Map() };
}

export function forgetImport({ sources, inspected, wanted }: ImportContext, id: string): void {
  for (const map of [sources, inspected, wanted]) map.delete(id);
}
