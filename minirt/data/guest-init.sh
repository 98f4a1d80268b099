#!/bin/busybox sh
# The first process of the guest: it mounts the image and does what the host asks.
#
# The host speaks through one virtio-serial port: it sends lines of shell, and is answered with
# `ready RELEASE`, `start` and `end STATUS`. What the command prints goes through a second port,
# so it can neither be confused with these words nor with what the kernel logs.
#
# The image becomes the root of the command only. This process stays in the initramfs: the image
# needs no tools for it, and brings none in.

fail() {
    echo "minirt: $*" >/dev/console
    exec reboot -f
}

tree() { # the file systems that a container has too
    # Named in full: until /proc is mounted, this shell finds none of its own tools.
    /bin/busybox mkdir -p "$1/proc" "$1/sys" "$1/dev"
    /bin/busybox mount -t proc proc "$1/proc"
    mount -t sysfs sysfs "$1/sys"
    mount -t devtmpfs devtmpfs "$1/dev"
    mkdir -p "$1/dev/pts" "$1/dev/shm"
    mount -t devpts devpts "$1/dev/pts"
    mount -t tmpfs tmpfs "$1/dev/shm"
}

# A namespace of its own and not only chroot: a program in a chroot may make no user namespace.
enter='cd /root && mount --move . / && exec chroot . "$@"'

# Looked up here, because this busybox prefers its own tools to the image's. The names are ugly so
# that they are none of the command's environment, which this shell would change.
command=' # DIRECTORY PROGRAM [ARGUMENT...]
cd "$1" || exit 127
unset PWD OLDPWD SHLVL
minirt_name=$2 minirt_file=$2
shift 2
case $minirt_name in
*/*) ;;
*)
    IFS=:
    for minirt_directory in $PATH; do
        minirt_file=${minirt_directory:-.}/$minirt_name
        [ -f "$minirt_file" ] && [ -x "$minirt_file" ] && break
    done
    ;;
esac
[ -e "$minirt_file" ] || { echo "minirt: $minirt_name: not found" >&2; exit 127; }
[ -f "$minirt_file" ] && [ -x "$minirt_file" ] ||
    { echo "minirt: $minirt_name: cannot be executed" >&2; exit 126; }
echo start >&3
exec -a "$minirt_name" "$minirt_file" "$@" 3>&-
'

launch() { # PROGRAM [ARGUMENT...]: run it in the image, report how it ended
    cat /output >&4 3>&- &
    reader=$!
    setsid unshare -m sh -c "$enter" sh "$@" </dev/null >/output 2>&1 4>&-
    echo "end $?" >&3
    # As in a container, where nothing outlives the first process.
    for process in /proc/[0-9]*; do
        process=${process#/proc/}
        [ "$process" = 1 ] || [ "$process" = "$reader" ] || kill -9 "$process"
    done 2>/dev/null
    wait "$reader"
}

echo "minirt: init" >/dev/console
tree ""
for module in $(cat /modules/order); do
    insmod "/modules/$module" || fail "cannot load the kernel module $module"
done
mkdir -p /lower /writable /root
# --8<-- [start:root]
mount -t ext4 -o ro,noload /dev/vda /lower || fail "cannot mount the image"
mount -t tmpfs tmpfs /writable
mkdir /writable/upper /writable/work
mount -t overlay -o lowerdir=/lower,upperdir=/writable/upper,workdir=/writable/work overlay /root ||
    fail "cannot mount the writable layer"
rmdir /root/lost+found 2>/dev/null # made by mke2fs, not by the image
tree /root
# --8<-- [end:root]
mkfifo /output
# A port's node appears some time after its driver has been loaded, and nothing waits for it. Its
# name has the number of the virtio device, which is not the same on every machine.
until set -- /dev/vport*p1 /dev/vport*p2 && [ -c "$1" ] && [ -c "$2" ]; do usleep 1000; done
exec 3<>"$1" 4>"$2"
echo "ready $(uname -r)" >&3
while IFS= read -r request <&3; do
    eval "$request"
done
reboot -f
