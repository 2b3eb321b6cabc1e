import { expect, it } from 'vitest';
import type { LibvirtContext } from './context.ts';
import { filesOf } from './context.ts';
import { createVirsh, libvirtUris } from './virsh.ts';

const uuid = '3f0b4f6c-2d0e-4b43-9a53-0d0c8f5a1f11';

/** The system daemon runs QEMU as another user, who cannot read wcc's directories. */
it.each(libvirtUris)('filesOf puts the UEFI variables where the QEMU of %s can reach them', (uri) => {
  const virsh = createVirsh({ uri, environment: {} });
  const context = { virsh, root: '/var/lib/wcc/machines/libvirt/machines' } as LibvirtContext;
  expect(filesOf(context, uuid).firmwareVariables).toBe(
    uri === 'qemu:///system'
      ? `/var/lib/libvirt/qemu/nvram/${uuid}_VARS.fd`
      : `/var/lib/wcc/machines/libvirt/machines/${uuid}/vars.fd`,
  );
});
