/**
 * The keys that are pressed at an element. After the focus has moved, the browser sends their `keyup` elsewhere, and the
 * machine would keep them pressed.
 */
export class PressedKeys {
  readonly #target: EventTarget;
  readonly #codes = new Set<string>();

  constructor(target: EventTarget) {
    this.#target = target;
    target.addEventListener('keydown', (event) => this.#codes.add((event as KeyboardEvent).code));
    target.addEventListener('keyup', (event) => this.#codes.delete((event as KeyboardEvent).code));
  }

  /** Sends the missing `keyup` of each pressed key to the element. */
  release(): void {
    for (const code of this.#codes) this.#target.dispatchEvent(new KeyboardEvent('keyup', { code }));
    this.#codes.clear();
  }
}
