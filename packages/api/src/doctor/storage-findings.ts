import type { DoctorText } from './texts.ts';
import { failed, ok, skipped, warning } from './texts.ts';

/** Findings about the data directory, the database and the pool. */
export const storageFindings = {
  data_directory_private: ok('{path} is private to {user}.'),
  data_directory_missing: skipped('{path} does not exist.', 'The first start of the server creates it.'),
  data_directory_wrong: failed('{path} is not a directory.', 'Set --data-dir to a directory.'),
  data_directory_unwritable: failed(
    '{user} cannot read and write {path} ({reason}).',
    'Give the directory to the user of the server: chown {user} {path}. If the file system is read-only, repair it first.',
  ),
  data_directory_public: warning(
    'Other users can list or write {path} (mode {mode}).',
    'Remove that permission: chmod go-rw {path}',
  ),
  data_files_private: ok('All files belong to {user}, and no other user can read them.'),
  data_files_missing: skipped('The data directory has no files yet.'),
  data_file_foreign: failed(
    '{file} belongs to {owner}, not to {user}.',
    'Stop the server, and give the file back: chown {user} {file}. A server that was started by {owner} leaves such files.',
  ),
  data_file_public: failed(
    'Other users can read or write {file} (mode {mode}).',
    'Remove that permission: chmod go-rwx {file}',
  ),
  place_missing: skipped('{path} does not exist.'),
  place_unreadable: skipped(
    '{user} cannot look into {path} ({reason}).',
    'Run wcc doctor as root, or as the user of the server.',
  ),
  file_system_fits: ok('{path} is on {fsType}, mounted at {mount} with {options}.'),
  file_system_read_only: failed(
    '{mount} ({fsType}) is mounted read-only.',
    'Look for errors of the disk in dmesg and repair it, then remount it: mount -o remount,rw {mount}',
  ),
  file_system_volatile: failed(
    '{path} is on {fsType}, whose content is lost when the host or container stops.',
    'Move it to a disk, and set --data-dir or --pool to the new place.',
  ),
  database_on_network: failed(
    'The database in {path} is on the network file system {fsType}, where its locks and its log are not reliable.',
    'Move the data directory to a local disk, and set --data-dir.',
  ),
  pool_on_network: warning(
    'The pool {path} is on the network file system {fsType}.',
    'Let only one server use this pool: locks of network file systems may not work between hosts.',
  ),
  space_enough: ok('{freeBytes} of {totalBytes} are free, and {freeFiles} more files fit.'),
  space_low: warning(
    '{freeBytes} of {totalBytes} are free on the file system of {path}.',
    'Free space, or move the directory to a larger disk.',
  ),
  space_below_floor: failed(
    '{freeBytes} of {totalBytes} are free on the file system of {path}; wcc keeps {floorBytes} free and refuses new images.',
    'Delete images or other files, or lower --free-space-floor.',
  ),
  space_full: failed(
    '{freeBytes} of {totalBytes} are free on the file system of {path}.',
    'Free space at once: the database cannot record changes on a full disk.',
  ),
  inodes_full: failed(
    'Only {freeFiles} more files fit on the file system of {path}, although {freeBytes} are free: its inodes are used up.',
    'Delete many small files there, or create the file system again with more inodes (mkfs.ext4 -i).',
  ),
  writes_durable: ok(
    '{fsType} writes with barriers; a write to the disk takes {writeMs}. Whether the disk keeps it at a power cut cannot be known here.',
  ),
  barriers_off: failed(
    '{mount} is mounted with {option}: a power cut can damage the database.',
    'Remove {option} from /etc/fstab, and remount the file system.',
  ),
  writes_too_fast: warning(
    'The rotating disk {device} confirms a write in {writeMs}, faster than it turns: it confirms writes that are only in its cache.',
    'Turn off the write cache of the disk (hdparm -W 0), unless it has a battery.',
  ),
  writes_slow: warning(
    'A write to the disk of {path} takes {writeMs}, so every change takes longer.',
    'Look for other load and for errors of the disk (iostat -x, smartctl -a), or move the data directory to a faster disk.',
  ),
  writes_unknown: skipped('A test file cannot be written in {path} ({reason}).'),
  database_sound: ok('{sizeBytes}, without damage.'),
  database_missing: skipped('{path} does not exist.', 'The first start of the server creates it.'),
  database_damaged: failed(
    'The database is damaged: {reason}',
    'Stop the server, keep a copy of the data directory, and restore the latest file of backups/ (docs/database.md).',
  ),
  database_unreadable: failed(
    'The database cannot be read: {reason}',
    'Check the permissions of wcc.sqlite and the disk; use at least the version of wcc that wrote it.',
  ),
  database_busy: skipped('The server uses the database alone now.', 'Check again later.'),
  database_slow: skipped(
    'The database ({sizeBytes}) was not checked within {limitMs}.',
    'The server checks a large database after each start; look for database_damaged in its log.',
  ),
  audit_intact: ok('{rows} rows, intact; {anchors} signatures match.'),
  audit_broken: failed(
    'The audit record is not intact from row {row} on ({problem}).',
    'Keep a copy of the data directory and of the logs, then see all problems: wcc audit verify',
  ),
  audit_slow: skipped(
    'The audit record was not checked within {limitMs}.',
    'Check it alone: wcc audit verify',
  ),
  pool_ready: ok('{path} is a pool of this installation.'),
  pool_new: ok('{path} can be used; the next start of the server marks it.'),
  pool_default_missing: skipped('{path} does not exist.', 'The first start of the server creates it.'),
  pool_missing: failed('The pool {path} does not exist.', 'Mount its disk, or create the directory.'),
  pool_wrong: failed('The pool {path} is not a directory.', 'Set --pool to a directory.'),
  pool_unwritable: failed(
    '{user} cannot read and write the pool {path} ({reason}).',
    'Give {user} read, write and search permission on the directory and on those above it.',
  ),
  pool_world_writable: failed(
    'Every user can write the pool {path} (mode {mode}), so the server does not use it.',
    'Remove that permission: chmod o-w {path}',
  ),
  pool_marker_malformed: failed(
    'The marker {path}/.wcc-pool is damaged.',
    'Restore .wcc-pool from a backup. If the pool is new and empty, remove it.',
  ),
  pool_marker_missing: failed(
    'The pool {path} was used before, and its marker is missing: its disk may not be mounted.',
    'Mount the disk of the pool, or restore {path}/.wcc-pool from a backup.',
  ),
  pool_foreign: failed(
    'The pool {path} belongs to another installation of wcc.',
    'Set --pool to another directory, or --data-dir to the data directory of that installation.',
  ),
  pool_locked: ok('The server with process {pid} holds the lock.'),
  pool_unlocked: ok('No program holds the lock.'),
  pool_locked_elsewhere: failed(
    'Process {pid} holds the lock of the pool, and it is not the server of this data directory.',
    'Stop that program: only one server can use a pool (ps -fp {pid}).',
  ),
  blocks_shared: ok('Copies in the pool share blocks ({fsType}), so they take no time and no space.'),
  blocks_not_shared: ok(
    'Copies in the pool write every byte, because {fsType} does not share blocks. xfs (reflink=1) and btrfs share them.',
  ),
  blocks_unknown: skipped('A test file cannot be written in {path} ({reason}).'),
  guests_enter: ok('{user}, who runs the guests of libvirt, can enter {path}.'),
  guests_stopped: failed(
    '{user}, who runs the guests of libvirt, cannot enter {directory}, so no guest can open its disks.',
    'Let that user pass: setfacl -m u:{user}:x {directory}',
  ),
  guests_own: skipped('Guests run as the user of the server, who owns the pool.'),
  disks_separate: ok('Pool and database are on different file systems.'),
  disks_shared: warning(
    'Pool and database are on one file system, so images and machines can fill the disk of the database.',
    'Set --pool to a directory on another disk.',
  ),
} as const satisfies Readonly<Record<string, DoctorText>>;
