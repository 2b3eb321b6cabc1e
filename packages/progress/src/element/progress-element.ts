import type { Rights } from '../core/protocol.ts';
import type { OperationError, OperationState, Snapshot } from '../core/snapshot.ts';
import { describeRow } from './describe.ts';
import { RowDom } from './row-dom.ts';
import type { RowNote } from './row-view.ts';
import { rowStyles } from './styles.ts';
import { textOf } from './text/catalogue.ts';
import type { Locale, RowVerb } from './text/row-text.ts';
import { tickEverySecond } from './ticker.ts';

/** Detail of `wcc-action`: a button was pressed. The element itself does nothing more; the page acts. */
export interface ProgressActionDetail {
  id: string;
  verb: RowVerb;
}

/** Detail of `wcc-state`: the shown operation changed its state. */
export interface ProgressStateDetail {
  id: string;
  from: OperationState;
  to: OperationState;
}

const paintEveryMs = 250;

// Importing this file must not throw without a DOM, because servers render pages with the element.
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (Object as unknown as typeof HTMLElement);

let sheet: CSSStyleSheet | undefined;

function sharedSheet(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(rowStyles);
  }
  return sheet;
}

/**
 * `<wcc-progress>`: one operation as one row. Set `snapshot` (and `may`, `connection`) whenever they change. The row
 * paints at most four times a second, and at once when the state changes.
 *
 * Attributes: `compact`, `frozen`, `href`, `locale`. Events: `wcc-action` and `wcc-state`; both bubble out of shadow
 * roots.
 */
export class WccProgressElement extends Base {
  static readonly observedAttributes: readonly string[] = ['locale', 'compact', 'frozen', 'href'];
  #snapshot: Snapshot | null = null;
  #may: Rights | null = null;
  #isOnline = true;
  #isUnknown = false;
  #offers: readonly RowVerb[] = [];
  #explain: ((error: OperationError) => { message: string; hint: string }) | null = null;
  #note: RowNote | null = null;
  #receivedAt = 0;
  #frozenAt: number | null = null;
  #paintedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dom: RowDom | null = null;
  #stopTicking: (() => void) | null = null;

