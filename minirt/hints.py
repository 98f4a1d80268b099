"""What to try when a system call fails: one table, keyed by call, errno and where it matters.

A wrong hint is worse than none. So tests/kernel/test_hints.py provokes every row for real, and
a failure that could not be provoked has none.
"""

from __future__ import annotations

import os
import sys

from minirt.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.errors import MinirtError

STATE = "set MINIRT_STATE to a directory on"
UNMAPPED = "the user namespace does not map it: give --userns a wider range, or choose another id"
LIMITS = (
    "the limit of namespaces is reached (0 forbids them): see sysctl user.max_user_namespaces, "
    "and user.max_*_namespaces for the others"
)
NO_USER_NAMESPACES = (
    "user namespaces are off here: in a chroot (enter the tree by pivot_root), by a seccomp "
    "filter around us, or by sysctl kernel.unprivileged_userns_clone=0; {root}"
)
OUTER_PROC = (
    "an outer container hides parts of /proc, or the user namespace has no pid namespace of its "
    "own: make both, and start the outer one with its /proc unmasked (docker: --privileged)"
)

# (call, errno) or (call, errno, detail): the detail is a mechanism's name or a word of the
# call. The most exact row wins; "" stands for any call.
ROWS: dict[tuple[str, ...], str] = {
    ("clone3", "EPERM"): "{root}",
    ("clone3", "EPERM", "CLONE_NEWUSER"): NO_USER_NAMESPACES,
    ("clone3", "ENOSPC"): LIMITS,
    ("clone3", "EAGAIN"): "too many processes: see ulimit -u, and pids.max of the cgroup",
    ("clone3", "ENOMEM"): (
        "the pid namespace to join has lost its process 1, and nothing can be born in it any "
        "more: join that of a living container"
    ),
    ("unshare", "EPERM"): "{root}",
    ("unshare", "ENOSPC"): LIMITS,
    ("setns", "EPERM"): "{root}",
    ("setns", "EINVAL"): (
        "the path names another kind of namespace than its entry says, or the user namespace "
        "that minirt is in already"
    ),
    ("open", "ENOENT", "/ns/"): "the process whose namespace this is has ended",
    ("write", "EPERM", "uid_map"): (
        "an ordinary user may map only their own id, and a container's root only the ids that "
        "container has; Ubuntu 23.10 and later restrict all of it by "
        "kernel.apparmor_restrict_unprivileged_userns=1; {root}"
    ),
    ("write", "EPERM", "gid_map"): (
        "an ordinary user may map only their own group, and a container's root only the groups "
        "that container has"
    ),
    ("write", "EINVAL", "_map"): "the ranges of a map must not overlap: check the id mappings",
    ("setresuid", "EINVAL"): UNMAPPED,
    ("setresgid", "EINVAL"): UNMAPPED,
    ("setgroups", "EINVAL"): UNMAPPED,
    ("setgroups", "EPERM"): (
        "a user namespace of an ordinary user has no supplementary groups: leave them out, or "
        "run minirt as root"
    ),
    ("mount", "EPERM"): "{root}",
    ("mount", "EINVAL", "MS_PRIVATE"): (
        "/ is no mount point: minirt runs in a plain chroot. Enter that tree by pivot_root, or "
        "by unshare --root"
    ),
    ("fsopen", "EPERM"): "{root}",
    ("fsopen", "ENODEV"): "this kernel has no such file system: try modprobe with its name",
    ("open_tree", "EPERM"): "{root}",
    ("open_tree", "ENOENT", "/dev/"): (
        "the container's devices are the host's, which lacks this one: mount a devtmpfs on /dev"
    ),
    ("fsmount", "EPERM", "proc"): OUTER_PROC,
    ("fsconfig", "EPERM", "proc"): OUTER_PROC,
    ("fsconfig", "EINVAL", "overlay"): (
        "the writable layer must lie on a file system that overlayfs can use, such as ext4, xfs, "
        f"btrfs or tmpfs, but not another overlay, NFS or a Windows drive: {STATE} one"
    ),
    ("mount_setattr", "EINVAL", "MOUNT_ATTR_IDMAP"): (
        "the image's file system cannot map ids (ext4, xfs and btrfs can, tmpfs since Linux "
        "6.3): keep the cache on one that can, or leave --userns out"
    ),
    ("pivot_root", "EBUSY"): "the new root is no mount point: bind-mount it onto itself first",
    ("pivot_root", "EINVAL"): (
        "the mounts are shared with others: make them private first (mount --make-rprivate /); "
        "an initramfs cannot be left by pivot_root at all"
    ),
    ("capset", "EPERM"): "inheritable capabilities must be in the bounding set as well",
    ("prctl", "EPERM", "PR_CAPBSET_DROP"): (
        "shrinking the bounding set needs CAP_SETPCAP, which minirt does not have here"
    ),
    ("prlimit64", "EPERM"): (
        "raising a hard limit needs CAP_SYS_RESOURCE on the host, which minirt does not have "
        "here; RLIMIT_NOFILE cannot exceed sysctl fs.nr_open either. Ask for less"
    ),
    ("seccomp", "EACCES"): (
        "without no_new_privs only CAP_SYS_ADMIN may load a filter: set noNewPrivileges"
    ),
    ("seccomp", "EINVAL"): (
        "the kernel does not take the filter: it lacks CONFIG_SECCOMP_FILTER, or a program in "
        "minirt's cache is not what it should be: remove the cache; or use --seccomp unconfined"
    ),
    ("", "ENOSPC"): f"the file system is full: make room, or {STATE} another one",
    ("", "ENOSYS"): (
        "minirt needs Linux 5.12 or later; inside a container its seccomp filter may hide the "
        "call: start that one with --security-opt seccomp=unconfined"
    ),
}


def hint_for(error: MinirtError) -> str:
    """What to try about a failed system call; "" where nothing is known to help."""
    if not isinstance(error, KernelError):
        return ""
    call, name = error.call.partition("(")[0], error.errno_name()
    for key, text in ROWS.items():
        exact = len(key) == 3 and (key[2] == error.mechanism or key[2] in error.call)
        if key[:2] == (call, name) and exact:
            return _filled(text)
    return _filled(ROWS.get((call, name)) or ROWS.get(("", name), ""))


def _filled(text: str) -> str:
    return text.replace("{root}", _as_root()) if "{root}" in text else text


def _as_root() -> str:
    """How this very command gets the rights that it lacks."""
    if os.geteuid() == 0:
        return (
            "this root lacks CAP_SYS_ADMIN: inside another container, start that one with more "
            "rights (docker: --privileged), or use a virtual machine"
        )
    from shlex import join  # imports re: only after a failure

    return f"as root: sudo {join([sys.executable, *sys.orig_argv[1:]])}"
