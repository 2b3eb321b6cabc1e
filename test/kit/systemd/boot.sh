#!/bin/bash
# Boots systemd in namespaces of its own, from the directory $HOME_DIR:
#   root       an empty directory, on which the tree is mounted
#   usr, wcc   lie over the host's /usr and over $REPOSITORY; all of it is read-only
#   etc, var   are the /etc and /var of the tree, and stay for the next boot
# $GROUP is an empty cgroup2 group. The script ends with the PID 1 of the tree.
set -eu
if [ "${1:-}" != inside ]; then
  echo $$ >"$GROUP/cgroup.procs"
  exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child --propagation private bash "$0" inside
fi

hostname wcc-boot
root=$HOME_DIR/root
mount -t tmpfs -o mode=755,size=1g tree "$root"
cd "$root"
mkdir usr wcc etc var run tmp dev proc sys root mnt old
for name in bin sbin lib lib64; do
  if [ -L "/$name" ]; then ln -s "usr/$name" "$name"; fi
done
mount -t overlay -o "ro,lowerdir=$HOME_DIR/usr:/usr" usr usr
mount -t overlay -o "ro,lowerdir=$HOME_DIR/wcc:$REPOSITORY" wcc wcc
mount --bind "$HOME_DIR/etc" etc
mount --bind "$HOME_DIR/var" var
chmod 1777 tmp
if [ -n "${NODE_DIR:-}" ]; then
  mkdir -p "node"
  mount --bind "$NODE_DIR" node
  mount -o remount,bind,ro node
fi

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
# Own nodes: the host's /dev would let systemd change the host.
node() { mknod -m "$1" "dev/$2" c "$3" "$4"; }
node 666 null 1 3
node 666 zero 1 5
node 666 full 1 7
node 666 random 1 8
node 666 urandom 1 9
node 666 tty 5 0
if [ -e /dev/kvm ]; then node 660 kvm 10 232; fi
if [ -e /dev/net/tun ]; then mkdir dev/net && node 666 net/tun 10 200; fi
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%%:*}" "dev/${number##*:}"; done
mount -t tmpfs -o mode=755 run run

pivot_root . old
umount -l /old
rmdir /old
exec env -i container=wcc PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --system \
  --unit=multi-user.target --show-status=no --log-target=journal --log-level=notice </dev/null
