import { ImagesPage } from './images-page.ts';

/** The list of images. */
customElements.define('wcc-images-page', ImagesPage);
