import { CreateVmPage } from './page.ts';

/** The page that creates a machine step by step. */
customElements.define('wcc-create-machine-page', CreateVmPage);
