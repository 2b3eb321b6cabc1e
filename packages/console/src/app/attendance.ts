/** Without a key, a click or a movement for this long, the page counts as unattended. */
const unattendedAfterMs = 5 * 60_000;

const signs = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'] as const;

/** Knows whether a person uses this page, so that a forgotten page does not keep its session alive. */
export class Attendance {
  #seenAtMs = performance.now();

  constructor(page: Pick<Window, 'addEventListener'>) {
    const see = (): void => {
      this.#seenAtMs = performance.now();
    };
    for (const sign of signs) page.addEventListener(sign, see, { capture: true, passive: true });
  }

  get isUnattended(): boolean {
    return performance.now() - this.#seenAtMs >= unattendedAfterMs;
  }
}
