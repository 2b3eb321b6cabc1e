import { OperationPage } from './pages/operation.ts';

/** Everything about one operation: loaded when somebody wants more than its row tells. */
customElements.define('wcc-operation-page', OperationPage);
