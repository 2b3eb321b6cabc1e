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
  VmList,
} from '../machines.ts';
import type { Accepted } from '../operations.ts';
import type { Ticket } from '../access.ts';
import { routes } from '../routes.ts';
import { keyHeader } from './request.ts';
import type { Send } from './request.ts';

/** Machines. Serial log and screenshot are no JSON: fetch `routes.vmSerial` and `routes.vmScreenshot`. */
export function machineCalls(send: Send) {
  return {
    host: () => send<Host>('GET', routes.host()),
    vms: () => send<VmList>('GET', routes.vms()),
    vm: (id: number) => send<Vm>('GET', routes.vm(id)),
    createVm: (body: CreateVmRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.vms(), { body, ...keyHeader(idempotencyKey) }),
    quickCreateVm: (body: QuickCreateVmRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.quickCreateVm(), { body, ...keyHeader(idempotencyKey) }),
    copyVm: (id: number, body: CopyVmRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.copyVm(id), { body, ...keyHeader(idempotencyKey) }),
    deleteVm: (id: number, body: DeleteVmRequest = {}) => send<Accepted>('DELETE', routes.vm(id), { body }),
    /** Answers as soon as the order was given; the state follows. */
    orderVm: (id: number, verb: 'start' | 'shutdown' | 'power-off' | 'reset') =>
      send<Vm>('POST', routes.vmVerb(id, verb)),
    changeVm: (id: number, body: ChangeVmRequest) => send<Vm>('PATCH', routes.vm(id), { body }),
    addDisk: (id: number, body: AddDiskRequest) => send<Vm>('POST', routes.vmDisks(id), { body }),
    growDisk: (id: number, index: number, body: GrowDiskRequest) =>
      send<Vm>('PATCH', routes.vmDisk(id, index), { body }),
    setCdrom: (id: number, body: SetCdromRequest) => send<Vm>('PUT', routes.vmCdrom(id), { body }),
    screenTicket: (id: number, signal?: AbortSignal) =>
      send<Ticket>('POST', routes.tickets(), {
        body: { purpose: 'screen', target: String(id) },
        ...(signal ? { signal } : {}),
      }),
  };
}
