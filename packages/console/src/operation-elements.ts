import { OperationPage } from './pages/operation.ts';
import { OperationsPage } from './pages/operations.ts';

/** Everything about one operation: loaded when somebody wants more than its row tells. */
customElements.define('wcc-operation-page', OperationPage);
customElements.define('wcc-operations-page', OperationsPage);
