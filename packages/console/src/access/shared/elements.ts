import { defineRow } from '../../operations/row-element.ts';
import { SharedPage } from './page.ts';

/** The page of a share link; loaded without the other pages. */
defineRow();
customElements.define('wcc-shared-page', SharedPage);
