import { CreateVmPage } from './page.ts';

/** The page on which a machine is put together. */
customElements.define('wcc-create-machine-page', CreateVmPage);
