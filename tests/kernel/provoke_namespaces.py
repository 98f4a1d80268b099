"""Failures of making and joining namespaces."""

from __future__ import annotations

import os
import resource

from provoke import (
    in_namespaces,
    ordinary_user,
    provokes,
)

from minirt.linux import caps
from minirt.linux.clone import clone3
from minirt.linux.ending import wait
from minirt.linux.namespaces import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    open_namespace,
    setns,
    unshare,
)
from minirt.linux.seccomp import fprog, load
from minirt.seccomp.compiler import compile_profile
from minirt.seccomp.profile import default


@provokes("clone3", "EPERM")
def make_a_namespace_as_an_ordinary_user() -> None:
    ordinary_user()
    clone3(CLONE_NEWUTS)


@provokes("clone3", "EPERM", "CLONE_NEWUSER")
def make_a_user_namespace_in_a_chroot() -> None:
    os.chroot("/usr")
    clone3(CLONE_NEWUSER)


@provokes("clone3", "EPERM", "CLONE_NEWUSER")
def make_a_user_namespace_under_a_containers_filter() -> None:
    load(fprog(compile_profile(default(()))))
    clone3(CLONE_NEWUSER)


def _limit_namespaces(kind: str) -> None:
    # In binary: as another user, this process may not be able to import an encoding any more.
    with open(f"/proc/sys/user/max_{kind}_namespaces", "wb") as limit:
        limit.write(b"0")


@provokes("clone3", "ENOSPC")
def make_a_user_namespace_beyond_the_limit() -> None:
    def inside() -> None:
        os.setresuid(0, 0, 0)
        _limit_namespaces("user")
        clone3(CLONE_NEWUSER)

    in_namespaces(CLONE_NEWUSER, inside)


@provokes("unshare", "ENOSPC")
def unshare_beyond_the_limit() -> None:
    def inside() -> None:
        os.setresuid(0, 0, 0)
        _limit_namespaces("uts")
        unshare(CLONE_NEWUTS)

    in_namespaces(CLONE_NEWUSER, inside)


@provokes("clone3", "EAGAIN")
def fork_beyond_the_limit() -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    caps.drop_bounding(0)
    ordinary_user()
    clone3(0)


@provokes("clone3", "ENOMEM")
def be_born_in_a_dead_pid_namespace() -> None:
    pid, pidfd = clone3(CLONE_NEWPID)
    if pid == 0:
        os._exit(0)
    namespace = open_namespace(f"/proc/{pid}/ns/pid")
    wait(pidfd)
    setns(namespace)
    clone3(0)


@provokes("unshare", "EPERM")
def unshare_as_an_ordinary_user() -> None:
    ordinary_user()
    unshare(CLONE_NEWIPC)


@provokes("setns", "EPERM")
def join_as_an_ordinary_user() -> None:
    ordinary_user()
    setns(open_namespace("/proc/self/ns/uts"))


@provokes("setns", "EINVAL")
def join_another_kind_of_namespace() -> None:
    setns(open_namespace("/proc/self/ns/uts"), CLONE_NEWNET)


@provokes("setns", "EINVAL")
def join_the_own_user_namespace() -> None:
    setns(open_namespace("/proc/self/ns/user"), CLONE_NEWUSER)


@provokes("open", "ENOENT", "/ns/")
def join_a_dead_process() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    open_namespace(f"/proc/{pid}/ns/net")
