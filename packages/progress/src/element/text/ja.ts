import { formatBytes } from '../../core/units.ts';
import { sameUnit } from './row-text.ts';
import type { RowText } from './row-text.ts';

function duration(durationMs: number): string {
  if (durationMs < 950) return `${(Math.max(100, durationMs) / 1000).toFixed(1)} 秒`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds} 秒`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分 ${seconds % 60} 秒`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} 時間 ${minutes % 60} 分`;
}

export const ja: RowText = {
  separator: ' · ',
  actions: {
    copy_vm_image: 'イメージのコピー',
    make_sample_image: 'サンプルイメージの作成',
    create_vm: '仮想マシンの作成',
    quick_create_vm: '仮想マシンのクイック作成',
    copy_vm: '仮想マシンのコピー',
    delete_vm: '仮想マシンの削除',
    upload_image: 'イメージのアップロード',
    import_image: 'イメージの取り込み',
    convert_image: 'イメージの変換',
    verify_image: 'イメージの検証',
    delete_image: 'イメージの削除',
  },
  phases: {
    inspect: 'コピー元を確認中',
    reserve: '領域を確保中',
    clone: 'ブロックを共有中',
    receive: 'データを受信中',
    transfer: 'データをコピー中',
    write: 'データを書き込み中',
    flush: 'ディスクへフラッシュ中',
    verify: 'コピーを検証中',
    publish: '公開中',
    check: '確認中',
    disk_1: 'ディスク 1 を作成中',
    disk_2: 'ディスク 2 を作成中',
    disk_3: 'ディスク 3 を作成中',
    disk_4: 'ディスク 4 を作成中',
    disk_5: 'ディスク 5 を作成中',
    disk_6: 'ディスク 6 を作成中',
    disk_7: 'ディスク 7 を作成中',
    disk_8: 'ディスク 8 を作成中',
    seed: '初回起動データを書き込み中',
    define: '仮想マシンを定義中',
    start: '仮想マシンを起動中',
    stop: '仮想マシンを停止中',
    undefine: '仮想マシンを削除中',
    delete_disks: 'ディスクを削除中',
    connect: '接続中',
    convert: '変換中',
    read: 'データを読み込み中',
    delete: '削除中',
    work: '処理中',
  },
  thenPhases: { verify: '検証' },
  verbs: {
    cancel: 'キャンセル',
    pause: '一時停止',
    resume: '再開',
    retry: '再試行',
    again: 'もう一度実行',
    dismiss: '閉じる',
    details: '詳細',
    open: '開く',
    choose: 'ファイルを選択…',
  },
  reasons: {
    waiting_for_place: ({ limit }) => `同時に実行できるコピーは ${limit ?? '数'} 件です`,
    pool_unavailable: () => 'プールを利用できません',
    requested: () => '',
    resuming: () => '再開しています…',
    no_space: ({ needs, free }) => {
      const sizes = typeof needs === 'number' && typeof free === 'number';
      const figures = sizes ? `（必要 ${formatBytes(needs)}、空き ${formatBytes(free)}）` : '';
      return `ディスクに空きがありません${figures}。空きができると自動で再開します`;
    },
    quota: () => 'ファイルシステムの割り当て量を使い切りました。空きを作ってから再開してください',
    server_stopped: () => 'サーバーが停止しました',
    server_restarted: () => 'サーバーが再起動しました',
    publisher_silent: () => '報告するプログラムから連絡がありません',
    waiting_for_client: () => '送信側の再開を待っています',
    not_registered: () => 'コピーは完了しましたが、確認できませんでした',
  },
  warnings: {
    cancel_too_late: 'キャンセルは間に合わず、すでに完了していました',
    source_open_for_writing: 'コピー元が書き込み用に開かれていたため、内容が不整合の可能性があります',
    published_without_exclusive_rename: '排他的な改名ができないため、リンクを使いました',
    preallocation_unsupported: 'ファイルシステムが領域の事前確保に対応していません',
    preallocation_needs_kernel_calls: '領域を事前に確保できませんでした',
    restarted_source_changed: 'コピー元が変わっていたため、最初からやり直しました',
    upload_buffered:
      '途中のプロキシがデータをためたため、進み具合がまとめて表示されました（nginx: proxy_request_buffering off）',
    copy_file_range_refused: 'カーネルによるコピーができず、読み書きで行いました（低速）',
  },
  states: {
    queued: '待機中',
    paused: '一時停止中',
    cancelling: 'キャンセル中… 後片付けをしています',
    interrupted: '中断',
    running: '実行中',
    succeeded: '完了',
    failed: '失敗',
    cancelled: 'キャンセル済み',
  },
  step: (index, count) => `${index} / ${count}`,
  amount: (done, total) => sameUnit(done, total).join(' / '),
  steps: (done, total) => (total === null ? `${done} ステップ` : `${done} / ${total} ステップ`),
  percent: (value) => `${value} %`,
  duration,
  left: (eta) => {
    if (eta.kind === 'few_seconds') return '残り数秒';
    if (eta.kind === 'seconds') return `残り約 ${eta.seconds} 秒`;
    if (eta.kind === 'minutes') return `残り約 ${eta.minutes} 分`;
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
  nothingLeft: '残ったファイルはありません',
  cancellingElsewhere: 'キャンセル中… 実行中のプログラムが止まるのを待っています',
  doneIn: (time) => `${time}で完了`,
  cloneIn: (time) => `${time}で即時コピー`,
  written: (size) => `${size} を書き込み`,
  shares: (size) => `${size} を共有`,
  doneBut: '完了しましたが、注意があります:',
  restarted: (time) => `${time} にサーバーが再起動しました`,
  resumesAutomatically: '自動で続行します…',
  chooseAgain: (name, percent) =>
    percent === ''
      ? `${name} をもう一度選ぶと送信します`
      : `${name} をもう一度選ぶと ${percent} から続行します`,
  resumesWithNextReport: '次の報告で再開します',
  unknown: 'サーバーはこの処理をもう把握していません',
  lastSeenAt: (percent) => `最後に確認した時点で ${percent}`,
  lastKnown: '最後に確認した状態',
  noConnection: 'サーバーに接続していません',
};
