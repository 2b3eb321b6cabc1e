/** Selector of focusable elements. */
const focusable = [
  'a[href]',
  ':is(button, input, select, textarea):not(:disabled)',
  'summary',
  'wcc-progress',
  '[tabindex="0"]',
].join(', ');

/** A place where a node was removed. */
interface Gap {
  parent: Node;
  next: Node | null;
  previous: Node | null;
}

/** An element that had the focus, and the removals around it since. */
interface Holder {
  element: HTMLElement;
  gaps: Gap[];
  /** Heading of the page that the element was on. */
  heading: HTMLElement | null;
}

/**
 * Restores the focus when its element is removed from the page (WCAG 2.4.3): to the element that replaced it,
 * else to a neighbour, else to the page's heading. After a dialog closes, the focus returns to the element
 * that had it before. Focus outside the console is left alone.
 */
export class FocusKeeper {
  readonly #root: ShadowRoot;
  readonly #observer: MutationObserver;
  #last: Holder | null = null;
  /** The element that had the focus before the open dialog. */
  #beforeDialog: Holder | null = null;
  /** Whether the focus must go to the heading of a page that is still loading. */
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

  /** A click on the background clears the focus on purpose. The removal of an element does not. */
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

  /** Whether neither the console nor the page around it has the focus. */
  get #hasNoFocus(): boolean {
    const { activeElement } = document;
    const isFree = activeElement === null || activeElement === document.body;
    return this.#root.activeElement === null && (isFree || activeElement === this.#root.host);
  }

  /** @returns whether the element, or its replacement, has the focus now */
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

  /** Focuses the heading, or `main` while there is no heading yet. */
  #toHeading(): void {
    const isElsewhere = !this.#hasNoFocus && this.#root.activeElement?.localName !== 'main';
    const heading = this.#heading;
    if (!isElsewhere) {
      if (heading !== null) heading.tabIndex = -1;
      // A new page is shown from its top; on the same page the scroll position stays.
      const preventScroll = heading !== null && heading === this.#last?.heading;
      (heading ?? this.#root.querySelector<HTMLElement>('main'))?.focus({ preventScroll });
    }
    this.#isWaiting = !isElsewhere && heading === null;
  }
}

/** Whether an element contains a whole page: too large to search for a neighbour. */
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
