import type { Catalogue } from '@wcc/progress/text';
import { createRemark } from './remark.ts';

/** The names of wcc in Japanese. */
export const ja: Catalogue = {
  actions: {
    copy_vm_image: 'イメージのコピー',
    make_sample_image: 'サンプルイメージの作成',
    create_vm: '仮想マシンの作成',
    quick_create_vm: '仮想マシンのクイック作成',
    copy_vm: '仮想マシンのコピー',
    delete_vm: '仮想マシンの削除',
    start_vm: '仮想マシンの起動',
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
    wait: '順番を待機中',
    start: '仮想マシンを起動中',
    stop: '仮想マシンを停止中',
    undefine: '仮想マシンを削除中',
    delete_disks: 'ディスクを削除中',
    connect: '接続中',
    convert: '変換中',
    read: 'データを読み込み中',
    delete: '削除中',
  },
  laterPhases: { verify: '検証' },
  verbs: { choose: 'ファイルを選択…' },
  reasons: {
    waiting_for_place: ({ limit }) => `同時に実行できるコピーは ${limit ?? '数'} 件です`,
    pool_unavailable: () => 'プールを利用できません',
    resuming: () => '再開しています…',
    no_space: ({ needs, free }, { size }) => {
      const sizes = typeof needs === 'number' && typeof free === 'number';
      const figures = sizes ? `（必要 ${size(needs)}、空き ${size(free)}）` : '';
      return `ディスクに空きがありません${figures}。空きができると自動で再開します`;
    },
    no_inodes: () => 'ファイルシステムに空きの inode がありません。ファイルを削除すると自動で再開します',
    quota: () => 'ファイルシステムの割り当て量を使い切りました。空きができると自動で再開します',
    io_error: () => 'ディスクでエラーが発生しました。ディスクを確認してから再開してください',
    read_only: () => 'ファイルシステムが読み取り専用です。書き込み可能にマウントしてから再開してください',
    data_dir_unavailable: () =>
      'wcc のデータディレクトリを利用できません。マウントするか復元してから再開してください',
    resources: () => 'サーバーで開いているファイルが多すぎるか、メモリが足りません。自動で再開します',
    busy: () => 'ファイルシステムが使用中でした。自動で再開します',
    publisher_silent: () => '報告するプログラムから連絡がありません',
    waiting_for_client: () => '送信側の再開を待っています',
    not_registered: () => 'コピーは完了しましたが、確認できませんでした',
  },
  warnings: {
    source_open_for_writing: 'コピー元が書き込み用に開かれていたため、内容が不整合の可能性があります',
    failed_after_publishing: 'ファイルは完成していますが、公開後の処理に失敗しました',
    first_boot_missing:
      '元の仮想マシンはまだ何も出力していません。一度も起動していない場合、初回起動のユーザーと鍵はコピーに含まれません',
    published_without_exclusive_rename: '排他的な改名ができないため、リンクを使いました',
    preallocation_unsupported: 'ファイルシステムが領域の事前確保に対応していません',
    preallocation_needs_kernel_calls: '領域を事前に確保できませんでした',
    replaced_unfinished: '同じ名前の未完了のアップロードは、送信側が最初からやり直したため終了しました',
    restarted_source_changed: 'コピー元が変わっていたため、最初からやり直しました',
    upload_buffered:
      '途中のプロキシがデータをためたため、進み具合がまとめて表示されました（nginx: proxy_request_buffering off）',
    same_identity: '元の仮想マシンに初回起動データがないため、ホスト名、ホスト鍵、machine-id は元と同じです',
    snapshots_left_out:
      '新しいイメージには現在の状態だけが入り、元のイメージ内のスナップショットは含まれません',
    unproven_end:
      '相手サーバーが長さを示さなかったため、途中で切れていても完了に見えます。ダイジェストで確認してください',
    content_is_text: 'ファイルの先頭がテキストだけのため、ディスクではない可能性があります',
    content_is_tiny: 'ファイルが 1 セクターより短いため、ディスクではない可能性があります',
    content_is_no_disc: 'ISO という名前または指定ですが、内容は既知の光ディスクの形式ではありません',
    copy_file_range_refused: 'カーネルによるコピーができず、読み書きで行いました（低速）',
  },
  remark: createRemark({
    own: {
      cancelling: '後片付けをしています',
      cancelled: '残ったファイルはありません',
      interrupted: '自動で続行します…',
    },
    published: {
      cancelling: '実行中のプログラムが止まるのを待っています',
      cancelled: '',
      interrupted: '次の報告で再開します',
    },
  }),
};
