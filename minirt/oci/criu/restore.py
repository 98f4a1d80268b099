"""Restore: a container whose processes come from files.

What `create` prepares on the host is prepared; then criu makes the namespaces, the mounts and the
processes. It runs in a mount namespace of its own, where the root is a mount point as it wants it,
and in the container's cgroups, where they are born.
"""

from __future__ import annotations

import os

from minirt import plan as plans
from minirt import state as states
from minirt.engine.create import planned
from minirt.engine.destroy import destroy
from minirt.engine.phases import perform
from minirt.errors import ConfigError, MinirtError
from minirt.linux import command, mount
from minirt.linux.cgroup_members import signal_all
from minirt.linux.clone import clone3
from minirt.linux.ending import wait
from minirt.linux.files import make_directories, make_file
from minirt.linux.namespaces import CLONE_NEWNS, unshare
from minirt.linux.process import (
    SIGKILL,
    close_range,
    default_signals,
    ignored_realtime,
    pidfd_open,
    pidfd_send_signal,
    start_time,
)
from minirt.oci.criu import outside, program
from minirt.state import RUNNING
from minirt.wire import pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from minirt.engine.container import Container
    from minirt.oci.call import Call
    from minirt.oci.criu.outside import Outside
    from minirt.state import State
    from minirt.wire import Channel

LOG = "restore.log"
# What is made on the host for a container, and not by its processes.
ON_THE_HOST = ("scope", "cgroup", "device_rules", "mounts")


def restore(call: Call, state: State) -> Container:
    """The container of `state`, which is new and locked, its program running again."""
    try:
        container = planned(state, call.recorder)
    except BaseException:
        states.remove(state)
        state.unlock()
        raise
    container.ctx.warn = call.log.warn
    try:
        state.save()
        _restore(call, container)
    except BaseException as error:
        signal_all(state.cgroups(), SIGKILL)  # what criu had made so far
        destroy(container, error)
        raise
    return container


def _restore(call: Call, container: Container) -> None:
    state, spec = container.state, container.spec
    if spec.process.terminal or not spec.rootfs:
        what = "a container with a terminal, or without a root, cannot be restored"
        raise ConfigError(what, pointer="/process/terminal")
    if set(spec.hooks) - {"poststop"}:
        container.ctx.warn("hooks are not run when a container is restored, but for poststop")
    path = program.find(call)
    images, work = program.directories(call)
    found = outside.load(images)
    program.make_directory(work, "--work-path")
    for mechanism in container.plan:
        if mechanism.name in ON_THE_HOST:
            perform(mechanism, "prepare", container.ctx)
    opened: list[int] = []
    joined = plans.namespaces(container.plan, spec)
    argv = [path, *options(call, state), *found.restored(spec), *outside.joining(joined, opened)]
    try:
        status = _run(container, argv, found, opened)
    finally:
        for fd in opened:
            os.close(fd)
    if status:
        what = f"cannot restore container {state.id}: {path} ended with status {status}"
        raise program.failure(what, f"{work}/{LOG}")
    _adopt(container)


def options(call: Call, state: State) -> Iterator[str]:
    yield from ("restore", "--log-file", LOG, *program.common(call))
    yield from ("--root", _root(state), "--pidfile", _pid_file(state))
    # A child of ours, whose parent will be whoever takes care of our children.
    yield from ("--restore-detached", "--restore-sibling", "--evasive-devices")


def _root(state: State) -> str:
    return f"{state.directory}/criu-root"


def _pid_file(state: State) -> str:
    return f"{state.directory}/criu-pid"


def _run(container: Container, argv: list[str], found: Outside, inherited: list[int]) -> int:
    """Run criu to its end; its status."""
    os.mkdir(_root(container.state), 0o700)
    ours, theirs = pair()
    pid, pidfd = clone3(0, cgroup_fd=container.ctx.cgroup_fd)
    if pid == 0:
        ours.close()
        close_range(3, cloexec=True)  # an engine may have left some open
        for fd in inherited:
            os.set_inheritable(fd, True)  # noqa: FBT003  (its signature)
        _become(container, argv, found, theirs)
    theirs.close()
    try:
        ours.receive()  # an error, or the end of the stream: it executes
        return wait(pidfd)
    except KeyboardInterrupt:
        pidfd_send_signal(pidfd, SIGKILL)
        raise
    finally:
        ours.close()
        os.close(pidfd)


def _become(container: Container, argv: list[str], found: Outside, host: Channel) -> NoReturn:
    """Criu, where it finds what it needs."""
    try:
        default_signals(ignored_realtime())
        for mechanism in container.plan:
            if mechanism.name in ("scope", "cgroup"):
                perform(mechanism, "enter", container.ctx)
        unshare(CLONE_NEWNS)
        mount.mount("", "/", flags=mount.MS_REC | mount.MS_SLAVE)
        root = _root(container.state)
        mount.mount(container.spec.rootfs, root, flags=mount.MS_BIND | mount.MS_REC)
        make_points(root, found)
        own = [word for name in own_cgroups() for word in ("--cgroup-root", name)]
        os.execve(argv[0], [*argv, *own], {"PATH": command.PATH})
    except MinirtError as error:
        host.send_error(error)
    except OSError as error:
        host.send_error(MinirtError(f"cannot run {argv[0]}: {error.strerror}"))
    finally:
        os._exit(125)


def make_points(root: str, found: Outside) -> None:
    """The mount points on the root itself: it may be a fresh one."""
    top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for point in found.points:
        if not any(point.path.startswith(f"{other.path}/") for other in found.points):
            maker = make_directories if point.directory else make_file
            os.close(maker(top, point.path))
    os.close(top)


def own_cgroups() -> Iterator[str]:
    """This process's cgroups, as criu's --cgroup-root wants them."""
    with open("/proc/self/cgroup", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            yield f"{controllers}:{path}" if controllers else path


def _adopt(container: Container) -> None:
    """Make the restored init this container's."""
    state, ctx = container.state, container.ctx
    with open(_pid_file(state), encoding="ascii") as file:
        ctx.pid = int(file.read())
    ctx.pidfd = pidfd_open(ctx.pid)
    state.pid, state.start_time = ctx.pid, start_time(ctx.pid)
    state.status = RUNNING
    state.save()
    for mechanism in container.plan:
        if mechanism.name == "scope":
            perform(mechanism, "started", ctx)
