import { WccProgressElement } from './progress-element.ts';
import type { ProgressActionDetail, ProgressStateDetail } from './progress-element.ts';

declare global {
  interface HTMLElementTagNameMap {
    'wcc-progress': WccProgressElement;
  }
  /** Both bubble out of shadow roots: a page may listen at the element, at any around it, or at the document. */
  interface GlobalEventHandlersEventMap {
    'wcc-action': CustomEvent<ProgressActionDetail>;
    'wcc-state': CustomEvent<ProgressStateDetail>;
  }
}

if (typeof customElements !== 'undefined' && customElements.get('wcc-progress') === undefined)
  customElements.define('wcc-progress', WccProgressElement);
