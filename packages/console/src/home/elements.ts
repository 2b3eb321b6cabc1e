import { HomePage } from './home-page.ts';

/** The home page. */
customElements.define('wcc-home-page', HomePage);
