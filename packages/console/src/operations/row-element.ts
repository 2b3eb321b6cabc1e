import { WccProgressElement } from '@wcc/progress/element';

/** Defines the row of an operation. It is loaded with the first row, because the sign-in page has none. */
export function defineRow(): void {
  if (customElements.get('wcc-progress') === undefined)
    customElements.define('wcc-progress', WccProgressElement);
}
