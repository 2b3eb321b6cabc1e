import { createIcon, setIcon } from './icons.ts';
import { setIsolatedText } from './isolation.ts';
import { partElement } from './part-element.ts';
import { RowButtons } from './row-buttons.ts';
import type { ButtonState } from './row-buttons.ts';
import type { RowView } from './row-view.ts';
import type { Locale } from './text/registry.ts';

const announceEveryMs = 5000;

export interface RowDomState extends ButtonState, Locale {
  /** False stops animations. */
  isMoving: boolean;
  /** Address of the operation's page; empty if there is none. */
  href: string;
  /** Current time, for the pause between announcements to screen readers. */
  nowMs: number;
}

/** Shows the text, or hides the line if the text is empty. */
function setLine(node: HTMLElement, text: string): void {
  setIsolatedText(node, text);
  node.hidden = text === '';
}

/** Passes a plain click to the page; the browser handles clicks for a new tab or window. */
function onLink(event: MouseEvent, onVerb: (verb: string) => void): void {
  const isPlain = !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (event.button !== 0 || !isPlain) return;
  event.preventDefault();
  onVerb('details');
}

/** The nodes of one row. They are changed in place, so that focus and screen readers keep them. */
export class RowDom {
  readonly row: HTMLElement = partElement('article', 'row');
  readonly #icon = createIcon();
  readonly #title = partElement('div', 'title');
  readonly #link = partElement('a', 'link');
  readonly #action = partElement('span', 'action');
  readonly #subject = partElement('bdi', 'subject');
  readonly #arrow = partElement('span', 'arrow');
  readonly #target = partElement('bdi', 'target');
  readonly #status = partElement('span', 'status');
  readonly #percent = partElement('span', 'percent');
  readonly #bar = partElement('progress', 'bar');
  readonly #numbers = partElement('p', 'numbers');
  readonly #detail = partElement('p', 'detail');
  readonly #hint = partElement('p', 'hint');
  readonly #code = partElement('p', 'code');
  readonly #buttons: RowButtons;
  #announcedAt = Number.NEGATIVE_INFINITY;

  constructor(onVerb: (verb: string) => void) {
    const icon = partElement('span', 'icon');
    icon.append(this.#icon);
    this.#title.id = 'title';
    this.row.setAttribute('aria-labelledby', 'title');
    this.#bar.setAttribute('aria-labelledby', 'title');
    for (const name of [this.#subject, this.#target]) name.translate = false;
    this.#link.append(this.#action, this.#subject, this.#arrow, this.#target);
    this.#link.addEventListener('click', (event) => onLink(event, onVerb));
    this.#title.append(this.#link);
    this.#buttons = new RowButtons(onVerb, () => this.focus({ preventScroll: true }));
    const head = partElement('div', 'head');
    head.append(this.#title, this.#buttons.group);
    const line = partElement('p', 'line');
    line.append(this.#status, this.#percent);
    const body = partElement('div', 'body');
    body.append(line, this.#bar, this.#numbers, this.#hint, this.#detail, this.#code);
    // An error code is an identifier, in every language.
    this.#code.dir = 'ltr';
    this.row.append(icon, head, body);
  }

  paint(view: RowView, state: RowDomState): void {
    const classes = ['row', `state-${view.look}`, !state.isOnline && 'offline', !state.isMoving && 'still'];
    this.row.className = classes.filter(Boolean).join(' ');
    this.#setLanguage(state);
    setIcon(this.#icon, view.look);
    this.#paintTitle(view, state.href);
    setIsolatedText(this.#status, view.status);
    setIsolatedText(this.#percent, view.percent);
    this.#paintBar(view.bar, state.nowMs);
    setLine(this.#numbers, view.numbers);
    setLine(this.#hint, view.hint);
    setLine(this.#detail, view.detail);
    setLine(this.#code, view.code);
    this.#buttons.paint(view, state);
  }

  /** The texts have the direction of their language; the layout keeps the direction of the page. */
  #setLanguage({ text, format }: Locale): void {
    this.row.lang = format.tag;
    const texts = [this.#title, this.#status, this.#percent, this.#numbers, this.#hint, this.#detail];
    for (const node of texts) node.dir = text.dir;
    setIsolatedText(this.#arrow, text.dir === 'rtl' ? ' ← ' : ' → ');
  }

  #paintTitle(view: RowView, href: string): void {
    setIsolatedText(this.#action, view.title);
    setIsolatedText(this.#subject, view.subject);
    setIsolatedText(this.#target, view.target ?? '');
    this.#arrow.hidden = view.target === null;
    // Without an address the element is plain text.
    if (href === '') this.#link.removeAttribute('href');
    else this.#link.href = href;
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

  focus(options?: FocusOptions): void {
    this.row.tabIndex = -1;
    this.row.focus(options);
  }
}
