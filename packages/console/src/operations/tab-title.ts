import type { OperationEntry } from './operation-entry.ts';
import type { OperationsState } from './operations-state.ts';
import { badgeOf, iconOf, titleOf } from './tab-badge.ts';

export interface TabTitleOptions {
  operations: OperationsState;
  userId: () => string;
  /** Name of the current page. */
  page: () => string;
}

const updateEveryMs = 1000;

/** Writes the title and icon of the document, at most once per second. */
export class TabTitle {
  readonly #options: TabTitleOptions;
  readonly #unseen = new Set<string>();
  #writtenAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TabTitleOptions) {
    this.#options = options;
    options.operations.listenAll((entry, before) => this.#onOperation(entry, before));
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    this.update();
  }

  /**
   * Writes within a second. Writes immediately if the last write is older, because timers of hidden pages are
   * late.
   */
  update(): void {
    const sinceMs = performance.now() - this.#writtenAt;
    if (sinceMs >= updateEveryMs) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), updateEveryMs - sinceMs);
  }

  #onOperation({ snapshot }: OperationEntry, before: OperationEntry | undefined): void {
    const hasFailed =
      snapshot.state === 'failed' && before !== undefined && before.snapshot.state !== 'failed';
    if (hasFailed && document.visibilityState === 'hidden') this.#unseen.add(snapshot.id);
    this.update();
  }

  #onVisibility(): void {
    if (document.visibilityState === 'hidden') return;
    this.#unseen.clear();
    this.update();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writtenAt = performance.now();
    const { operations, userId, page } = this.#options;
    const badge = badgeOf(operations.all, { userId: userId(), unseen: this.#unseen });
    const title = titleOf(badge, page());
    if (document.title !== title) document.title = title;
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const icon = iconOf(badge);
    if (link !== null && link.getAttribute('href') !== icon) link.setAttribute('href', icon);
  }
}
