import { sameUnit, shortDuration } from '../text/catalogue.ts';
import type { Catalogue } from '../text/catalogue.ts';

/** Japanese: `registerLocale('ja', ja)`. */
export const ja: Catalogue = {
  separator: ' · ',
  phases: { work: '処理中' },
  verbs: {
    cancel: 'キャンセル',
    pause: '一時停止',
    resume: '再開',
    retry: '再試行',
    again: 'もう一度実行',
    dismiss: '閉じる',
    details: '詳細',
    open: '開く',
  },
  reasons: {
    server_stopped: () => 'サーバーが停止しました',
    server_restarted: () => 'サーバーが再起動しました',
    process_lost: () => '実行していたプログラムが終了しました',
    process_unreachable: () => '実行中のプログラムと通信できません',
  },
  warnings: { cancel_too_late: 'キャンセルは間に合わず、すでに完了していました' },
  states: {
    queued: '待機中',
    paused: '一時停止中',
    cancelling: 'キャンセル中…',
    interrupted: '中断',
    running: '実行中',
    succeeded: '完了',
    failed: '失敗',
    cancelled: 'キャンセル済み',
  },
  step: (index, count) => `${index} / ${count}`,
  amount: (done, total) => sameUnit(done, total).join(' / '),
  steps: (done, total, { number }) =>
    total === null ? `${number(done)} ステップ` : `${number(done)} / ${number(total)} ステップ`,
  percent: (value) => `${value} %`,
  duration: shortDuration({ h: '時間', min: '分', s: '秒' }),
  left: (eta, { number }) => {
    if (eta.kind === 'few_seconds') return '残り数秒';
    if (eta.kind === 'seconds') return `残り約 ${eta.seconds} 秒`;
    if (eta.kind === 'minutes') return `残り約 ${number(eta.minutes)} 分`;
    if (eta.kind === 'more_than_a_day') return '残り 1 日以上';
    return eta.minutes === 0 ? `残り約 ${eta.hours} 時間` : `残り約 ${eta.hours} 時間 ${eta.minutes} 分`;
  },
  leftThen: (left, phase) => `${left}、その後${phase}`,
  elapsed: (time) => `経過 ${time}`,
  by: (name) => `実行者 ${name}`,
  skipped: (size) => `空き領域 ${size} を省略`,
  shared: (size) => `${size} を共有`,
  queuePosition: (position) => `順番 ${position} 番目`,
  noProgress: (time) => `${time}間 進んでいません`,
  pausedAt: (percent) => `${percent} で一時停止中`,
  cancelledAfter: (size) => `${size} でキャンセル`,
  doneIn: (time) => `${time}で完了`,
  cloneIn: (time) => `${time}で即時コピー`,
  written: (size) => `${size} を書き込み`,
  shares: (size) => `${size} を共有`,
  doneBut: '完了しましたが、注意があります:',
  restarted: (time) => `${time} にサーバーが再起動しました`,
  gone: 'サーバーはこの処理をもう把握していません',
  lastSeenAt: (percent) => `最後に確認した時点で ${percent}`,
  lastKnown: '最後に確認した状態',
  noConnection: 'サーバーに接続していません',
};
