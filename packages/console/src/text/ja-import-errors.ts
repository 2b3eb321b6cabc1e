import type { ErrorText } from './text.ts';

type ImportCode =
  'import_refused' | 'import_scheme' | 'import_credentials' | 'import_sign_in' | 'import_failed';

/** Errors of imports from other servers, in Japanese. */
export const jaImportErrors: Record<ImportCode, ErrorText> = {
  import_refused: {
    message: 'このアドレスからは取得できません。',
    hint: '公開された http または https のアドレスを使ってください。管理者は --import-allow で許可できます。',
  },
  import_scheme: {
    message: '取り込めるのは http または https のアドレスだけです。',
    hint: '別のプログラムでファイルをダウンロードしてから、アップロードしてください。',
  },
  import_credentials: {
    message: 'アドレスにユーザー名またはパスワードが含まれています。wcc はこれらを保存しません。',
    hint: '署名付きリンクなど、これらを含まないアドレスを使うか、自分でダウンロードしてアップロードしてください。',
  },
  import_sign_in: {
    message: '相手のサーバーがサインインを求めているか、リンクの期限が切れています。',
    hint: '新しい署名付きリンクなど、サインインの要らないアドレスを使うか、自分でダウンロードしてアップロードしてください。',
  },
  import_failed: {
    message: '相手のサーバーからファイルを取得できませんでした。',
    hint: 'アドレスをブラウザーで確認し、後でもう一度試してください。',
  },
};
