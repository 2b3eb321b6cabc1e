import { expect, it } from 'vitest';
import { createPlaces } from './places.ts';

const places = createPlaces({
  pools: {
    all: () => [
      { name: 'images', path: '/var/lib/wcc/images' },
      { name: 'big disk', path: '/srv/big disk' },
      { name: 'quotes', path: '/srv/say "no"' },
    ],
  },
  dataDir: '/var/lib/wcc',
});

it.each([
  [
    "Could not open '/var/lib/wcc/images/web.raw': No such file",
    "Could not open 'images/web.raw': No such file",
  ],
  ['vda /srv/big disk/web.qcow2 (qcow2)', 'vda big disk/web.qcow2 (qcow2)'],
  ['{"filename":"/srv/say \\"no\\"/a.raw"}', '{"filename":"quotes/a.raw"}'],
  ['cannot open file:///srv/big disk/a.raw', 'cannot open file://big disk/a.raw'],
  ['/var/lib/wcc/machines/1/vars.fd is busy', '…/machines/1/vars.fd is busy'],
  ["Failed to open file '/mnt/of another/x y.img'", "Failed to open file '…/x y.img'"],
  ['source=/dev/disk/by-id/ata-1,format=raw', 'source=…/ata-1,format=raw'],
  ['unlink("/run/libvirt/qemu/a.sock")', 'unlink("…/a.sock")'],
  ['vda /mnt/var/lib/wcc/images/a.raw (raw)', 'vda …/a.raw (raw)'],
  ['vda /var/lib/wcc/images-old/a.raw (raw)', 'vda …/images-old/a.raw (raw)'],
  ['/srv/big disk: Permission denied', 'big disk: Permission denied'],
])('SL11: takes the places of the host out of %j', (text, hidden) => {
  expect(places.hide(text)).toBe(hidden);
});

it.each([
  '1/2 of the disks',
  'https://example.org/a/b failed',
  'user 52:54:00:00:00:01 virtio',
  'TCP/IP or N/A',
])('SL11: leaves %j as it is', (text) => {
  expect(places.hide(text)).toBe(text);
});
