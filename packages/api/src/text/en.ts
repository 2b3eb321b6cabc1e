import type { Catalogue } from '@wcc/progress/text';
import { createRemark } from './remark.ts';

/** The names of wcc in English. */
export const en: Catalogue = {
  actions: {
    copy_vm_image: 'Copy image',
    make_sample_image: 'Make sample image',
    create_vm: 'Create machine',
    quick_create_vm: 'Quick-create machine',
    copy_vm: 'Copy machine',
    delete_vm: 'Delete machine',
    start_vm: 'Start machine',
    upload_image: 'Upload image',
    import_image: 'Import image',
    convert_image: 'Convert image',
    verify_image: 'Check image',
    delete_image: 'Delete image',
  },
  phases: {
    inspect: 'Inspecting the source',
    reserve: 'Reserving space',
    clone: 'Sharing blocks',
    receive: 'Receiving data',
    transfer: 'Copying data',
    write: 'Writing data',
    flush: 'Flushing to the disk',
    verify: 'Checking the copy',
    publish: 'Publishing',
    check: 'Checking',
    disk_1: 'Creating disk 1',
    disk_2: 'Creating disk 2',
    disk_3: 'Creating disk 3',
    disk_4: 'Creating disk 4',
    disk_5: 'Creating disk 5',
    disk_6: 'Creating disk 6',
    disk_7: 'Creating disk 7',
    disk_8: 'Creating disk 8',
    seed: 'Writing first-boot data',
    define: 'Defining the machine',
    wait: 'Waiting for its turn',
    start: 'Starting the machine',
    stop: 'Stopping the machine',
    undefine: 'Removing the machine',
    delete_disks: 'Deleting its disks',
    connect: 'Connecting',
    convert: 'Converting',
    read: 'Reading data',
    delete: 'Deleting',
  },
  laterPhases: { verify: 'checking' },
  verbs: { choose: 'Choose file…' },
  reasons: {
    waiting_for_place: ({ limit }) =>
      limit === 1
        ? 'one copy runs at a time'
        : limit === undefined
          ? 'too many copies are running'
          : `${limit} copies run at a time`,
    pool_unavailable: () => 'the pool is not available',
    resuming: () => 'resuming…',
    no_space: ({ needs, free }, { size }) => {
      const sizes = typeof needs === 'number' && typeof free === 'number';
      const figures = sizes ? `: needs ${size(needs)}, ${size(free)} free` : '';
      return `the disk is full${figures}. Resumes automatically when there is space`;
    },
    no_inodes: () =>
      'the file system cannot hold more files (no free inodes). Resumes automatically when files are deleted',
    quota: () => "the file system's quota is used up. Resumes automatically when there is space",
    io_error: () => 'the disk reported an error. Check the disk, then resume',
    read_only: () => 'the file system is read-only. Mount it writable, then resume',
    data_dir_unavailable: () =>
      'the data directory of wcc is not available. Mount or restore it, then resume',
    resources: () => 'the server has too many open files or too little memory. Resumes automatically',
    busy: () => 'the file system was busy. Resumes automatically',
    publisher_silent: () => 'No report from the program that runs it',
    waiting_for_client: () => 'Waiting for the sender to resume',
    not_registered: () => 'The copy is complete, but could not be inspected',
  },
  warnings: {
    source_open_for_writing: 'a program had the source open for writing; the copy may be inconsistent',
    failed_after_publishing: 'the file is complete, but a step after its publication failed',
    first_boot_missing:
      'the original has printed nothing; if it has never started, the copy lacks the users and keys of its first boot',
    published_without_exclusive_rename: 'the file system has no exclusive rename; a link was used',
    preallocation_unsupported: 'the file system cannot reserve space',
    preallocation_needs_kernel_calls: 'space could not be reserved',
    replaced_unfinished: 'an unfinished upload of the same name was ended, because its sender began again',
    restarted_source_changed: 'the source had changed, so the copy started again',
    upload_buffered:
      'a proxy buffered the data, so progress was shown in steps (nginx: proxy_request_buffering off)',
    same_identity:
      'the original has no first-boot data, so the copy keeps its host name, host keys and machine-id',
    snapshots_left_out: 'the new image has the present state only, without the snapshots in the old image',
    unproven_end:
      'the other server named no length, so a lost connection would look like the end; compare a digest',
    content_is_text: 'the file starts with text only, so it is probably not a disk',
    content_is_tiny: 'the file is shorter than a sector, so it is probably not a disk',
    content_is_no_disc:
      'the content is not a known optical disc, although the file is called or declared an ISO',
    copy_file_range_refused: 'the kernel could not copy these files, so they were read and written (slower)',
  },
  remark: createRemark({
    own: {
      cancelling: 'cleaning up',
      cancelled: 'no files left behind',
      interrupted: 'Resumes automatically…',
    },
    published: {
      cancelling: 'waiting for the program that runs it',
      cancelled: '',
      interrupted: 'Resumes with its next report',
    },
  }),
};
