import { OperationPage } from './operation-page.ts';
import { OperationsPage } from './operations-page.ts';

/** Everything about one operation: loaded when somebody wants more than its row tells. */
customElements.define('wcc-operation-page', OperationPage);
customElements.define('wcc-operations-page', OperationsPage);
