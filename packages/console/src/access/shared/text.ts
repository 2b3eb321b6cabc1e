import { createCatalogue } from '../../text/catalogue.ts';
import type { Catalogue } from '../../text/catalogue.ts';

export interface SharedText {
  title: string;
  lead: string;
  loading: string;
  over: string;
  overHint: string;
  noSecret: string;
  noSecretHint: string;
  gone: string;
  goneHint: string;
  unreachable: string;
  lost: (ago: string) => string;
  tooManyWindows: string;
  otherVersion: string;
  retryNow: string;
  reload: string;
  backAgain: string;
}

/** The page of a share link loads only these texts. */
export const sharedTextOf: Catalogue<SharedText> = createCatalogue({
  en: {
    title: 'Shared operation',
    lead: 'The progress of this operation is shared with you.',
    loading: 'Loading…',
    over: 'This link is no longer valid',
    overHint: 'It has expired or was revoked. Ask the sender for a new link.',
    noSecret: 'Open the link again',
    noSecretHint: 'This address is incomplete. Use the complete link that you received.',
    gone: 'Operation not found',
    goneHint: 'The server no longer knows this operation.',
    unreachable: 'The server cannot be reached. This page reconnects automatically.',
    lost: (ago) => `Connection lost ${ago} ago. Showing the last known state; work on the server continues.`,
    tooManyWindows: 'This link is open in too many places. Close some, then try again.',
    otherVersion: 'The server was updated. Reload this page to continue.',
    retryNow: 'Retry now',
    reload: 'Reload',
    backAgain: 'Connected again.',
  },
  ja: {
    title: '共有された処理',
    lead: 'この処理の進捗が共有されています。',
    loading: '読み込み中…',
    over: 'このリンクは無効になりました',
    overHint: '期限が切れたか、取り消されました。送信者に新しいリンクを依頼してください。',
    noSecret: 'リンクをもう一度開いてください',
    noSecretHint: 'このアドレスは不完全です。受け取ったリンク全体を開いてください。',
    gone: '処理が見つかりません',
    goneHint: 'サーバーはこの処理を把握していません。',
    unreachable: 'サーバーに接続できません。このページは自動で再接続します。',
    lost: (ago) =>
      `${ago}前に接続が切れました。最後に確認した状態を表示しています。サーバー上の処理は続いています。`,
    tooManyWindows: 'このリンクは多くの場所で開かれています。いくつか閉じてから再接続してください。',
    otherVersion: 'サーバーが更新されました。再読み込みしてください。',
    retryNow: '今すぐ再接続',
    reload: '再読み込み',
    backAgain: '再び接続しました。',
  },
});
