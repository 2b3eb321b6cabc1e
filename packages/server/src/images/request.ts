/** A request about one image. */
export interface ImageRequest<Body> {
  /** Of the image. */
  id: number;
  body: Body;
}
