import { OperationPage } from './operation-page.ts';
import { OperationsPage } from './operations-page.ts';

/** The list of operations and the page of one operation. */
customElements.define('wcc-operation-page', OperationPage);
customElements.define('wcc-operations-page', OperationsPage);
