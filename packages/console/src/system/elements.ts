import { SystemPage } from './system-page.ts';

/** The page of checks of the host. */
customElements.define('wcc-system-page', SystemPage);
