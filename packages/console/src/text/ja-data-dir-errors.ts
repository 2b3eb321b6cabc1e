import type { ErrorCode } from '@wcc/api';
import type { ErrorText } from './text.ts';

type DataDirCode = Extract<ErrorCode, `data_dir_${string}` | `database_${string}`>;

/** Errors of the data directory and of the database in it. */
export const jaDataDirErrors: Record<DataDirCode, ErrorText> = {
  data_dir_unavailable: {
    message: 'wcc のデータディレクトリを利用できません。',
    hint: '--data-dir のディレクトリをマウントするか復元してから、再開してください。',
  },
  database_unavailable: {
    message: 'サーバーの記録を保存できません。',
    hint: 'データディレクトリの空きとディスクを確認してください。',
  },
  database_full: {
    message:
      'データベースのディスクに空きがありません。アクセスの取り消し、処理の停止、削除だけを受け付けます。',
    hint: 'イメージやマシンを削除するか、データディレクトリのディスクに空きを作ってください。',
  },
  database_damaged: {
    message: 'データベースが破損しています。',
    hint: 'wcc を停止し、バックアップからデータベースを復元してください。',
  },
};
