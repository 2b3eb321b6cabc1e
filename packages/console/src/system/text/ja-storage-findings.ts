import type { DoctorFindingTexts, StorageCode } from './text.ts';

/** Results of checks of the data directory, the database and the pool. */
export const jaStorageFindings: DoctorFindingTexts<StorageCode> = {
  data_directory_private: ['{path} は {user} だけが使えます。', null],
  data_directory_missing: ['{path} はまだありません。', 'サーバーの最初の起動で作成されます。'],
  data_directory_wrong: [
    '{path} はディレクトリではありません。',
    '--data-dir にディレクトリを指定してください。',
  ],
  data_directory_unwritable: [
    '{user} は {path} を読み書きできません（{reason}）。',
    'サーバーのユーザーに所有権を与えてください: chown {user} {path}。ファイルシステムが読み取り専用の場合は、先に修復してください。',
  ],
  data_directory_public: [
    'ほかのユーザーが {path} を一覧または変更できます（モード {mode}）。',
    'この権限を外してください: chmod go-rw {path}',
  ],
  data_files_private: ['すべてのファイルは {user} のもので、ほかのユーザーは読めません。', null],
  data_files_missing: ['データディレクトリにはまだファイルがありません。', null],
  data_file_foreign: [
    '{file} の所有者は {user} ではなく {owner} です。',
    'サーバーを停止し、所有権を戻してください: chown {user} {file}。{owner} でサーバーを起動すると、このようなファイルが残ります。',
  ],
  data_file_public: [
    'ほかのユーザーが {file} を読み書きできます（モード {mode}）。',
    'この権限を外してください: chmod go-rwx {file}',
  ],
  place_missing: ['{path} はありません。', null],
  place_unreadable: [
    '{user} は {path} を見られません（{reason}）。',
    'root か、サーバーのユーザーで wcc doctor を実行してください。',
  ],
  file_system_fits: ['{path} は {fsType} 上にあります（マウント先 {mount}、オプション {options}）。', null],
  file_system_read_only: [
    '{mount}（{fsType}）は読み取り専用でマウントされています。',
    'dmesg でディスクのエラーを確認して修復し、再マウントしてください: mount -o remount,rw {mount}',
  ],
  file_system_volatile: [
    '{path} は {fsType} 上にあり、ホストやコンテナーが停止すると内容が失われます。',
    'ディスクに移し、--data-dir か --pool に新しい場所を指定してください。',
  ],
  database_on_network: [
    '{path} のデータベースはネットワークファイルシステム {fsType} 上にあり、ロックとログが信頼できません。',
    'データディレクトリをローカルディスクに移し、--data-dir に指定してください。',
  ],
  pool_on_network: [
    'プール {path} はネットワークファイルシステム {fsType} 上にあります。',
    'このプールは 1 台のサーバーだけで使ってください。ホスト間ではロックが働かないことがあります。',
  ],
  space_enough: ['{totalBytes} のうち {freeBytes} が空いています。作成できるファイル数: {freeFiles}', null],
  space_low: [
    '{path} のファイルシステムは {totalBytes} のうち {freeBytes} しか空いていません。',
    '空きを作るか、より大きいディスクに移してください。',
  ],
  space_below_floor: [
    '{path} のファイルシステムは {totalBytes} のうち {freeBytes} しか空いていません。wcc は {floorBytes} を空けておくため、新しいイメージを受け付けません。',
    'イメージなどのファイルを削除するか、--free-space-floor を下げてください。',
  ],
  space_full: [
    '{path} のファイルシステムは {totalBytes} のうち {freeBytes} しか空いていません。',
    'すぐに空きを作ってください。ディスクがいっぱいになると、データベースは変更を記録できません。',
  ],
  inodes_full: [
    '{path} のファイルシステムは {freeBytes} 空いていますが、inode が足りず、あと {freeFiles} 個のファイルしか作れません。',
    '小さいファイルを多数削除するか、inode を増やしてファイルシステムを作り直してください（mkfs.ext4 -i）。',
  ],
  writes_durable: [
    '{fsType} はバリアー付きで書き込みます。ディスクへの書き込みは {writeMs} です。停電のときディスクが内容を保つかどうかは、ここではわかりません。',
    null,
  ],
  barriers_off: [
    '{mount} は {option} でマウントされています。停電でデータベースが壊れることがあります。',
    '/etc/fstab から {option} を外し、再マウントしてください。',
  ],
  writes_too_fast: [
    '回転式ディスク {device} は、回転より速い {writeMs} で書き込みを完了と報告します。実際にはキャッシュに入っただけです。',
    'ディスクの書き込みキャッシュを無効にしてください（hdparm -W 0）。バッテリー付きなら不要です。',
  ],
  writes_slow: [
    '{path} のディスクへの書き込みに {writeMs} かかり、すべての変更が遅くなります。',
    'ほかの負荷やディスクのエラーを確認するか（iostat -x、smartctl -a）、速いディスクにデータディレクトリを移してください。',
  ],
  writes_unknown: ['{path} に試験用のファイルを書けません（{reason}）。', null],
  database_sound: ['{sizeBytes}、破損はありません。', null],
  database_missing: ['{path} はまだありません。', 'サーバーの最初の起動で作成されます。'],
  database_damaged: [
    'データベースが破損しています: {reason}',
    'サーバーを停止し、データディレクトリのコピーを残してから、backups/ の最新のファイルを復元してください（docs/database.md）。',
  ],
  database_unreadable: [
    'データベースを読めません: {reason}',
    'wcc.sqlite の権限とディスクを確認してください。データベースを書いたバージョン以降の wcc を使ってください。',
  ],
  database_busy: ['今はサーバーがデータベースを独占しています。', '後でもう一度確認してください。'],
  database_slow: [
    'データベース（{sizeBytes}）の確認が {limitMs} 以内に終わりませんでした。',
    '大きいデータベースは起動のたびにサーバーが確認します。ログの database_damaged を確認してください。',
  ],
  audit_intact: ['{rows} 行、改ざんはありません。署名 {anchors} 件が一致しました。', null],
  audit_broken: [
    '監査ログは {row} 行目以降が正しくありません（{problem}）。',
    'データディレクトリとログのコピーを残してから、すべての問題を表示してください: wcc audit verify',
  ],
  audit_slow: [
    '監査ログの確認が {limitMs} 以内に終わりませんでした。',
    '単独で確認してください: wcc audit verify',
  ],
  pool_ready: ['{path} はこの wcc のプールです。', null],
  pool_new: ['{path} はプールとして使えます。サーバーの次の起動で印が付きます。', null],
  pool_default_missing: ['{path} はまだありません。', 'サーバーの最初の起動で作成されます。'],
  pool_missing: [
    'プール {path} がありません。',
    'そのディスクをマウントするか、ディレクトリを作成してください。',
  ],
  pool_wrong: ['プール {path} はディレクトリではありません。', '--pool にディレクトリを指定してください。'],
  pool_unwritable: [
    '{user} はプール {path} を読み書きできません（{reason}）。',
    'このディレクトリと上位のディレクトリに、{user} の読み取り・書き込み・検索の権限を付けてください。',
  ],
  pool_world_writable: [
    'すべてのユーザーがプール {path} に書けるため（モード {mode}）、サーバーは使いません。',
    'この権限を外してください: chmod o-w {path}',
  ],
  pool_marker_malformed: [
    '印 {path}/.wcc-pool が壊れています。',
    '.wcc-pool をバックアップから復元してください。新しい空のプールなら削除してください。',
  ],
  pool_marker_missing: [
    'プール {path} は以前使われましたが、印がありません。ディスクがマウントされていない可能性があります。',
    'プールのディスクをマウントするか、{path}/.wcc-pool をバックアップから復元してください。',
  ],
  pool_foreign: [
    'プール {path} は別の wcc のものです。',
    '--pool に別のディレクトリを、または --data-dir にその wcc のデータディレクトリを指定してください。',
  ],
  pool_locked: ['サーバー（プロセス {pid}）がロックを持っています。', null],
  pool_unlocked: ['ロックを持つプログラムはありません。', null],
  pool_locked_elsewhere: [
    'プロセス {pid} がプールのロックを持っていますが、このデータディレクトリのサーバーではありません。',
    'そのプログラムを終了してください。プールを使えるのは 1 つのサーバーだけです（ps -fp {pid}）。',
  ],
  blocks_shared: ['プール内のコピーはブロックを共有し（{fsType}）、時間も容量も使いません。', null],
  blocks_not_shared: [
    '{fsType} はブロックを共有しないため、プール内のコピーは全バイトを書き込みます。xfs（reflink=1）と btrfs は共有します。',
    null,
  ],
  blocks_unknown: ['{path} に試験用のファイルを書けません（{reason}）。', null],
  guests_enter: ['libvirt のゲストを実行する {user} は {path} に入れます。', null],
  guests_stopped: [
    'libvirt のゲストを実行する {user} が {directory} に入れないため、ゲストはディスクを開けません。',
    'このユーザーが通れるようにしてください: setfacl -m u:{user}:x {directory}',
  ],
  guests_own: ['ゲストはサーバーのユーザーで動き、そのユーザーがプールの所有者です。', null],
  disks_separate: ['プールとデータベースは別のファイルシステムにあります。', null],
  disks_shared: [
    'プールとデータベースが同じファイルシステムにあり、イメージや仮想マシンがデータベースのディスクを埋めることがあります。',
    '--pool に別のディスクのディレクトリを指定してください。',
  ],
};
