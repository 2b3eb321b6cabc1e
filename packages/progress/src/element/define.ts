import { WccProgressElement } from './progress-element.ts';

declare global {
  interface HTMLElementTagNameMap {
    'wcc-progress': WccProgressElement;
  }
}

if (typeof customElements !== 'undefined' && customElements.get('wcc-progress') === undefined)
  customElements.define('wcc-progress', WccProgressElement);
