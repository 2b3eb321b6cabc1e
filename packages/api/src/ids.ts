/**
 * Branded ids. On the wire they are plain numbers and strings. The compiler refuses one kind where it expects
 * another, for example an image number as a machine number; it accepts a plain number or string for every kind.
 */
declare const brand: unique symbol;
type Id<Base, Kind extends string> = Base & { readonly [brand]?: Kind };

/** 128 random bits, 26 characters of lower-case base32. */
export type OperationId = Id<string, 'operation'>;
/** Short number from 100, unique among the images of an installation. */
export type ImageId = Id<number, 'image'>;
/** Short number from 100, unique among the machines of an installation. */
export type VmId = Id<number, 'vm'>;
export type PoolId = Id<string, 'pool'>;
export type UserId = Id<string, 'user'>;
