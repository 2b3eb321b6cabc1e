import {
  addDiskRequest,
  ApiError,
  changeVmRequest,
  copyVmRequest,
  createVmRequest,
  deleteVmRequest,
  growDiskRequest,
  quickCreateVmRequest,
  routes,
  setCdromRequest,
  vmVerb,
} from '@wcc/api';
import type { Accepted, Host, Vm, VmList } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Machines } from '../../machines/machines.ts';
import type { Operations } from '../../operations/operations.ts';
import { assertPrincipal } from '../credentials.ts';
import { idempotencyKeyOf, vmIdOf } from '../request.ts';
import type { WithId } from '../request.ts';
import { accepted } from './operations.ts';
import { parseBody } from '../parse.ts';

export interface MachineRoutesDeps {
  machines: Machines;
  operations: Operations;
}

const creates = { config: { limit: 'creation', right: 'vm.make' } } as const;
const sees = { sees: 'vm.list' } as const;
const copies = { config: { ...creates.config, ...sees } } as const;
const controls = { config: { ...sees, right: 'vm.control' } } as const;
const removes = { config: { ...sees, right: 'vm.delete', limit: 'creation' } } as const;
const addsDisk = { config: { ...controls.config, limit: 'creation' } } as const;

/** Routes of machines. Create, copy and delete answer with an operation; changes answer with the machine. */
export function registerMachines(app: FastifyInstance, deps: MachineRoutesDeps): void {
  const { machines } = deps;
  app.get(routes.host(), async (request): Promise<Host> => machines.host(assertPrincipal(request)));
  app.get(routes.vms(), async (request): Promise<VmList> => machines.list(assertPrincipal(request)));
  app.get<WithId>(`${routes.vms()}/:id`, async (request): Promise<Vm> => {
    return machines.get(assertPrincipal(request), vmIdOf(request));
  });
  registerCreation(app, deps);
  registerControl(app, deps);
}

function registerCreation(app: FastifyInstance, { machines, operations }: MachineRoutesDeps): void {
  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    snapshot: Parameters<Operations['describe']>[0],
  ): Accepted => accepted(reply, operations.describe(snapshot, assertPrincipal(request)));
  app.post(routes.vms(), creates, async (request, reply) => {
    const body = parseBody(createVmRequest, request);
    return answer(request, reply, await machines.create({ ...callerOf(request), body }));
  });
  app.post(routes.quickCreateVm(), creates, async (request, reply) => {
    const body = parseBody(quickCreateVmRequest, request);
    return answer(request, reply, await machines.quickCreate({ ...callerOf(request), body }));
  });
  app.post<WithId>(`${routes.vms()}/:id/copy`, copies, async (request, reply) => {
    const body = parseBody(copyVmRequest, request);
    const copyRequest = { ...callerOf(request), id: vmIdOf(request), body };
    return answer(request, reply, await machines.copy(copyRequest));
  });
  app.delete<WithId>(`${routes.vms()}/:id`, removes, async (request, reply) => {
    const body = parseBody(deleteVmRequest, request);
    const snapshot = await machines.remove(assertPrincipal(request), vmIdOf(request), body);
    return answer(request, reply, snapshot);
  });
}

function callerOf(request: FastifyRequest): {
  principal: ReturnType<typeof assertPrincipal>;
  idempotencyKey: string | null;
} {
  return { principal: assertPrincipal(request), idempotencyKey: idempotencyKeyOf(request) };
}

function registerControl(app: FastifyInstance, { machines }: MachineRoutesDeps): void {
  const one = `${routes.vms()}/:id`;
  for (const verb of vmVerb.options) {
    app.post<WithId>(`${one}/${verb}`, controls, async (request): Promise<Vm> => {
      return machines.control(assertPrincipal(request), vmIdOf(request), verb);
    });
  }
  app.patch<WithId>(one, controls, async (request): Promise<Vm> => {
    const body = parseBody(changeVmRequest, request);
    return machines.change(assertPrincipal(request), vmIdOf(request), body);
  });
  app.post<WithId>(`${one}/disks`, addsDisk, async (request): Promise<Vm> => {
    const body = parseBody(addDiskRequest, request);
    return machines.addDisk(assertPrincipal(request), vmIdOf(request), body);
  });
  app.patch<{ Params: { id: string; index: string } }>(
    `${one}/disks/:index`,
    controls,
    async (request): Promise<Vm> => {
      const { sizeBytes } = parseBody(growDiskRequest, request);
      const { index } = request.params;
      if (!/^\d{1,2}$/.test(index)) throw new ApiError('not_found');
      const growth = { index: Number(index), sizeBytes };
      return machines.growDisk(assertPrincipal(request), vmIdOf(request), growth);
    },
  );
  app.put<WithId>(`${one}/cdrom`, controls, async (request): Promise<Vm> => {
    const body = parseBody(setCdromRequest, request);
    return machines.setCdrom(assertPrincipal(request), vmIdOf(request), body);
  });
}
