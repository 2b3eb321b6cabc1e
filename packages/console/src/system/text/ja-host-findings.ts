import type { DoctorFindingTexts, HostCode } from './text.ts';

/** Results of checks of settings, kernel, hypervisor, clock and certificate. */
export const jaHostFindings: DoctorFindingTexts<HostCode> = {
  check_broken: ['確認そのものが失敗しました: {reason}', 'wcc の不具合として報告してください。'],
  check_slow: [
    '{limitMs} たっても結果がありません。',
    'ディスク、ネットワークファイルシステム、プログラムのいずれかが応答していない可能性があります。dmesg と状態 D のプロセスを確認してください。',
  ],
  settings_valid: ['設定は正しいです。', null],
  settings_invalid: ['サーバーを起動できません（{code}）: {reason}', '対処: {hint}'],
  server_running: ['サーバーはプロセス {pid}、ユーザー {user} で動いています。', null],
  server_stopped: [
    'データディレクトリを使うサーバーはありません。ユーザー {user} として確認しました。',
    null,
  ],
  kernel_ready: ['Linux {release}。試した方法: {method}。ファイルを誤って置き換えることはありません。', null],
  kernel_old: [
    'Linux {release} は {needed} より古いです。',
    'カーネルを更新してください。それまで、ファイルシステム間のコピーは全バイトを読み書きします。',
  ],
  kernel_calls_missing: [
    'wcc はカーネルを直接呼び出せません: {reason}。',
    '任意パッケージ（koffi）を含めて wcc を入れ直してください。それまでコピーは遅く、データディレクトリとプールはロックで守られません。',
  ],
  kernel_calls_refused: [
    'Linux {release} は wcc が使うカーネル呼び出しを拒否します: {calls}。',
    'コンテナーや seccomp の制限かもしれません。copy_file_range と renameat2 を許可してください。',
  ],
  programs_ready: ['すべてインストールされています: {programs}。', null],
  programs_missing: [
    'インストールされていません: {programs}。',
    'インストールしてください: apt install {packages}',
  ],
  memory_enough: ['{totalBytes} のうち {availableBytes} が使えます。', null],
  memory_low: [
    '{totalBytes} のうち {availableBytes} しか使えません。',
    '仮想マシンやほかのプログラムを停止するか、メモリを増やしてください。足りなくなると、カーネルがプログラムを終了させます。',
  ],
  open_files_enough: ['同時に開けるファイル数: {limit}', null],
  open_files_low: [
    '同時に開けるファイルは {limit} 個だけです。サーバーには {needed} 個が目安です。',
    'サービスのユニットに LimitNOFILE={needed} を設定するか、wcc serve の前に ulimit -n {needed} を実行してください。',
  ],
  kvm_boots: ['試験用のゲストが KVM で {bootMs} で起動しました。', null],
  kvm_no_processor: [
    'プロセッサーが仮想化に対応していないため、仮想マシンはエミュレーションで動き、遅くなります。',
    'ホストのファームウェアで Intel VT-x か AMD-V を有効にしてください。仮想ホストではネストした仮想化を有効にしてください。',
  ],
  kvm_no_device: [
    '{device} がないため、仮想マシンはエミュレーションで動き、遅くなります。',
    'モジュールを読み込んでください: modprobe kvm_intel または modprobe kvm_amd。コンテナーではデバイスを渡してください。',
  ],
  kvm_denied: [
    '{user} は {device} を開けないため、仮想マシンはエミュレーションで動き、遅くなります。',
    'デバイスのグループにユーザーを加え、サーバーを再起動してください: usermod -aG kvm {user}',
  ],
  kvm_broken: [
    '{device} はありますが、ゲストが起動しません: {reason}',
    '仮想ホストではネストした仮想化を確認し、dmesg の kvm のメッセージを見てください。',
  ],
  needs_qemu: ['QEMU がインストールされていません。', null],
  qemu_ready: ['QEMU {version}、qemu-img {imageVersion}。', null],
  qemu_missing: [
    'インストールされていません: {programs}。仮想マシンを動かせないか、イメージを読めません。',
    'インストールしてください: apt install {packages}',
  ],
  qemu_broken: [
    '{program} が起動しません: {reason}',
    'パッケージを入れ直してください: apt install --reinstall {packages}',
  ],
  qemu_old: ['QEMU {version} は、wcc で試験した {needed} より古いです。', 'QEMU を更新してください。'],
  uefi_ready: ['ファイル: {path}', null],
  uefi_missing: [
    'UEFI ファームウェアがないため、仮想マシンは BIOS だけを使えます。',
    'インストールしてください: apt install ovmf',
  ],
  libvirt_ready: ['{uri} は応答しています: libvirt {version}。', null],
  libvirt_unused: ['このサーバーは libvirt を使いません。', null],
  libvirt_missing: [
    'サーバーは libvirt を使う設定ですが、virsh がインストールされていません。',
    'インストールしてください: apt install {packages}。または --hypervisor qemu を指定してください。',
  ],
  libvirt_unreachable: [
    '{uri} が応答しません: {reason}',
    'libvirt を起動し（systemctl enable --now libvirtd）、{user} をグループ libvirt に加えてください。または --hypervisor qemu を指定してください。',
  ],
  apparmor_on: ['AppArmor が libvirt のゲストを隔離しています。', null],
  apparmor_off: [
    'AppArmor が無効なため、libvirt のゲストとホストを隔てるのはユーザーだけです。',
    'AppArmor を有効にするか（apt install apparmor、カーネル引数 apparmor=1）、SELinux を使ってください。',
  ],
  apparmor_no_profile: [
    'AppArmor は有効ですが、libvirt のプロファイルがありません。',
    'パッケージ apparmor をインストールし、libvirt を再起動してください: systemctl restart libvirtd',
  ],
  apparmor_disabled: [
    'libvirt はゲストを隔離していません。{file} に security_driver = "none" があります。',
    '{file} からその行を削除し、libvirt を再起動してください。',
  ],
  apparmor_session: [
    'AppArmor が隔離するのは qemu:///system のゲストだけです。ここのゲストは {user} で動きます。',
    null,
  ],
  apparmor_unknown: [
    'AppArmor のプロファイルを見られるのは root だけです。',
    'root で wcc doctor を実行してください。',
  ],
  clock_synchronised: ['時計は同期されています（{source}）。', null],
  clock_unsynchronised: [
    '時計が同期されていません（{source}）。',
    '時刻の同期を有効にしてください: timedatectl set-ntp true、または chrony をインストールしてください。',
  ],
  clock_behind: [
    '時計が遅れています。監査ログの最新の行は {newest} ですが、今は {now} です。',
    '時計を合わせてから同期してください: timedatectl set-ntp true',
  ],
  clock_unknown: [
    '時計が同期されているかどうかを知るプログラムがありません。',
    'systemd-timesyncd か chrony をインストールしてください。',
  ],
  certificate_valid: ['{endsOn} まで有効です。名前: {names}', null],
  certificate_ends_soon: [
    '{endsOn} に期限が切れます。',
    '更新してください。サーバーは変わったファイルを自動で読み直します。wcc が作った証明書の場合は、ログで更新の記録を確認してください。',
  ],
  certificate_ended: [
    '{endsOn} に期限が切れました。ブラウザーは接続を拒否します。',
    '更新してください。サーバーは変わったファイルを自動で読み直します。wcc が作った証明書の場合は、ログで更新の記録を確認してください。',
  ],
  certificate_early: [
    '{beginsOn} から有効です。まだ使えません。',
    'このホストの時計を確認するか、別の証明書を使ってください。',
  ],
  certificate_other_key: [
    '--tls-key の鍵は --tls-cert の証明書のものではありません。',
    '両方に同じ証明書のファイルを指定してください。',
  ],
  certificate_other_name: [
    '証明書の名前は {names} で、{host} ではありません。',
    '{host} の証明書を入手するか、--public-url に証明書の名前を指定してください。',
  ],
  certificate_broken: ['証明書を読めません: {reason}', 'PEM 形式の証明書チェーンを使ってください。'],
  certificate_new: ['サーバーの次の起動で証明書が作成されます。', null],
  certificate_unknown: ['設定が正しくないため、証明書がわかりません。', null],
  certificate_proxy: ['証明書はサーバーの前にあるプロキシが持っています。', null],
  certificate_none: ['サーバーはこのホストの中だけで、TLS なしで待ち受けています。', null],
};
