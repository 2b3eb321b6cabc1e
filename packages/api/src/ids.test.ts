import { expectTypeOf, it } from 'vitest';
import type { ImageId, OperationId, UserId, VmId } from './ids.ts';
import type { Image } from './images.ts';
import type { Vm } from './machines.ts';

it('the compiler refuses an id of one kind where it expects another kind', () => {
  expectTypeOf<ImageId>().not.toExtend<VmId>();
  expectTypeOf<OperationId>().not.toExtend<UserId>();
  expectTypeOf<Image['id']>().not.toExtend<NonNullable<Vm['id']>>();
});

it('the compiler accepts a plain number or string for every kind of id', () => {
  expectTypeOf<number>().toExtend<ImageId>();
  expectTypeOf<string>().toExtend<OperationId>();
  expectTypeOf<ImageId>().toExtend<number>();
});
