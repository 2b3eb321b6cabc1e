import type { ApiClient } from '@wcc/api/client';
import { Emitter } from '../ui/emitter.ts';
import { formatFilter, isFiltered, matchesFilter, noFilter, queryOf } from './filter.ts';
import type { OperationFilter } from './filter.ts';
import type { OperationEntry } from './operation-entry.ts';
import type { OperationsState } from './operations-state.ts';

export interface OperationQueryOptions {
  api: ApiClient;
  operations: OperationsState;
  userId: string;
}

const pageSize = 30;

/** A filtered list of operations: history page by page, and matching live operations. */
export class OperationQueryState {
  readonly changed: Emitter = new Emitter();
  readonly #options: OperationQueryOptions;
  #filter: OperationFilter = noFilter;
  #asked: string | null = null;
  #cursor: string | undefined;
  /** Creation time of the oldest loaded operation. Older history is incomplete. */
  #loadedDownTo = '';
  #isLoaded = false;
  #isBusy = false;
  #problem: unknown = null;

  constructor(options: OperationQueryOptions) {
    this.#options = options;
  }

  get filter(): OperationFilter {
    return this.#filter;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  get hasMore(): boolean {
    return this.#cursor !== undefined;
  }

  get problem(): unknown {
    return this.#problem;
  }

  /** Loads the first page of another filter. Does nothing for the same filter. */
  setFilter(filter: OperationFilter): void {
    const asked = formatFilter(filter);
    if (this.#asked === asked) return;
    this.#asked = asked;
    this.#filter = filter;
    this.#cursor = undefined;
    this.#loadedDownTo = '';
    this.#isLoaded = false;
    void this.#load();
  }

  /** Loads the next page, unless a page is being loaded. */
  async more(): Promise<void> {
    if (!this.#isBusy) await this.#load();
  }

  /** Keeps an answer for an earlier filter as history. */
  async #load(): Promise<void> {
    const { api, operations, userId } = this.#options;
    const asked = this.#asked;
    const cursor = this.#cursor;
    this.#isBusy = true;
    this.changed.emit();
    try {
      const query = { ...queryOf(this.#filter, userId), limit: pageSize };
      const page = await api.operations({ ...query, ...(cursor === undefined ? {} : { cursor }) });
      for (const operation of page.items) operations.offer(operation);
      if (asked !== this.#asked) return;
      this.#cursor = page.next;
      this.#loadedDownTo = page.next === undefined ? '' : (page.items.at(-1)?.createdAt ?? '');
      this.#problem = null;
      this.#isLoaded = true;
    } catch (error) {
      if (asked === this.#asked) this.#problem = error;
    }
    if (asked !== this.#asked) return;
    this.#isBusy = false;
    this.changed.emit();
  }

  /** Whether an operation belongs in the list. */
  shows({ snapshot, isHistory }: OperationEntry): boolean {
    if (isFiltered(this.#filter) && !matchesFilter(snapshot, this.#filter, this.#options.userId))
      return false;
    return !isHistory || snapshot.createdAt >= this.#loadedDownTo;
  }
}
