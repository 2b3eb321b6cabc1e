import { Option } from 'commander';

/** The option `--cd-bus` of the commands that create a machine. */
export function cdBusOption(): Option {
  const description =
    'bus of the CD drives: scsi (virtio) or sata, for guests without a virtio driver (default: scsi)';
  return new Option('--cd-bus <bus>', description).choices(['scsi', 'sata']);
}
