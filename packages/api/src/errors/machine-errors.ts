/** Codes of machines: a part of the one registry in `errors.ts`. */
export const machineErrors = {
  hypervisor_missing: {
    status: 503,
    message: 'This host has nothing that runs machines.',
    hint: 'Install the packages that are named, then restart wcc; everything about images works without.',
  },
  hypervisor_unavailable: {
    status: 503,
    message: 'The hypervisor does not answer.',
    hint: 'Look at its service and its log; machines that run go on.',
  },
  hypervisor_failed: {
    status: 500,
    message: 'The hypervisor refused.',
    hint: 'See the detail: it says so in its own words.',
  },
  firmware_missing: {
    status: 503,
    message: 'The firmware for UEFI is not installed.',
    hint: 'Install the package ovmf, or use BIOS.',
  },
  vm_name_taken: {
    status: 409,
    message: 'A machine of this name exists.',
    hint: 'Choose another name.',
  },
  vm_running: {
    status: 409,
    message: 'The machine is running.',
    hint: 'Shut it down first.',
  },
  vm_not_running: {
    status: 409,
    message: 'The machine is not running.',
    hint: 'Start it first.',
  },
  vm_busy: {
    status: 409,
    message: 'An operation is working on this machine.',
    hint: 'Wait until it has ended, or cancel it.',
  },
  vm_foreign: {
    status: 409,
    message: 'Another program made this machine; wcc only looks at it.',
    hint: 'Use the program that made it.',
  },
  not_enough_memory: {
    status: 507,
    message: 'This host has not enough memory left for the machine.',
    hint: 'Give it less memory, or stop another machine.',
  },
  unknown_network: {
    status: 422,
    message: 'There is no such network on this host.',
    hint: 'Use one that GET /api/host names, or the network "user".',
  },
  secret_gone: {
    status: 422,
    message: 'The first-boot secrets of that operation are gone, as they should be.',
    hint: 'Create the machine again, and give password hash and user-data once more.',
  },
} as const;
