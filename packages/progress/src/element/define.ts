import { WccProgressElement } from './progress-element.ts';
import type { ProgressActionDetail, ProgressStateDetail } from './progress-element.ts';

declare global {
  interface HTMLElementTagNameMap {
    'wcc-progress': WccProgressElement;
  }
  /** Both events bubble out of shadow roots, so a page may listen at the element, an ancestor or the document. */
  interface GlobalEventHandlersEventMap {
    'wcc-action': CustomEvent<ProgressActionDetail>;
    'wcc-state': CustomEvent<ProgressStateDetail>;
  }
}

if (typeof customElements !== 'undefined' && customElements.get('wcc-progress') === undefined)
  customElements.define('wcc-progress', WccProgressElement);