  connectedCallback(): void {
    if (this.#dom === null) {
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [sharedSheet()];
      this.#dom = new RowDom((verb) => this.#emitAction(verb));
      root.append(this.#dom.row);
    }
    this.#paint();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tick(false);
  }

  attributeChangedCallback(name: string): void {
    if (name === 'frozen') this.#frozenAt = this.frozen ? performance.now() : null;
    this.#paintSoon();
  }

  /** The operation to show; `null` hides the row. @default null */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  set snapshot(next: Snapshot | null) {
    const previous = this.#snapshot;
    if (next === previous) return;
    this.#snapshot = next;
    this.#receivedAt = performance.now();
    const isSame = previous !== null && next !== null && previous.id === next.id;
    if (isSame && previous.state !== next.state)
      this.#emitState({ id: next.id, from: previous.state, to: next.state });
    const isMinor = isSame && previous.state === next.state && previous.phaseIndex === next.phaseIndex;
    if (isMinor && previous.stalled === next.stalled) this.#paintLater();
    else this.#paintSoon();
  }

  /** What this user may do. Only these actions have buttons. @default null */
  get may(): Rights | null {
    return this.#may;
  }

  set may(may: Rights | null) {
    this.#may = may;
    this.#paintSoon();
  }

  /** While `offline` the row shows the last value without motion, rate and time left, and disables its buttons. @default 'online' */
  get connection(): 'online' | 'offline' {
    return this.#isOnline ? 'online' : 'offline';
  }

  set connection(connection: 'online' | 'offline') {
    if (this.#isOnline === (connection === 'online')) return;
    this.#isOnline = connection === 'online';
    this.#paintSoon();
  }

  /** True if the server no longer knows the operation; `snapshot` is then the last one seen. @default false */
  get unknown(): boolean {
    return this.#isUnknown;
  }

  set unknown(isUnknown: boolean) {
    this.#isUnknown = isUnknown;
    this.#paintSoon();
  }

  /** Buttons that the page handles: `open`, `choose`, `details`, `dismiss`. @default [] */
  get offers(): readonly RowVerb[] {
    return this.#offers;
  }

  set offers(offers: readonly RowVerb[]) {
    this.#offers = offers;
    this.#paintSoon();
  }

  /** The page's own text for line 2, for an operation that the page itself drives. @default null */
  get note(): RowNote | null {
    return this.#note;
  }

  set note(note: RowNote | null) {
    if (note?.status === this.#note?.status && note?.look === this.#note?.look) return;
    this.#note = note;
    this.#paintSoon();
  }

  /** Returns message and hint of an error in the reader's language. @default null: the server's texts */
  get explain(): ((error: OperationError) => { message: string; hint: string }) | null {
    return this.#explain;
  }

  set explain(explain: ((error: OperationError) => { message: string; hint: string }) | null) {
    this.#explain = explain;
    this.#paintSoon();
  }

  /** Language of the texts. @default the page's language if it is Japanese, otherwise English */
  get locale(): Locale {
    const named = this.getAttribute('locale') ?? document.documentElement.lang;
    return named.startsWith('ja') ? 'ja' : 'en';
  }

  set locale(locale: Locale) {
    if (this.getAttribute('locale') !== locale) this.setAttribute('locale', locale);
  }

  /** Shows one line and a slim bar, without amounts and details. @default false */
  get compact(): boolean {
    return this.hasAttribute('compact');
  }

  set compact(isCompact: boolean) {
    this.toggleAttribute('compact', isCompact);
  }

  /**
   * Freezes the row: no motion, and durations stop. The page must not set new snapshots while it is frozen.
   * @default false
   */
  get frozen(): boolean {
    return this.hasAttribute('frozen');
  }

  set frozen(isFrozen: boolean) {
    this.toggleAttribute('frozen', isFrozen);
  }

  /** Address of the operation's page. The title becomes a link; a plain click on it emits `details`. @default '' */
  get href(): string {
    return this.getAttribute('href') ?? '';
  }

  set href(href: string) {
    if (href === '') this.removeAttribute('href');
    else if (this.href !== href) this.setAttribute('href', href);
  }

  /** Focuses the row; Tab then moves to its link and buttons. */
  override focus(options?: FocusOptions): void {
    this.#dom?.focus(options);
  }

  /** Paints after this turn, so that several properties set together cause one paint. */
  #paintSoon(): void {
    this.#schedule(0);
  }

  #paintLater(): void {
    if (this.#timer === undefined) this.#schedule(paintEveryMs - (performance.now() - this.#paintedAt));
  }

  #schedule(delayMs: number): void {
    if (!this.isConnected) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#paint(), Math.max(0, delayMs));
  }

  #paint(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const snapshot = this.#snapshot;
    if (this.#dom === null) return;
    this.#dom.row.hidden = snapshot === null;
    if (snapshot === null) return this.#tick(false);
    const nowMs = performance.now();
    this.#paintedAt = nowMs;
    const text = textOf(this.locale);
    const view = describeRow(snapshot, {
      text,
      isOnline: this.#isOnline,
      sinceReceiptMs: Math.max(0, (this.#frozenAt ?? nowMs) - this.#receivedAt),
      may: this.#may,
      offers: this.#offers,
      note: this.#note,
      isUnknown: this.#isUnknown,
      explain: this.#explain,
      locale: this.locale,
    });
    this.#dom.paint(view, { text, isOnline: this.#isOnline, href: this.href, nowMs });
    const isCounting = snapshot.state === 'running' && this.#isOnline && !this.#isUnknown;
    this.#tick(isCounting && this.#frozenAt === null);
  }

  #tick(isNeeded: boolean): void {
    if (isNeeded === (this.#stopTicking !== null)) return;
    this.#stopTicking?.();
    this.#stopTicking = isNeeded ? tickEverySecond(() => this.#paintLater()) : null;
  }

  #emitAction(verb: RowVerb): void {
    const id = this.#snapshot?.id;
    if (id === undefined) return;
    const detail: ProgressActionDetail = { id, verb };
    this.dispatchEvent(new CustomEvent('wcc-action', { detail, bubbles: true, composed: true }));
  }

  #emitState(detail: ProgressStateDetail): void {
    this.dispatchEvent(new CustomEvent('wcc-state', { detail, bubbles: true, composed: true }));
  }
}
