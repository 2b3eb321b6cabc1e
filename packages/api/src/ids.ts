/** Branded ids: plain strings and numbers on the wire, told apart by the compiler. */
declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** 128-bit random, 26 characters of lower-case base32. */
export type OperationId = Brand<string, 'OperationId'>;
/** Short number from 100 upwards, unique per installation. */
export type ImageId = Brand<number, 'ImageId'>;
/** Short number from 100 upwards, of its own count. */
export type VmId = Brand<number, 'VmId'>;
export type PoolId = Brand<string, 'PoolId'>;
export type UserId = Brand<string, 'UserId'>;
export type TokenId = Brand<string, 'TokenId'>;
