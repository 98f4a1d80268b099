#!/bin/busybox sh
# What QEMU's guest starts from: this machine's root, over 9p. The rest is init.py's.
#
# Arguments: the program to go on with, and its own.

fail() {
    echo "minirt: $*" >/dev/console
    exec reboot -f
}

echo "minirt: init" >/dev/console
# Named in full: until /proc is mounted, this shell finds none of its own tools.
/bin/busybox mkdir -p /proc /dev /host
/bin/busybox mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
for module in $(cat /modules/order); do
    insmod "/modules/$module" || fail "cannot load the kernel module $module"
done
# The host does not change these files while the tests run, so what was read once may be kept.
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro host /host ||
    fail "cannot mount the machine's root over 9p"
umount /dev /proc
exec /bin/busybox switch_root /host "$@"
