import { firstBootProfile } from '../first-boot.ts';
import {
  addDiskRequest,
  changeVmRequest,
  copyVmRequest,
  createVmRequest,
  deleteVmRequest,
  growDiskRequest,
  host,
  quickCreateVmRequest,
  serialQuery,
  setCdromRequest,
  vm,
  vmList,
  vmVerb,
} from '../machines.ts';
import type { VmVerb } from '../machines.ts';
import type { ErrorCode } from '../errors/registry.ts';
import { accepted } from '../operations.ts';
import { idempotencyKey, location } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

const one = '/api/vms/{id}';
const started = { status: 202, description: 'Accepted.', schema: accepted, headers: [location] };
const machine = { status: 200, description: 'The machine.', schema: vm };
const createErrors = [
  'vm_name_taken',
  'image_unavailable',
  'vm_changed_outside',
  'base_changed',
  'no_space',
  'not_enough_memory',
  'unknown_network',
  'firmware_missing',
  'hypervisor_missing',
  'hypervisor_unavailable',
  'idempotency_conflict',
  'rate_limited',
] as const;
const changeErrors = [
  'vm_running',
  'vm_changed_outside',
  'vm_saved',
  'vm_busy',
  'vm_foreign',
  'hypervisor_unavailable',
  'hypervisor_failed',
] as const;
const verbs = {
  start: 'Start a machine',
  shutdown: 'Ask the guest to shut down',
  'power-off': 'Power off a machine',
  reset: 'Reset a machine',
  'discard-saved-state': 'Discard the saved memory of a machine',
  adopt: 'Record what another program changed in the hypervisor',
} as const;
const verbErrors: Readonly<Partial<Record<VmVerb, readonly ErrorCode[]>>> = {
  start: ['no_space', 'pool_unavailable', 'not_enough_memory', 'base_changed', 'vm_disk_stopped'],
  shutdown: ['vm_paused'],
  reset: ['no_space', 'pool_unavailable', 'vm_disk_stopped'],
  adopt: ['vm_name_taken', 'image_unavailable'],
};

/** Endpoints of machines and of this host. */
export const machineEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/api/host',
    tag: 'Machines',
    summary: 'Get the hypervisor, memory and networks of this host',
    answer: { status: 200, description: 'Hypervisor, memory and networks.', schema: host },
  },
  {
    method: 'GET',
    path: '/api/session/profile',
    tag: 'Machines',
    summary: 'Get your first-boot profile for quick-create',
    answer: { status: 200, description: 'The profile.', schema: firstBootProfile },
  },
  {
    method: 'PUT',
    path: '/api/session/profile',
    tag: 'Machines',
    summary: 'Set your first-boot profile',
    body: firstBootProfile,
    answer: { status: 200, description: 'The profile.', schema: firstBootProfile },
  },
  {
    method: 'GET',
    path: '/api/vms',
    tag: 'Machines',
    summary: 'List the machines',
    answer: { status: 200, description: 'The machines.', schema: vmList },
  },
  {
    method: 'POST',
    path: '/api/vms',
    tag: 'Machines',
    summary: 'Create a machine',
    headers: [idempotencyKey],
    body: createVmRequest,
    answer: started,
    errors: createErrors,
  },
  {
    method: 'POST',
    path: '/api/vms/quick-create',
    tag: 'Machines',
    summary: 'Create a machine from an image and a name',
    headers: [idempotencyKey],
    body: quickCreateVmRequest,
    answer: started,
    errors: createErrors,
  },
  { method: 'GET', path: one, tag: 'Machines', summary: 'Get a machine', answer: machine },
  {
    method: 'PATCH',
    path: one,
    tag: 'Machines',
    summary: 'Change name, CPUs, memory, boot order, the bus of the drives or the autostart',
    body: changeVmRequest,
    answer: machine,
    errors: ['vm_name_taken', 'not_enough_memory', ...changeErrors],
  },
  {
    method: 'DELETE',
    path: one,
    tag: 'Machines',
    summary: 'Delete a machine',
    body: deleteVmRequest,
    answer: started,
    errors: changeErrors,
  },
  {
    method: 'POST',
    path: `${one}/copy`,
    tag: 'Machines',
    summary: 'Copy a machine with its disks',
    headers: [idempotencyKey],
    body: copyVmRequest,
    answer: started,
    errors: ['vm_running', 'vm_busy', 'vm_foreign', 'vm_saved', ...createErrors],
  },
  ...vmVerb.options.map((verb): Endpoint => ({
    method: 'POST',
    path: `${one}/${verb}`,
    tag: 'Machines',
    summary: verbs[verb],
    description:
      verb === 'shutdown'
        ? 'Presses the power button. The guest decides, so the state changes later.'
        : 'Answers when the command has had its effect.',
    answer: machine,
    errors: ['vm_not_running', ...(verbErrors[verb] ?? []), ...changeErrors],
  })),
  {
    method: 'POST',
    path: `${one}/disks`,
    tag: 'Machines',
    summary: 'Add an empty disk',
    body: addDiskRequest,
    answer: machine,
    errors: ['no_space', ...changeErrors],
  },
  {
    method: 'PATCH',
    path: `${one}/disks/{index}`,
    tag: 'Machines',
    summary: 'Grow a disk',
    body: growDiskRequest,
    answer: machine,
    errors: ['no_space', 'image_unavailable', 'hostile_image', 'damaged_image', ...changeErrors],
  },
  {
    method: 'PUT',
    path: `${one}/cdrom`,
    tag: 'Machines',
    summary: 'Insert or eject a disc image',
    body: setCdromRequest,
    answer: machine,
    errors: ['image_unavailable', ...changeErrors],
  },
  {
    method: 'GET',
    path: `${one}/serial`,
    tag: 'Machines',
    summary: 'Read the serial log',
    query: serialQuery,
    answer: {
      status: 200,
      description:
        'The last `tail` bytes of the log. With `follow`, the answer continues with new output until the client disconnects.',
      mediaType: 'text/plain',
    },
  },
  {
    method: 'GET',
    path: `${one}/serial/socket`,
    tag: 'Machines',
    summary: 'Follow the serial log over a WebSocket',
    description:
      'Send a ticket with the purpose `serial` for this machine. The text message `{"t":"log","bytes":n}` announces the end of the log (at most `tail` bytes), which follows in binary messages. Further binary messages are new output. `{"t":"hb"}` follows 8 seconds without another message. The socket closes when the client sends a message.',
    answer: { status: 101, description: 'The socket is open.' },
    errors: ['upgrade_required'],
  },
  {
    method: 'GET',
    path: `${one}/screenshot`,
    tag: 'Machines',
    summary: 'Get a screenshot',
    answer: { status: 200, description: 'The screenshot.', mediaType: 'image/png' },
    errors: ['vm_not_running', 'hypervisor_unavailable', 'hypervisor_failed'],
  },
  {
    method: 'GET',
    path: `${one}/screen`,
    tag: 'Machines',
    summary: 'Open the screen over a WebSocket',
    description:
      'Binary RFB. Send a ticket with the purpose `screen` for this machine. With the query `heartbeat=true`, the text message `{"t":"hb"}` follows 8 seconds without another message; with `viewOnly=true` no input passes.',
    answer: { status: 101, description: 'The socket is open.' },
    errors: ['upgrade_required', 'vm_not_running'],
  },
];
