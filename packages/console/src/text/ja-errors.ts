import type { ErrorCode } from '@wcc/api';
import type { ClientErrorCode } from '@wcc/api/client';
import { jaContentErrors } from './ja-content-errors.ts';
import { jaImportErrors } from './ja-import-errors.ts';
import { jaMachineErrors } from './ja-machine-errors.ts';
import { jaDataDirErrors } from './ja-data-dir-errors.ts';
import type { ErrorText } from './text.ts';

/** The console shows the server's English message, which contains the numbers, as a detail. */
export const jaErrors: Record<ErrorCode | ClientErrorCode, ErrorText> = {
  ...jaContentErrors,
  ...jaMachineErrors,
  ...jaDataDirErrors,
  malformed_request: { message: '要求の形式が正しくありません。', hint: 'ページを再読み込みしてください。' },
  invalid_input: { message: '入力に受け付けられない値があります。', hint: '該当する項目を直してください。' },
  invalid_name: {
    message: 'この名前はイメージに使えません。',
    hint: 'スラッシュ、制御文字、先頭のドットを避け、255 バイト以内にしてください。',
  },
  unsupported_media_type: {
    message: '要求の種類が正しくありません。',
    hint: 'ページを再読み込みしてください。',
  },
  upgrade_required: {
    message: 'このアドレスは WebSocket 専用です。',
    hint: 'サブプロトコル wcc.v1 で接続してください。',
  },
  payload_too_large: { message: '要求が大きすぎます。', hint: '入力を短くしてください。' },
  unauthenticated: { message: 'サインインしていません。', hint: 'サインインしてください。' },
  page_key_missing: {
    message: 'セッションのページキーがありません。Cookie だけではアクセスできません。',
    hint: 'もう一度サインインしてください。プログラムではトークンを使ってください。',
  },
  wrong_credentials: {
    message: 'ユーザー名またはパスワードが違います。',
    hint: '両方を確認してください。ユーザー名は小文字です。',
  },
  link_used: {
    message: 'このサインインリンクは無効になりました。',
    hint: 'wcc を再起動して新しいリンクを使うか、設定済みのパスワードでサインインしてください。',
  },
  forbidden: { message: 'この操作は許可されていません。', hint: '管理者に依頼してください。' },
  foreign_origin: {
    message: '要求に Origin ヘッダーがないか、別のオリジンからの要求です。',
    hint: 'コンソール本来のアドレスを使うか、プロキシの背後では --public-url を設定してください。',
  },
  foreign_host: {
    message: 'このサーバーのものではないホスト名です。',
    hint: '起動時に表示されたアドレスを使うか、--public-url を設定してください。',
  },
  not_found: { message: '存在しないか、閲覧が許可されていません。', hint: '一覧を読み込み直してください。' },
  endpoint_removed: {
    message: 'この API アドレスは新しいバージョンで廃止されました。',
    hint: 'ページを再読み込みしてください。',
  },
  version_mismatch: {
    message: 'このページとサーバーのバージョンが異なります。',
    hint: 'ページを再読み込みしてください。',
  },
  method_not_allowed: {
    message: 'このアドレスでは使えない操作です。',
    hint: 'ページを再読み込みしてください。',
  },
  exists: { message: 'この名前は使われています。', hint: '別の名前を選んでください。' },
  invalid_state: { message: '現在の状態では実行できません。', hint: '状態を確認してください。' },
  last_admin: { message: '最後の管理者は変更できません。', hint: '先に別の管理者を作ってください。' },
  image_unavailable: {
    message: 'このイメージは現在使えません。',
    hint: '状態を確認し、ファイルを戻したら再スキャンしてください。',
  },
  source_in_use: {
    message: '別のプログラムがコピー元を書き込み用に開いています。',
    hint: '使っているマシンやプログラムを止めてから再試行してください。',
  },
  clone_unsupported: {
    message: 'このファイルシステムではブロックを共有できません。',
    hint: '方法を「自動」か「完全コピー」にしてください。',
  },
  idempotency_conflict: { message: '同じキーで別の要求が送られました。', hint: 'もう一度実行してください。' },
  no_space: {
    message: '空き容量が足りません。',
    hint: 'プールの空きを増やすか、小さいイメージを選んでください。',
  },
  no_inodes: {
    message: 'ファイルシステムに空きの inode がなく、これ以上ファイルを作れません。',
    hint: '不要なファイルを削除してください。小さいファイルも 1 つに数えます。',
  },
  quota: {
    message: 'ファイルシステムの割り当てを使い切りました。',
    hint: '割り当てか空きを増やしてください。',
  },
  too_large: {
    message: 'ファイルシステムの上限を超える大きさです。',
    hint: '別のファイルシステムのプールを使ってください。',
  },
  permission: {
    message: 'ファイルシステムがアクセスを拒否しました。',
    hint: 'wcc を動かすユーザーにプールの読み書きを許可してください。',
  },
  read_only: {
    message: 'ファイルシステムが読み取り専用です。',
    hint: 'ディスクを確認し、書き込み可能にマウントし直してください。',
  },
  pool_unavailable: {
    message: 'プールを利用できません。',
    hint: '理由を確認してください。何も書き込んでいません。',
  },
  not_regular: {
    message: '通常のファイルではありません。',
    hint: 'リンク、パイプ、デバイスは対象外です。',
  },
  source_changed: {
    message: 'コピー中にコピー元が変更されました。',
    hint: '書き込みがないときに再試行してください。',
  },
  source_vanished: {
    message: 'コピー元のファイルがありません。',
    hint: '元に戻して再スキャンしてください。',
  },
  resources: {
    message: 'サーバーで開いているファイルが多すぎるか、メモリが足りません。',
    hint: 'もう一度試してください。続く場合は、開けるファイル数の上限（LimitNOFILE）かメモリを増やしてください。',
  },
  busy: {
    message: 'ファイルシステムが使用中でした。',
    hint: 'もう一度試してください。続く場合は、プールのディレクトリをほかに何が使っているか確認してください。',
  },
  io_error: { message: 'ディスクの入出力エラーです。', hint: 'ディスク（dmesg、SMART）を確認してください。' },
  verify_mismatch: {
    message: '読み直したコピーが元と異なるため、公開しませんでした。',
    hint: 'このホストのディスクとメモリを確認してください。',
  },
  length_required: {
    message: 'ファイルサイズがありません。',
    hint: 'Upload-Length でバイト数を送ってください。',
  },
  filename_missing: {
    message: 'アップロードに名前がありません。',
    hint: 'イメージの名前を Upload-Metadata の filename として送ってください。tus クライアントでは metadata です。',
  },
  length_unknown: {
    message: '長さの分からないアップロードは受け付けません。',
    hint: '作成時に Upload-Length を送ってください。',
  },
  extension_unsupported: {
    message: 'サーバーが対応していない tus 拡張を使う要求です。',
    hint: 'クライアントでその拡張を無効にしてください。',
  },
  tus_version: {
    message: 'この tus プロトコルのバージョンには対応していません。',
    hint: 'Tus-Resumable: 1.0.0 を送ってください。',
  },
  quota_exceeded: {
    message: '未完了のアップロードが上限を超えます。',
    hint: '未完了のアップロードを完了するか削除してください。',
  },
  upload_locked: {
    message: 'このアップロードは現在データを受け付けません。',
    hint: '理由を確認し、少し待ってから再試行してください。',
  },
  upload_gone: {
    message: 'このアップロードは終了しています。',
    hint: '新しくアップロードしてください。',
  },
  offset_mismatch: {
    message: '送られたデータの位置が合いません。',
    hint: 'HEAD で位置を確認し、そこから続けてください。',
  },
  checksum_mismatch: {
    message: '届いたデータのチェックサムが一致しません。',
    hint: '同じ位置から送り直してください。',
  },
  wrong_file: {
    message: 'アップロードを始めたファイルと異なります。',
    hint: '同じファイルを選び直すか、新しくアップロードしてください。',
  },
  digest_mismatch: {
    message: '届いたファイルの SHA-256 が一致しないため、残しませんでした。',
    hint: 'ファイルとハッシュ値を確認し、もう一度アップロードしてください。',
  },
  tool_failed: {
    message: 'サーバー上のプログラムが失敗しました。',
    hint: 'サーバーのログで出力を確認してください。',
  },
  base_changed: {
    message: 'ディスクのベースとなるイメージが、ディスクの作成後に変更されました。',
    hint: '元のファイルに戻してください。バックアップから戻したなど内容が同じ場合は、管理者が承認できます。',
  },
  image_in_use: {
    message: 'このイメージは使用中です。',
    hint: '使っている処理の終了を待つか、使っているマシンやイメージを削除してください。',
  },
  precondition_failed: {
    message: 'イメージは要求が指定した状態ではありません。',
    hint: '最初からダウンロードし直してください。',
  },
  range_unsatisfiable: {
    message: '指定された範囲はイメージの末尾を超えています。',
    hint: '存在する範囲を指定してください。',
  },
  image_protected: {
    message: 'テンプレートのため削除できません。',
    hint: '先にテンプレートの印を外してください。',
  },
  image_too_large: {
    message: 'イメージが、このサーバーで受け入れる大きさを超えています。',
    hint: '管理者は --max-virtual-size で上限を上げられます。',
  },
  ...jaImportErrors,
  tool_missing: {
    message: '必要なプログラムがサーバーに入っていません。',
    hint: '示されたパッケージをインストールしてください。',
  },
  server_restarted: {
    message: '終わる前にサーバーが停止しました。作りかけは残っていません。',
    hint: 'もう一度実行してください。',
  },
  publisher_lost: {
    message: 'この処理を報告していたプログラムから連絡がありません。',
    hint: 'そのプログラムを確認し、もう一度実行してください。',
  },
  too_many_watchers: {
    message: '進捗のライブ接続が多すぎます。',
    hint: '表示中のページやプログラムを閉じてください。同時に 16 接続までです。',
  },
  rate_limited: { message: '要求が多すぎます。', hint: 'しばらく待ってから再試行してください。' },
  sign_in_busy: {
    message: 'サーバーが確認中のパスワードが多すぎます。',
    hint: 'しばらく待ってから、もう一度サインインしてください。',
  },
  too_many_tickets: { message: '未使用のチケットが多すぎます。', hint: '30 秒ほど待ってください。' },
  starting: { message: 'サーバーが起動中です。', hint: '少し待ってから再試行してください。' },
  shutting_down: { message: 'サーバーが停止中です。', hint: '少し待ってから再試行してください。' },
  internal: { message: 'サーバーで問題が起きました。', hint: 'サーバーのログを確認してください。' },
  unreachable: {
    message: 'サーバーに接続できません。',
    hint: 'ネットワークを確認してください。サーバー上の処理は続いています。',
  },
  foreign_answer: {
    message: 'サーバーまたは途中のプロキシが {status} を返しました。',
    hint: 'アドレスとプロキシを確認してください。',
  },
  upgrade_blocked: {
    message: 'ブラウザーと wcc の間のプロキシが WebSocket 接続を転送していません。',
    hint: 'docs/proxies.md のとおり、/api 以下のすべてのパスでアップグレードを転送するようにプロキシを設定してください。',
  },
};
