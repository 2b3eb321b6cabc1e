import type { VmId } from '../ids.ts';
import type {
  AddDiskRequest,
  ChangeVmRequest,
  CopyVmRequest,
  CreateVmRequest,
  DeleteVmRequest,
  GrowDiskRequest,
  Host,
  QuickCreateVmRequest,
  SetCdromRequest,
  Vm,
  VmVerb,
  VmList,
} from '../machines.ts';
import type { Accepted } from '../operations.ts';
import { routes } from '../routes.ts';
import { keyHeader } from './request.ts';
import type { Send } from './request.ts';

/** Calls about machines. Serial log and screenshot are not JSON: fetch `routes.vmSerial` and `routes.vmScreenshot`. */
export function machineCalls(send: Send) {
  return {
    host: () => send<Host>('GET', routes.host(), { has: 'hypervisor' }),
    vms: () => send<VmList>('GET', routes.vms(), { has: 'items' }),
    vm: (id: VmId) => send<Vm>('GET', routes.vm(id), { has: 'state' }),
    createVm: (body: CreateVmRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.vms(), { has: 'operation', body, ...keyHeader(idempotencyKey) }),
    quickCreateVm: (body: QuickCreateVmRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.quickCreateVm(), {
        has: 'operation',
        body,
        ...keyHeader(idempotencyKey),
      }),
    copyVm: (id: VmId, body: CopyVmRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.copyVm(id), { has: 'operation', body, ...keyHeader(idempotencyKey) }),
    deleteVm: (id: VmId, body: DeleteVmRequest) =>
      send<Accepted>('DELETE', routes.vm(id), { has: 'operation', body }),
    /** Resolves when the command has had its effect. The guest decides about `shutdown` later. */
    orderVm: (id: VmId, verb: VmVerb) => send<Vm>('POST', routes.vmVerb(id, verb), { has: 'state' }),
    changeVm: (id: VmId, body: ChangeVmRequest) => send<Vm>('PATCH', routes.vm(id), { has: 'state', body }),
    addDisk: (id: VmId, body: AddDiskRequest) => send<Vm>('POST', routes.vmDisks(id), { has: 'state', body }),
    growDisk: (id: VmId, index: number, body: GrowDiskRequest) =>
      send<Vm>('PATCH', routes.vmDisk(id, index), { has: 'state', body }),
    setCdrom: (id: VmId, body: SetCdromRequest) =>
      send<Vm>('PUT', routes.vmCdrom(id), { has: 'state', body }),
  };
}
