import type { DoctorText } from './texts.ts';
import { failed, ok, skipped, warning } from './texts.ts';

/** Findings about the host: settings, kernel, hypervisor, clock and certificate. */
export const hostFindings = {
  check_broken: warning('The check failed: {reason}', 'Report this as an error of wcc.'),
  check_slow: warning(
    'The check has no result after {limitMs}.',
    'A disk, a network file system or a program may hang: look at dmesg and at processes in state D.',
  ),
  settings_valid: ok('The settings are valid.'),
  settings_invalid: failed('The server cannot start ({code}): {reason}', '{hint}'),
  server_running: ok('The server runs as process {pid}, as {user}.'),
  server_stopped: ok('No server uses the data directory; the checks are for {user}.'),
  kernel_ready: ok('Linux {release}. Tried: {method}; it never replaces a file by accident.'),
  kernel_old: warning(
    'Linux {release} is older than {needed}.',
    'Upgrade the kernel: copies between file systems read and write every byte until then.',
  ),
  kernel_calls_missing: warning(
    'wcc cannot call the kernel directly: {reason}.',
    'Install wcc again with its optional packages (koffi). Until then copies are slow, and no lock protects data directory and pool.',
  ),
  kernel_calls_refused: warning(
    'Linux {release} refuses kernel calls that wcc uses: {calls}.',
    'A container or a seccomp filter may forbid them: allow copy_file_range and renameat2.',
  ),
  programs_ready: ok('All are installed: {programs}.'),
  programs_missing: failed('Not installed: {programs}.', 'Install them: apt install {packages}'),
  memory_enough: ok('{availableBytes} of {totalBytes} are available.'),
  memory_low: warning(
    '{availableBytes} of {totalBytes} are available.',
    'Stop machines or other programs, or add memory: the kernel ends programs when memory runs out.',
  ),
  open_files_enough: ok('Up to {limit} files can be open.'),
  open_files_low: warning(
    'Only {limit} files can be open; {needed} are usual for a server.',
    'Set LimitNOFILE={needed} in the unit of the service, or ulimit -n {needed} before wcc serve.',
  ),
  kvm_boots: ok('A test guest booted with KVM in {bootMs}.'),
  kvm_no_processor: warning(
    'The processor offers no virtualization, so machines are emulated and slow.',
    'Turn on Intel VT-x or AMD-V in the firmware of the host; on a virtual host, turn on nested virtualization.',
  ),
  kvm_no_device: warning(
    '{device} does not exist, so machines are emulated and slow.',
    'Load the module: modprobe kvm_intel or modprobe kvm_amd. In a container, pass the device in.',
  ),
  kvm_denied: warning(
    '{user} cannot open {device}, so machines are emulated and slow.',
    'Add the user to the group of the device, and restart the server: usermod -aG kvm {user}',
  ),
  kvm_broken: warning(
    '{device} exists, but no guest boots with it: {reason}',
    'On a virtual host, check nested virtualization; look for messages of kvm in dmesg.',
  ),
  needs_qemu: skipped('QEMU is not installed.'),
  qemu_ready: ok('QEMU {version} and qemu-img {imageVersion}.'),
  qemu_missing: failed(
    'Not installed: {programs}. Machines cannot run, or images cannot be read.',
    'Install them: apt install {packages}',
  ),
  qemu_broken: failed(
    '{program} does not start: {reason}',
    'Install its package again: apt install --reinstall {packages}',
  ),
  qemu_old: warning('QEMU {version} is older than {needed}, with which wcc is tested.', 'Upgrade QEMU.'),
  uefi_ready: ok('{path}'),
  uefi_missing: warning(
    'No UEFI firmware is installed, so machines can only have BIOS firmware.',
    'Install it: apt install ovmf',
  ),
  libvirt_ready: ok('{uri} answers: libvirt {version}.'),
  libvirt_unused: skipped('This server does not use libvirt.'),
  libvirt_missing: failed(
    'The server must use libvirt, but virsh is not installed.',
    'Install it: apt install {packages}. Or set --hypervisor qemu.',
  ),
  libvirt_unreachable: failed(
    '{uri} does not answer: {reason}',
    'Start libvirt (systemctl enable --now libvirtd), and add {user} to the group libvirt. Or set --hypervisor qemu.',
  ),
  apparmor_on: ok('AppArmor confines the guests of libvirt.'),
  apparmor_off: warning(
    'AppArmor is off, so nothing but the user separates a guest of libvirt from the host.',
    'Turn AppArmor on (apt install apparmor, kernel parameter apparmor=1), or use SELinux.',
  ),
  apparmor_no_profile: warning(
    'AppArmor is on, but libvirt has no profile.',
    'Install the package apparmor, and restart libvirt: systemctl restart libvirtd',
  ),
  apparmor_disabled: warning(
    'libvirt does not confine its guests: {file} has security_driver = "none".',
    'Remove that line from {file}, and restart libvirt.',
  ),
  apparmor_session: skipped('AppArmor confines guests of qemu:///system only; these guests run as {user}.'),
  apparmor_unknown: skipped('Only root can see the profiles of AppArmor.', 'Run wcc doctor as root.'),
  clock_synchronised: ok('The clock is synchronised ({source}).'),
  clock_unsynchronised: warning(
    'The clock is not synchronised ({source}).',
    'Turn on time synchronisation: timedatectl set-ntp true, or install chrony.',
  ),
  clock_behind: failed(
    'The clock is behind: the newest entry of the audit record is from {newest}, and now is {now}.',
    'Set the clock, then synchronise it: timedatectl set-ntp true',
  ),
  clock_unknown: skipped(
    'No program here knows whether the clock is synchronised.',
    'Install systemd-timesyncd or chrony.',
  ),
  certificate_valid: ok('Valid until {endsOn} for {names}.'),
  certificate_ends_soon: warning(
    'It ends on {endsOn}.',
    'Renew it; the server reads changed files by itself. For a certificate that wcc made, look for its renewal in the log.',
  ),
  certificate_ended: failed(
    'It ended on {endsOn}; browsers refuse it.',
    'Renew it; the server reads changed files by itself. For a certificate that wcc made, look for its renewal in the log.',
  ),
  certificate_early: failed(
    'It is valid from {beginsOn} on only.',
    'Check the clock of this host, or use another certificate.',
  ),
  certificate_other_key: failed(
    'The key of --tls-key does not belong to the certificate of --tls-cert.',
    'Set both to files of one certificate.',
  ),
  certificate_other_name: warning(
    'It is for {names}, not for {host}.',
    'Get a certificate for {host}, or set --public-url to a name of the certificate.',
  ),
  certificate_broken: failed('The certificate cannot be read: {reason}', 'Use a PEM certificate chain.'),
  certificate_new: skipped('The next start of the server makes a certificate.'),
  certificate_unknown: skipped('The settings are not valid, so the certificate is not known.'),
  certificate_proxy: skipped('The proxy in front of this server has the certificate.'),
  certificate_none: skipped('The server listens on this host only, without TLS.'),
} as const satisfies Readonly<Record<string, DoctorText>>;
