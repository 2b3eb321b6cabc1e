import { HomePage } from './home-page.ts';
import { defineQuickCreate } from '../machines/quick-create/elements.ts';

/** What somebody sees first. */
customElements.define('wcc-home-page', HomePage);
defineQuickCreate();
