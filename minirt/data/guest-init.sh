#!/bin/busybox sh
# The first process of the guest: it mounts the image and does what the host asks.
#
# The host speaks through one virtio-serial port: it sends lines of shell, and is answered with
# `ready RELEASE`, `start CHANNEL` and `end CHANNEL STATUS`. What commands print goes through other
# ports, a channel each, so it can neither be confused with these words nor with what the kernel
# logs.
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

# CHANNEL END COMMAND...: in a mount namespace of its own, and not only chroot: a program in a chroot
# may make no user namespace. One that was stopped before it came here does not begin.
enter='echo 0 >"/jobs/$1/tasks" && [ ! -e "/stopped/$2" ] && shift 2 &&
    cd /root && mount --move . / && exec chroot . "$@"'

# Looked up here, because this busybox prefers its own tools to the image's. The names are ugly so
# that they are none of the command's environment, which this shell would change.
command=' # CHANNEL DIRECTORY PROGRAM [ARGUMENT...]
cd "$2" || exit 127
unset PWD OLDPWD SHLVL
minirt_channel=$1 minirt_name=$3 minirt_file=$3
shift 3
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
echo "start $minirt_channel" >&3
exec -a "$minirt_name" "$minirt_file" "$@" 3>&-
'

launch() { # CHANNEL END INPUT PROGRAM [ARGUMENT...]: run it in the image, report how it ended
    channel=$1 end=$2 input=$3
    shift 3
    exec 2>/dev/null # this shell's, which says how a command was killed
    (exec setsid unshare -m sh -c "$enter" sh "$channel" "$end" "$@") \
        <>"$input" >"/output$channel" 2>&1
    echo "end $channel $?" >&3
    kill_all "$channel" # as in a container, where nothing outlives the first process
    printf %s "$end" >"/output$channel"
}

stop() { # CHANNEL END: end this command, wherever it is
    touch "/stopped/$2"
    kill_all "$1"
}

kill_all() { # CHANNEL: all processes of its command
    # Stopped first: a shell would say that its child was killed, and go on to its next command.
    while read -r process; do
        kill -STOP "$process"
    done <"/jobs/$1/tasks" 2>/dev/null
    while read -r process <"/jobs/$1/tasks"; do
        kill -9 "$process"
    done 2>/dev/null
}

network() { # ADDRESS/PREFIX GATEWAY
    ip link set lo up
    ip address add "$1" dev eth0 && ip link set eth0 up && ip route add default via "$2" ||
        fail "cannot set up the network"
    echo network >&3
}

port() { # NUMBER: the node of a virtio-serial port, once it is there
    # It appears some time after its driver has been loaded, and nothing waits for it. Its name has
    # the number of the virtio device, which is not the same on every machine.
    until set -- "/dev/vport"*"p${1##*p}" && [ -c "$1" ]; do usleep 1000; done
    echo "$1"
}

channel() { # NUMBER: what is written to /outputNUMBER goes through a port of its own
    mkdir "/jobs/$1"
    mkfifo "/output$1"
    # Opened for reading and writing, so that no command's end is the end of the stream.
    cat <>"/output$1" >"$(port $(($1 + 1)))" &
}

echo "minirt: init" >/dev/console
tree ""
for module in $(cat /modules/order); do
    insmod "/modules/$module" || fail "cannot load the kernel module $module"
done
mkdir -p /lower /writable /root
# --8<-- [start:root]
mount -t "$(cat /format)" -o ro /dev/vda /lower || fail "cannot mount the image"
mount -t tmpfs tmpfs /writable
mkdir /writable/upper /writable/work
mount -t overlay -o lowerdir=/lower,upperdir=/writable/upper,workdir=/writable/work overlay /root ||
    fail "cannot mount the writable layer"
rmdir /root/lost+found 2>/dev/null # made by mke2fs, not by the image
tree /root
# --8<-- [end:root]
# Which process belongs to which command: a hierarchy without controllers, for whose version 1 a
# process joins without waiting for a grace period of RCU (cgroup-v1/cgroups.rst).
mkdir /jobs /stopped
mkfifo /open # a standard input that does not end
mount -t cgroup -o none,name=minirt cgroup /jobs || fail "cannot mount a cgroup hierarchy"
for number in $(seq "$channels"); do # a parameter of the kernel's, which it hands on
    channel "$number"
done
exec 3<>"$(port 1)"
echo "ready $(uname -r)" >&3
while IFS= read -r request <&3; do
    eval "$request"
done
reboot -f
