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

/** The only texts that the page of a share link loads. */
export const sharedTextOf: Catalogue<SharedText> = createCatalogue({
  en: {
    title: 'Shared operation',
    lead: 'Somebody shares the progress of this operation with you.',
    loading: 'Loading…',
    over: 'This link is not valid any more',
    overHint: 'It has expired or was revoked. Ask whoever sent it for a new one.',
    noSecret: 'Open the link again',
    noSecretHint: 'This address alone shows nothing: use the whole link that you were sent.',
    gone: 'There is nothing to show any more',
    goneHint: 'The server no longer knows this operation.',
    unreachable: 'The server cannot be reached. This page tries again by itself.',
    lost: (ago) => `Connection lost ${ago} ago. Showing the last known state; work on the server goes on.`,
    tooManyWindows: 'This link is open in too many places. Close some, then try again.',
    otherVersion: 'The server was updated. Reload to go on.',
    retryNow: 'Try now',
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
    noSecretHint: 'このアドレスだけでは表示できません。受け取ったリンク全体を開いてください。',
    gone: '表示できるものがありません',
    goneHint: 'サーバーはこの処理を把握していません。',
    unreachable: 'サーバーに接続できません。このページは自動で再試行します。',
    lost: (ago) =>
      `${ago}前に接続が切れました。最後に確認した状態を表示しています。サーバー上の処理は続いています。`,
    tooManyWindows: 'このリンクは多くの場所で開かれています。いくつか閉じてから再接続してください。',
    otherVersion: 'サーバーが更新されました。再読み込みしてください。',
    retryNow: '今すぐ再接続',
    reload: '再読み込み',
    backAgain: '再び接続しました。',
  },
});
