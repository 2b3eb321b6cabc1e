import { SharedPage } from './page.ts';

/** What a share link opens: loaded without any page of the console. */
customElements.define('wcc-shared-page', SharedPage);
