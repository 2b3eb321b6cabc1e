import type { ImageId } from '@wcc/api';
/** A request about one image. */
export interface ImageRequest<Body> {
  /** Of the image. */
  id: ImageId;
  body: Body;
}
