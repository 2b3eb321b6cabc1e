import { partElement } from './part-element.ts';
import type { RowView } from './row-view.ts';
import { nameOf } from './text/names.ts';
import type { Locale } from './text/registry.ts';
import { worksOffline } from './verbs.ts';

export interface ButtonState extends Locale {
  isOnline: boolean;
  /** A text is the label of its button. */
  actions: Readonly<Record<string, boolean | string>> | null;
}

/** The buttons of a row. A button stays the same node while it is shown, so it keeps the focus. */
export class RowButtons {
  readonly group: HTMLElement = partElement('div', 'actions');
  readonly #buttons = new Map<string, HTMLButtonElement>();
  readonly #onVerb: (verb: string) => void;
  readonly #onFocusLost: () => void;

  /** @param onFocusLost called when the focused button disappears */
  constructor(onVerb: (verb: string) => void, onFocusLost: () => void) {
    this.#onVerb = onVerb;
    this.#onFocusLost = onFocusLost;
  }

  paint({ verbs, look }: RowView, state: ButtonState): void {
    this.#removeOthers(verbs);
    let previous: Element | null = null;
    for (const verb of verbs) {
      const button = this.#buttons.get(verb) ?? this.#create(verb);
      const isOff = !state.isOnline && !worksOffline(verb);
      const label = labelOf(verb, look, state);
      if (button.textContent !== label) button.textContent = label;
      button.dir = state.text.dir;
      button.ariaDisabled = String(isOff);
      button.title = isOff ? state.text.noConnection : '';
      const next: Element | null =
        previous === null ? this.group.firstElementChild : previous.nextElementSibling;
      if (next !== button) this.group.insertBefore(button, next);
      previous = button;
    }
  }

  #create(verb: string): HTMLButtonElement {
    const button = partElement('button', `button button-${verb.replaceAll(/[^\w-]/g, '-')}`);
    button.type = 'button';
    button.setAttribute('aria-describedby', 'title');
    button.addEventListener('click', () => {
      if (button.ariaDisabled !== 'true') this.#onVerb(verb);
    });
    this.#buttons.set(verb, button);
    return button;
  }

  /** The focus of a button that disappears would go to the top of the page. */
  #removeOthers(verbs: readonly string[]): void {
    for (const [verb, button] of this.#buttons) {
      if (verbs.includes(verb)) continue;
      const root = button.getRootNode();
      const hadFocus = root instanceof ShadowRoot && root.activeElement === button;
      this.#buttons.delete(verb);
      button.remove();
      if (hadFocus) this.#onFocusLost();
    }
  }
}

function labelOf(verb: string, look: RowView['look'], { actions, text }: ButtonState): string {
  const label = actions?.[verb];
  if (typeof label === 'string') return label;
  return nameOf(text.verbs, verb === 'retry' && look === 'cancelled' ? 'again' : verb);
}
