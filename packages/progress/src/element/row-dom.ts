import { createIcon, setIcon } from './icons.ts';
import type { RowView } from './row-view.ts';
import type { RowText, RowVerb } from './text/row-text.ts';

const verbOrder: readonly RowVerb[] = [
  'open',
  'choose',
  'details',
  'retry',
  'resume',
  'pause',
  'cancel',
  'dismiss',
];
const announceEveryMs = 5000;

export interface RowDomState {
  text: RowText;
  isOnline: boolean;
  /** Address of the operation's page; empty if there is none. */
  href: string;
  /** Current time, for the pause between announcements to screen readers. */
  nowMs: number;
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  part: string,
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  created.className = part;
  created.setAttribute('part', part);
  return created;
}

function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows the text, or hides the line if the text is empty. */
function setLine(node: HTMLElement, text: string): void {
  setText(node, text);
  node.hidden = text === '';
}

/** Passes a plain click to the page; the browser handles clicks for a new tab or window. */
function onLink(event: MouseEvent, onVerb: (verb: RowVerb) => void): void {
  const isPlain = !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (event.button !== 0 || !isPlain) return;
  event.preventDefault();
  onVerb('details');
}

/** The nodes of one row. They are changed in place, so that focus and screen readers keep them. */
export class RowDom {
  readonly row: HTMLElement = element('article', 'row');
  readonly #icon = createIcon();
  readonly #link = element('a', 'link');
  readonly #action = element('span', 'action');
  readonly #subject = element('bdi', 'subject');
  readonly #arrow = element('span', 'arrow');
  readonly #target = element('bdi', 'target');
  readonly #status = element('span', 'status');
  readonly #percent = element('span', 'percent');
  readonly #bar = element('progress', 'bar');
  readonly #numbers = element('p', 'numbers');
  readonly #detail = element('p', 'detail');
  readonly #hint = element('p', 'hint');
  readonly #code = element('p', 'code');
  readonly #buttons = new Map<RowVerb, HTMLButtonElement>();
  #announcedAt = Number.NEGATIVE_INFINITY;

  constructor(onVerb: (verb: RowVerb) => void) {
    const icon = element('span', 'icon');
    icon.append(this.#icon);
    const title = element('div', 'title');
    title.id = 'title';
    this.row.setAttribute('aria-labelledby', title.id);
    this.#bar.setAttribute('aria-labelledby', title.id);
    for (const name of [this.#subject, this.#target]) name.translate = false;
    this.#arrow.textContent = ' → ';
    this.#link.append(this.#action, this.#subject, this.#arrow, this.#target);
    this.#link.addEventListener('click', (event) => onLink(event, onVerb));
    title.append(this.#link);
    const head = element('div', 'head');
    head.append(title, this.#makeButtons(onVerb));
    const line = element('p', 'line');
    line.append(this.#status, this.#percent);
    const body = element('div', 'body');
    body.append(line, this.#bar, this.#numbers, this.#hint, this.#detail, this.#code);
    this.row.append(icon, head, body);
  }

  paint(view: RowView, state: RowDomState): void {
    this.row.className = `row state-${view.look}${state.isOnline ? '' : ' offline'}`;
    setIcon(this.#icon, view.look);
    setText(this.#action, view.action);
    setText(this.#subject, view.subject);
    setText(this.#target, view.target ?? '');
    this.#arrow.hidden = view.target === null;
    // Without an address the element is plain text.
    if (state.href === '') this.#link.removeAttribute('href');
    else this.#link.href = state.href;
    setText(this.#status, view.status);
    setText(this.#percent, view.percent);
    this.#paintBar(view.bar, state.nowMs);
    setLine(this.#numbers, view.numbers);
    setLine(this.#hint, view.hint);
    setLine(this.#detail, view.detail);
    setLine(this.#code, view.code);
    this.#paintButtons(view, state);
  }

  #paintBar(bar: RowView['bar'], nowMs: number): void {
    this.#bar.hidden = bar === null;
    this.#bar.classList.toggle('kept', bar === 'hidden');
    if (bar === null || bar === 'hidden') return;
    if (bar.value === null) this.#bar.removeAttribute('value');
    else this.#bar.value = bar.value;
    // A screen reader cannot announce several values per second.
    if (nowMs - this.#announcedAt < announceEveryMs) return;
    this.#announcedAt = nowMs;
    if (bar.valueText === '') this.#bar.removeAttribute('aria-valuetext');
    else this.#bar.setAttribute('aria-valuetext', bar.valueText);
  }

  #makeButtons(onVerb: (verb: RowVerb) => void): HTMLElement {
    const actions = element('div', 'actions');
    for (const verb of verbOrder) {
      const button = element('button', `button button-${verb}`);
      button.type = 'button';
      button.hidden = true;
      button.setAttribute('aria-describedby', 'title');
      button.addEventListener('click', () => {
        if (button.ariaDisabled !== 'true') onVerb(verb);
      });
      this.#buttons.set(verb, button);
      actions.append(button);
    }
    return actions;
  }

  #paintButtons(view: RowView, { text, isOnline }: RowDomState): void {
    for (const [verb, button] of this.#buttons) {
      const isPageVerb = verb === 'open' || verb === 'details' || verb === 'dismiss';
      const isOff = !isOnline && !isPageVerb;
      const label = verb === 'retry' && view.look === 'cancelled' ? text.verbs.again : text.verbs[verb];
      setText(button, label);
      button.ariaDisabled = String(isOff);
      button.title = isOff ? text.noConnection : '';
      this.#show(button, view.verbs.includes(verb));
    }
  }

  /** Moves the focus from a button that disappears to the row; otherwise it would go to the top of the page. */
  #show(button: HTMLButtonElement, isShown: boolean): void {
    if (button.hidden === !isShown) return;
    const root = this.row.getRootNode();
    const hadFocus = root instanceof ShadowRoot && root.activeElement === button;
    button.hidden = !isShown;
    if (!hadFocus || isShown) return;
    this.focus({ preventScroll: true });
  }

  focus(options?: FocusOptions): void {
    this.row.tabIndex = -1;
    this.row.focus(options);
  }
}
