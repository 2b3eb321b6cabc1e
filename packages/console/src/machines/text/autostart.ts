import type { VmsText } from './text.ts';

/** Texts about starts after a boot of the host. */
export const en: VmsText['autostart'] = {
  title: 'Start with the host',
  state: 'Autostart',
  on: 'On',
  off: 'Off',
  change: 'Change',
  changeNamed: 'Change autostart',
  enabled: 'Start this machine after a boot of the host',
  order: 'Order',
  orderHint: 'Lower numbers start first.',
  badOrder: 'Enter a whole number from 0 to 9999.',
  delay: 'Delay',
  delayHint: 'Pause after the start of the machine before it.',
  badDelay: 'Enter a whole number of seconds from 0 to 3600.',
  seconds: (count) => `${count} s`,
  save: 'Save',
  saved: 'The autostart was changed.',
  list: 'These machines start with the host, in this order',
  after: (delay) => `after ${delay}`,
};

export const ja: VmsText['autostart'] = {
  title: 'ホストと同時に起動',
  state: '自動起動',
  on: 'オン',
  off: 'オフ',
  change: '変更',
  changeNamed: '自動起動を変更',
  enabled: 'ホストの起動後にこの仮想マシンを起動する',
  order: '順番',
  orderHint: '小さい番号から先に起動します。',
  badOrder: '0 から 9999 までの整数を入力してください。',
  delay: '待ち時間',
  delayHint: '前の仮想マシンの起動後に待つ時間です。',
  badDelay: '0 から 3600 までの整数を秒数で入力してください。',
  seconds: (count) => `${count} 秒`,
  save: '保存',
  saved: '自動起動の設定を変更しました。',
  list: 'ホストの起動後、次の順に起動します',
  after: (delay) => `${delay}後`,
};
