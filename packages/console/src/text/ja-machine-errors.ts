import type { ErrorCode } from '@wcc/api';
import type { ErrorText } from './text.ts';

type MachineErrorCode = Extract<
  ErrorCode,
  | `${'hypervisor' | 'vm' | 'user_data'}_${string}`
  | 'firmware_missing'
  | 'not_enough_memory'
  | 'unknown_network'
  | 'secret_gone'
>;

/** Errors of machines. */
export const jaMachineErrors: Record<MachineErrorCode, ErrorText> = {
  hypervisor_missing: {
    message: 'このホストには仮想マシンを動かすソフトウェアがありません。',
    hint: '示されたパッケージをインストールして wcc を再起動してください。イメージの機能はそのまま使えます。',
  },
  hypervisor_unavailable: {
    message: 'ハイパーバイザーが応答しません。',
    hint: 'サービスとログを確認してください。動作中の仮想マシンはそのまま動き続けます。',
  },
  hypervisor_failed: {
    message: 'ハイパーバイザーがエラーを報告しました。',
    hint: '詳細に記された理由を確認してください。',
  },
  firmware_missing: {
    message: 'UEFI ファームウェアがインストールされていません。',
    hint: 'パッケージ ovmf をインストールするか、BIOS を使ってください。',
  },
  vm_name_taken: {
    message: 'この名前の仮想マシンはすでにあります。',
    hint: '別の名前を選んでください。',
  },
  vm_running: {
    message: '仮想マシンは動作中です。',
    hint: '先にシャットダウンしてください。',
  },
  vm_not_running: {
    message: '仮想マシンは動作していません。',
    hint: '先に起動してください。',
  },
  vm_paused: {
    message: 'ゲスト OS が一時停止中かスリープ中のため、電源ボタンが届きません。',
    hint: '起動して再開させてからシャットダウンするか、電源を切ってください。',
  },
  vm_saved: {
    message: '仮想マシンのメモリが保存されています。',
    hint: '起動して復元するか、保存された状態を破棄してください。',
  },
  vm_disk_stopped: {
    message: 'ディスクの問題が続いているため、ゲスト OS が再び停止しました。',
    hint: 'ディスクの空きを作るか修理してから、もう一度起動してください。',
  },
  vm_changed_outside: {
    message: '別のプログラムがハイパーバイザー側でこの仮想マシンを変更しました。',
    hint: '変更を取り込むか、ハイパーバイザー側で元に戻してください。',
  },
  vm_busy: {
    message: 'この仮想マシンは別の処理で使用中です。',
    hint: '処理の終了を待つか、キャンセルしてください。',
  },
  vm_foreign: {
    message: 'この仮想マシンは別のプログラムが作成したため、閲覧のみ可能です。',
    hint: '作成したプログラムで操作してください。',
  },
  not_enough_memory: {
    message: 'このホストには仮想マシンのためのメモリが足りません。',
    hint: 'メモリを減らすか、他の仮想マシンを停止してください。',
  },
  unknown_network: {
    message: 'このホストにそのネットワークはありません。',
    hint: '一覧にあるネットワークか「user」を使ってください。',
  },
  user_data_unknown: {
    message: 'user-data の最初の行を cloud-init が認識できません。',
    hint: '#cloud-config、#!、#include などで始めるか、MIME または base64 にした gzip を使ってください。',
  },
  user_data_ignition: {
    message: 'user-data が Ignition 用のため、cloud-init は無視します。',
    hint: 'cloud-init 入りのイメージを使い、#cloud-config で始まる user-data にしてください。',
  },
  user_data_damaged: {
    message: '圧縮された user-data を展開できません。',
    hint: '1 MiB 以下のテキストを gzip で圧縮し、base64 にしてください。',
  },
  secret_gone: {
    message: '以前の初回起動用の秘密情報はすでに消去されています。',
    hint: '仮想マシンを作り直し、パスワードハッシュと user-data をもう一度入力してください。',
  },
};
