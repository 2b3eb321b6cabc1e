import type { OperationState, Snapshot } from '../core/snapshot.ts';
import { completeSnapshot } from './complete-snapshot.ts';
import { describeRow } from './describe.ts';
import { isolate } from './isolation.ts';
import { RowDom } from './row-dom.ts';
import type { FeedState, RowNote } from './row-view.ts';
import { rowStyles } from './styles.ts';
import { localeOf, onLocaleChange } from './text/registry.ts';
import { tickEverySecond } from './ticker.ts';

/** Detail of `action`: a button was pressed. The element itself does nothing more; the page acts. */
export interface ProgressActionDetail {
  /** Id of the operation. */
  id: string;
  /** `cancel`, `pause`, `resume`, `retry`, `open`, `details`, `dismiss`, or a verb of the page's own. */
  verb: string;
}

/** Detail of `statechange`: the shown operation changed its state. */
export interface ProgressStateDetail {
  /** Id of the operation. */
  id: string;
  from: OperationState;
  to: OperationState;
}

interface ProgressEventMap extends HTMLElementEventMap {
  action: CustomEvent<ProgressActionDetail>;
  statechange: CustomEvent<ProgressStateDetail>;
}

/** An element with the types of its own events. */
interface ProgressHost extends HTMLElement {
  /** Listens to `action`, `statechange` and every event of an HTML element. */
  addEventListener<Type extends keyof ProgressEventMap>(
    type: Type,
    listener: (this: this, event: ProgressEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Listens to any other event. */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

const paintEveryMs = 250;

// Importing this file must not throw without a DOM, because servers render pages with the element.
const Base = (globalThis.HTMLElement ?? Object) as unknown as new () => ProgressHost;

const sheets = new WeakMap<Document, CSSStyleSheet>();

/** A sheet belongs to one document; an element that moves to another window loses it. */
function sheetOf(page: Document): CSSStyleSheet {
  let sheet = sheets.get(page);
  if (sheet === undefined) {
    sheet = new (page.defaultView ?? globalThis).CSSStyleSheet();
    sheet.replaceSync(rowStyles);
    sheets.set(page, sheet);
  }
  return sheet;
}

/**
 * `<wcc-progress>`: one operation as one row. Set `snapshot` (and `actions`, `connection`) whenever they change. The
 * row paints at most four times a second, and at once when the state changes.
 *
 * Attributes: `compact`, `heading`, `href`, `locale`. Events: `action` ({@link ProgressActionDetail}) and
 * `statechange` ({@link ProgressStateDetail}); both bubble, also out of shadow roots.
 */
export class WccProgressElement extends Base {
  static readonly observedAttributes: readonly string[] = ['locale', 'compact', 'heading', 'href'];
  #snapshot: Snapshot | null = null;
  #actions: Readonly<Record<string, boolean | string>> | null = null;
  #connection: FeedState = 'online';
  #note: RowNote | null = null;
  #receivedAt = 0;
  #pausedAt: number | null = null;
  #paintedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dom: RowDom | null = null;
  #stopTicking: (() => void) | null = null;
  #stopListening: (() => void) | null = null;

  /** @internal Called by the browser. */
  connectedCallback(): void {
    this.#adoptOwnProperties();
    if (this.#dom === null) {
      this.#dom = new RowDom((verb) => this.#emitAction(verb));
      this.attachShadow({ mode: 'open' }).append(this.#dom.row);
    }
    const root = this.shadowRoot;
    if (root !== null) root.adoptedStyleSheets = [sheetOf(this.ownerDocument)];
    this.#stopListening ??= onLocaleChange(() => this.#paintSoon());
    this.#paint();
  }

  /** @internal Called by the browser. */
  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tick(false);
    this.#stopListening?.();
    this.#stopListening = null;
  }

  /** @internal Called by the browser. */
  attributeChangedCallback(): void {
    this.#paintSoon();
  }

  /**
   * The operation to show; `null` hides the row. Fields that it lacks are unknown to the row. @default null
   *
   * @throws {TypeError} with `code: 'invalid_snapshot'` when set to a value that is not an object or has no valid `state`
   */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  set snapshot(next: Snapshot | null) {
    const previous = this.#snapshot;
    if (next === previous) return;
    const { id = '', state, phaseIndex, stalled } = next == null ? {} : completeSnapshot(next);
    this.#snapshot = next ?? null;
    this.#receivedAt = performance.now();
    const isSame = previous !== null && state !== undefined && (previous.id ?? '') === id;
    if (isSame && previous.state !== state)
      this.#emit('statechange', { id, from: previous.state, to: state });
    const isMinor = isSame && previous.state === state && previous.phaseIndex === phaseIndex;
    if (isMinor && previous.stalled === stalled) this.#paintLater();
    else this.#paintSoon();
  }

  /**
   * What this user may do: `{ cancel: true, pause: true }`. Only these verbs have buttons, and only in states in which
   * they apply. The server handles `cancel`, `pause`, `resume`, `retry`; the page handles `open`, `details`, `dismiss`
   * and verbs of its own. A text is the label of its button. @default null: no buttons
   */
  get actions(): Readonly<Record<string, boolean | string>> | null {
    return this.#actions;
  }

  set actions(actions: Readonly<Record<string, boolean | string>> | null) {
    // A page may set an equal object with each snapshot. That needs no paint.
    if (JSON.stringify(actions ?? null) === JSON.stringify(this.#actions)) return;
    this.#actions = actions === null ? null : { ...actions };
    this.#paintSoon();
  }

  /**
   * State of the feed of snapshots. `offline`: shows the last value without motion, rate and time left, and disables
   * the buttons of the server. `paused`: the reader stopped all motion; durations stop, and the page sets no new
   * snapshots. `gone`: the server no longer knows the operation. @default 'online'
   */
  get connection(): FeedState {
    return this.#connection;
  }

  set connection(connection: FeedState) {
    if (this.#connection === connection) return;
    this.#connection = connection;
    this.#pausedAt = connection === 'paused' ? performance.now() : null;
    this.#paintSoon();
  }

  /** The page's own text for line 2, for an operation that the page itself drives. @default null */
  get note(): RowNote | null {
    return this.#note;
  }

  set note(note: RowNote | null) {
    if (note?.status === this.#note?.status && note?.look === this.#note?.look) return;
    this.#note = note ?? null;
    this.#paintSoon();
  }

  /**
   * Language of the texts, a BCP 47 tag. Other languages than English need `registerLocale`.
   * @default the language of the page at this element
   */
  get locale(): string {
    const near = this.closest<HTMLElement>('[lang]') ?? document.documentElement;
    return this.getAttribute('locale') ?? near.lang;
  }

  set locale(locale: string) {
    if (this.getAttribute('locale') !== locale) this.setAttribute('locale', locale);
  }

  /** Shows one line and a slim bar, without amounts and details. @default false */
  get compact(): boolean {
    return this.hasAttribute('compact');
  }

  set compact(isCompact: boolean) {
    this.toggleAttribute('compact', isCompact);
  }

  /** Replaces the title, subject and target of the operation. @default '' */
  get heading(): string {
    return this.getAttribute('heading') ?? '';
  }

  set heading(heading: string) {
    this.#reflect('heading', heading);
  }

  /** Address of the operation's page. The title becomes a link; a plain click on it emits `details`. @default '' */
  get href(): string {
    return this.getAttribute('href') ?? '';
  }

  set href(href: string) {
    this.#reflect('href', href);
  }

  /** Focuses the row; Tab then moves to its link and buttons. */
  override focus(options?: FocusOptions): void {
    this.#dom?.focus(options);
  }

  /** A property set before the element was defined is an own property, which hides the accessor of the class. */
  #adoptOwnProperties(): void {
    const own = this as unknown as Record<string, unknown>;
    for (const name of Object.keys(own)) {
      if (!(name in Object.getPrototypeOf(this))) continue;
      const value = own[name];
      delete own[name];
      own[name] = value;
    }
  }

  #reflect(name: string, value: string): void {
    if ((value ?? '') === '') this.removeAttribute(name);
    else if (this.getAttribute(name) !== value) this.setAttribute(name, value);
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
    const isOnline = this.#connection !== 'offline';
    const isMoving = isOnline && this.#connection !== 'paused';
    const { locale, href } = this;
    const actions = this.#actions;
    const view = describeRow(snapshot, {
      locale,
      connection: this.#connection,
      sinceReceiptMs: Math.max(0, (this.#pausedAt ?? nowMs) - this.#receivedAt),
      actions,
      note: this.#note,
      heading: this.heading,
      isolate,
    });
    this.#dom.paint(view, { ...localeOf(locale), isOnline, isMoving, actions, href, nowMs });
    this.#tick(snapshot.state === 'running' && this.#connection === 'online');
  }

  #tick(isNeeded: boolean): void {
    if (isNeeded === (this.#stopTicking !== null)) return;
    this.#stopTicking?.();
    this.#stopTicking = isNeeded ? tickEverySecond(() => this.#paintLater()) : null;
  }

  #emitAction(verb: string): void {
    if (this.#snapshot !== null) this.#emit('action', { id: this.#snapshot.id ?? '', verb });
  }

  #emit(name: 'action', detail: ProgressActionDetail): void;
  #emit(name: 'statechange', detail: ProgressStateDetail): void;
  #emit(name: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
