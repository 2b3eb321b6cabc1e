import { ImagesPage } from './pages/images.ts';

/** The list of images. */
customElements.define('wcc-images-page', ImagesPage);
