/** What can have the focus, in the order of the page. */
const focusable = [
  'a[href]',
  ':is(button, input, select, textarea):not(:disabled)',
  'summary',
  'wcc-progress',
  '[tabindex="0"]',
].join(', ');

/** Where something was taken out of the page. */
interface Gap {
  parent: Node;
  next: Node | null;
  previous: Node | null;
}

/** Something that had the focus, and what was taken away around it since. */
interface Holder {
  element: HTMLElement;
  gaps: Gap[];
  /** Of the page that it stood on. */
  heading: HTMLElement | null;
}

/**
 * Where the focus is lost because what had it left the page, it goes on from there: to what takes the place,
 * else to what is beside it, else to the page's heading. From a dialog it goes back to what had it before.
 * The keyboard never starts again at the top of the page (WCAG 2.4.3), and nobody else's focus is touched.
 */
export class FocusKeeper {
  readonly #root: ShadowRoot;
  readonly #observer: MutationObserver;
  #last: Holder | null = null;
  /** What had the focus before the dialog that is open. */
  #beforeDialog: Holder | null = null;
  /** The heading of the page that is being opened has not been there yet. */
  #isWaiting = false;

  constructor(root: ShadowRoot) {
    this.#root = root;
    this.#observer = new MutationObserver((records) => this.#look(records));
  }

  start(): void {
    this.#observer.observe(this.#root, { childList: true, subtree: true });
    this.#root.addEventListener('focusin', (event) => this.#onFocus(event));
    this.#root.addEventListener('focusout', (event) => this.#onBlur(event as FocusEvent));
  }

  #onFocus({ target }: Event): void {
    if (!(target instanceof HTMLElement)) return;
    this.#isWaiting = false;
    const isInDialog = target.closest('dialog') !== null;
    if (isInDialog && this.#last !== null && this.#last.element.closest('dialog') === null)
      this.#beforeDialog = this.#last;
    if (!isInDialog) this.#beforeDialog = null;
    this.#last = { element: target, gaps: [], heading: this.#heading };
  }

  /** Whoever clicks beside everything wants the focus nowhere; whatever is about to leave is another matter. */
  #onBlur({ relatedTarget }: FocusEvent): void {
    if (relatedTarget !== null) return;
    queueMicrotask(() => {
      this.#look(this.#observer.takeRecords());
      const { activeElement } = this.#root;
      if (activeElement === null && this.#last !== null && isVisible(this.#last.element)) this.#last = null;
    });
  }

  #look(records: readonly MutationRecord[]): void {
    for (const holder of [this.#last, this.#beforeDialog]) if (holder !== null) noteGaps(holder, records);
    if (this.#isWaiting) return this.#toHeading();
    if (this.#last === null || !this.#hasNoFocus) return;
    const { element, gaps } = this.#last;
    if (isVisible(element) && gaps.length === 0) return;
    const isOfDialog = this.#beforeDialog !== null && element.closest('dialog[open]')?.isConnected !== true;
    const holder = isOfDialog ? this.#beforeDialog : this.#last;
    if (holder !== null && !this.#focusOn(holder)) this.#toHeading();
  }

  /** The focus is on nothing of this page, and on nothing around the console either. */
  get #hasNoFocus(): boolean {
    const { activeElement } = document;
    const isFree = activeElement === null || activeElement === document.body;
    return this.#root.activeElement === null && (isFree || activeElement === this.#root.host);
  }

  /** @returns whether it went there, or to what is in its place */
  #focusOn({ element, gaps }: Holder): boolean {
    if (isVisible(element)) return this.#try(element);
    return gaps.some((gap) => gap.parent.isConnected && this.#focusNear(gap));
  }

  #focusNear({ parent, next, previous }: Gap): boolean {
    if (!(parent instanceof HTMLElement) || isPage(parent)) return false;
    for (let node = next; node !== null; node = node.nextSibling)
      if (node.parentNode === parent && this.#focusIn(node)) return true;
    for (let node = previous; node !== null; node = node.previousSibling)
      if (node.parentNode === parent && this.#focusIn(node)) return true;
    for (let part: Node | null = parent; part instanceof HTMLElement && !isPage(part); part = part.parentNode)
      if (this.#focusIn(part)) return true;
    return false;
  }

  #focusIn(node: Node): boolean {
    if (!(node instanceof HTMLElement) || isPage(node) || node.localName === 'dialog') return false;
    if (node.matches(focusable) && this.#try(node)) return true;
    return [...node.querySelectorAll<HTMLElement>(focusable)].some((each) => this.#try(each));
  }

  #try(element: HTMLElement): boolean {
    if (!isVisible(element)) return false;
    element.focus();
    return this.#root.activeElement === element;
  }

  get #heading(): HTMLElement | null {
    return this.#root.querySelector('main h1');
  }

  /** As long as the page has none yet: to the page itself. */
  #toHeading(): void {
    const isElsewhere = !this.#hasNoFocus && this.#root.activeElement?.localName !== 'main';
    const heading = this.#heading;
    if (!isElsewhere) {
      if (heading !== null) heading.tabIndex = -1;
      // Another page begins at its top; on the same one nobody is torn away from what they look at.
      const preventScroll = heading !== null && heading === this.#last?.heading;
      (heading ?? this.#root.querySelector<HTMLElement>('main'))?.focus({ preventScroll });
    }
    this.#isWaiting = !isElsewhere && heading === null;
  }
}

/** A whole page, and what is around one, is no neighbourhood. */
function isPage(part: Element): boolean {
  return part.querySelector('h1') !== null || part.localName === 'main';
}

function isVisible(element: HTMLElement): boolean {
  return element.isConnected && element.checkVisibility();
}

function noteGaps(holder: Holder, records: readonly MutationRecord[]): void {
  for (const { target, removedNodes, nextSibling, previousSibling } of records)
    for (const node of removedNodes)
      if ([holder.element, ...holder.gaps.map(({ parent }) => parent)].some((each) => node.contains(each)))
        holder.gaps.push({ parent: target, next: nextSibling, previous: previousSibling });
}
