import { SharedPage } from './page.ts';

/** The page of a share link; loaded without the other pages. */
customElements.define('wcc-shared-page', SharedPage);
