/**
 * Makes a new machine-id, once for each instance, when the disk was another instance before. Two machines with one
 * machine-id get one DHCP lease, because systemd-networkd makes its client id from it. Does nothing on a disk that
 * boots for the first time, and without systemd.
 */
const script = `
[ "$(ls /var/lib/cloud/instances 2>/dev/null | wc -l)" -gt 1 ] || exit 0
mark=/var/lib/cloud/instance/sem/wcc_machine_id
[ ! -e "$mark" ] && command -v systemd-machine-id-setup >/dev/null || exit 0
rm -f /etc/machine-id
[ -L /var/lib/dbus/machine-id ] || rm -f /var/lib/dbus/machine-id
systemd-machine-id-setup || exit 0
: >"$mark"
systemctl try-restart systemd-networkd >/dev/null 2>&1 || :
`;

/** A command for `bootcmd` of cloud-init, which runs it at every boot. */
export const newMachineId: readonly string[] = ['sh', '-c', script.trim()];
