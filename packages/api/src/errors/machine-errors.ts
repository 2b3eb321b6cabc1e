/** Errors of machines. A part of the registry in `errors.ts`. */
export const machineErrors = {
  hypervisor_missing: {
    status: 503,
    message: 'This host has no hypervisor.',
    hint: 'Install the named packages, then restart wcc. Images work without a hypervisor.',
  },
  hypervisor_unavailable: {
    status: 503,
    message: 'The hypervisor does not answer.',
    hint: 'Check its service and its log; running machines continue.',
  },
  hypervisor_failed: {
    status: 500,
    message: 'The hypervisor reported an error.',
    hint: 'See the detail for its own message.',
  },
  firmware_missing: {
    status: 503,
    message: 'The UEFI firmware is not installed.',
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
  vm_paused: {
    status: 409,
    message: 'The guest is paused or sleeps, so it does not see the power button.',
    hint: 'Start the machine to resume or wake it, then shut it down. Or power it off.',
  },
  vm_saved: {
    status: 409,
    message: 'The memory of the machine is saved.',
    hint: 'Start the machine to restore it, or discard the saved state (wcc vm discard-saved).',
  },
  vm_disk_stopped: {
    status: 409,
    message: 'The guest stopped again, because its disk still fails.',
    hint: 'Free space for the disk or repair it, then start the machine again.',
  },
  vm_changed_outside: {
    status: 409,
    message: 'Another program changed this machine in the hypervisor.',
    hint: 'Adopt the changes (wcc vm adopt), or undo them in the hypervisor.',
  },
  vm_busy: {
    status: 409,
    message: 'An operation is working on this machine.',
    hint: 'Wait for its end, or cancel it.',
  },
  vm_foreign: {
    status: 409,
    message: 'Another program created this machine; wcc only shows it.',
    hint: 'Use the program that created it.',
  },
  not_enough_memory: {
    status: 507,
    message: 'This host does not have enough free memory for the machine.',
    hint: 'Give the machine less memory, or stop another machine.',
  },
  unknown_network: {
    status: 422,
    message: 'This host has no such network.',
    hint: 'Use a network that GET /api/host names, or the network "user".',
  },
  user_data_unknown: {
    status: 422,
    message: 'The user-data has a first line that cloud-init does not know.',
    hint: 'Start it with #cloud-config, #! or #include, or send a MIME document, or gzip in base64.',
  },
  user_data_ignition: {
    status: 422,
    message: 'The user-data is for Ignition, and cloud-init ignores it.',
    hint: 'Use an image with cloud-init, and user-data that starts with #cloud-config.',
  },
  user_data_damaged: {
    status: 422,
    message: 'The compressed user-data cannot be decompressed.',
    hint: 'Compress text of at most 1 MiB with gzip, and encode it in base64.',
  },
  secret_gone: {
    status: 422,
    message: 'The first-boot secrets of that operation are already deleted.',
    hint: 'Create the machine again with password hash and user-data.',
  },
} as const;
