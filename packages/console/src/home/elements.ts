import { HomePage } from './home-page.ts';

/** What somebody sees first. */
customElements.define('wcc-home-page', HomePage);
