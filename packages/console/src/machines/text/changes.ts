import type { VmsText } from './text.ts';

/** Texts about changes that another program made in the hypervisor. */
export const en: VmsText['changes'] = {
  title: 'Changed outside wcc',
  lead: 'Another program changed this machine in the hypervisor. wcc changes nothing until you decide.',
  adoptLead: 'Adopt the changes, or undo them in the hypervisor.',
  undoLead: 'wcc cannot adopt all of this. Undo it in the hypervisor.',
  snapshotLead:
    'wcc cannot adopt other disks. Undo this in the hypervisor. Merge an external snapshot while the machine runs:',
  settings: {
    name: 'Name',
    cpus: 'CPUs',
    memory: 'Memory',
    firmware: 'Firmware',
    disks: 'Disks',
    cdrom: 'CD drives',
    network: 'Network',
    bootOrder: 'Boot order',
  },
  line: (setting, { wcc, hypervisor }) =>
    `${setting}: ${wcc || 'nothing'} in wcc, ${hypervisor || 'nothing'} in the hypervisor`,
  adopted: 'The changes were adopted.',
};

export const ja: VmsText['changes'] = {
  title: 'wcc の外での変更',
  lead: '別のプログラムがハイパーバイザー側でこの仮想マシンを変更しました。対処が決まるまで wcc は構成を変更しません。',
  adoptLead: '変更を取り込むか、ハイパーバイザー側で元に戻してください。',
  undoLead: 'wcc が取り込めない変更があります。ハイパーバイザー側で元に戻してください。',
  snapshotLead:
    'ディスクの変更は取り込めません。ハイパーバイザー側で元に戻してください。外部スナップショットは実行中に次のコマンドで統合できます:',
  settings: {
    name: '名前',
    cpus: 'CPU 数',
    memory: 'メモリ',
    firmware: 'ファームウェア',
    disks: 'ディスク',
    cdrom: 'CD ドライブ',
    network: 'ネットワーク',
    bootOrder: '起動順序',
  },
  line: (setting, { wcc, hypervisor }) =>
    `${setting}: wcc では ${wcc || 'なし'}、ハイパーバイザーでは ${hypervisor || 'なし'}`,
  adopted: '変更を取り込みました。',
};
