import type { ImageId } from '@wcc/api';
import { basename, dirname } from 'node:path';
import type { Principal } from '../../access/principal.ts';
import { whileUsable } from '../../images/use.ts';
import type { MachinesContext } from '../context.ts';
import { assertNameUnique } from '../create/accept.ts';
import { assertIso } from '../create/plan-disks.ts';
import type { MachineStatus, SettingDifference } from '../hypervisor.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { isMachineName, isMemorySize } from '../hypervisor/machine-spec.ts';
import type { AdoptedFields, SettingName } from '../hypervisor/setting-difference.ts';
import { readDisks, specOf } from '../record/machine-rows.ts';
import type { VmRow } from '../record/machine-rows.ts';

interface Adoption {
  row: VmRow;
  status: MachineStatus | null;
  principal: Principal;
}

type Values = Pick<VmRow, 'name' | 'cpus' | 'memoryBytes' | 'bootOrder' | 'cdromImageId'>;

/**
 * Takes over the settings that another program changed in the hypervisor: all of them, or none. The machine itself does not change,
 * so it may run.
 * @throws HypervisorError `changed_outside` for a setting that wcc cannot represent
 * @throws ApiError `vm_name_taken`
 */
export async function adoptSettings(context: MachinesContext, adoption: Adoption): Promise<void> {
  const { row, status } = adoption;
  const { differences = [] } = status ?? {};
  if (differences.length === 0) return;
  const values = await valuesOf(context, adoption, differences);
  const image = values.cdromImageId === row.cdromImageId ? null : values.cdromImageId;
  await whileUsable(context.images, image === null ? [] : [image], () => record(context, row, values));
}

/** The store first: after a crash in between, the difference is still there, and can be adopted again. */
async function record(context: MachinesContext, row: VmRow, values: Values): Promise<void> {
  const { store, hypervisor } = context;
  const query = store.db.updateTable('vms').set(values).where('id', '=', row.id);
  await store.write([{ query, expectRows: 1 }]);
  await hypervisor.define(await specOf(context, { ...row, ...values }, await readDisks(store, row.id)));
}

async function valuesOf(
  context: MachinesContext,
  { row, principal }: Adoption,
  differences: readonly SettingDifference[],
): Promise<Values> {
  const fixed = differences.filter(({ adopt }) => adopt === null || !isValid(adopt));
  if (fixed.length > 0) throw notAdoptable(fixed);
  const fields: AdoptedFields = Object.assign({}, ...differences.map(({ adopt }) => adopt));
  const { name = row.name, cpus = row.cpus, memoryBytes = row.memoryBytes, bootOrder, cdrom } = fields;
  if (name !== row.name) await assertNameUnique(context.store, name);
  const disc = cdrom === undefined ? row.cdromImageId : await imageAt(context, principal, cdrom);
  if (disc === undefined) throw unknown(differences, 'cdrom');
  return {
    name,
    cpus,
    memoryBytes,
    bootOrder: bootOrder === undefined ? row.bootOrder : JSON.stringify(bootOrder),
    cdromImageId: disc,
  };
}

function isValid({ name, cpus, memoryBytes }: AdoptedFields): boolean {
  return (
    (name === undefined || isMachineName(name)) &&
    (cpus === undefined || (cpus >= 1 && cpus <= 255)) &&
    (memoryBytes === undefined || isMemorySize(memoryBytes))
  );
}

function unknown(differences: readonly SettingDifference[], setting: SettingName): Error {
  const some = differences.filter((one) => one.setting === setting);
  return notAdoptable(some);
}

function notAdoptable(some: readonly SettingDifference[]): HypervisorError {
  return new HypervisorError('changed_outside', {
    differences: some.map((one) => ({ ...one, adopt: null })),
  });
}

/** The ISO image with this path that the principal may insert; undefined: none. */
async function imageAt(
  context: MachinesContext,
  principal: Principal,
  path: string | null,
): Promise<ImageId | null | undefined> {
  if (path === null) return null;
  const { store, images } = context;
  const pool = images.pools.all().find((one) => one.path === dirname(path));
  if (pool === undefined) return undefined;
  const found = await store.db
    .selectFrom('images')
    .select('id')
    .where('poolId', '=', pool.id)
    .where('name', '=', basename(path))
    .where('state', '=', 'ready')
    .executeTakeFirst();
  if (found === undefined) return undefined;
  await assertIso(context, { principal, image: found.id, field: 'cdrom' });
  return found.id;
}
