import { HomePage } from './pages/home.ts';
import { defineQuickCreate } from './quick-create-element.ts';

/** What somebody sees first. */
customElements.define('wcc-home-page', HomePage);
defineQuickCreate();
