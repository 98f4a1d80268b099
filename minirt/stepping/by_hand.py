"""--by-hand: a plan as a shell script, with the tools of util-linux, iproute2 and nftables.

The script holds the same conversation as the engine: init waits at a named pipe until the host
has attached what must come from outside.
"""

from __future__ import annotations

import os

from minirt import plan as plans
from minirt.errors import ConfigError
from minirt.linux.command import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from minirt.mechanism import Mechanism
    from minirt.plan import Plan
    from minirt.spec import Spec

# unshare(1) makes these; the cgroup namespace is made inside, after joining the cgroup.
OPTIONS = {
    "user": "--user", "pid": "--pid --fork --kill-child", "ipc": "--ipc", "uts": "--uts",
    "net": "--net", "mnt": "--mount --propagation unchanged",
}  # fmt: skip
CGROUP_NAMESPACE = "cgroup_ns"
PRIVILEGES = "bounding_set"


def script(spec: Spec, plan: Plan) -> str:
    """The script, for sh; it runs as the user that it was written for."""
    names = {mechanism.name for mechanism in plan}
    if "user" in names and os.geteuid() == 0:
        raise ConfigError(
            "cannot be done by hand: mount(8) maps the owners of layers from version 2.39 on",
            pointer="--userns",
            hint="leave out --userns, or see what --plan says",
        )
    options = [OPTIONS[name] for name in plans.namespaces(plan, spec) if name in OPTIONS]
    fork = "--fork" in " ".join(options)
    # setpriv(1) is the host's program, so it must start before the host's files are gone.
    inside = [m for m in plan if m.name != "pivot" or PRIVILEGES not in names]
    return "\n".join(
        (
            *_differences(names),
            "set -e",
            "dir=$(mktemp -d)",
            "export dir",
            "privs=",
            'mkfifo "$dir/born" "$dir/go"',
            "cat > \"$dir/inside\" <<'INSIDE'",
            "set -e",
            *_inside([m for m in inside if not m.by_hand_on_host]),
            f"exec {_execute(spec, names)}",
            "INSIDE",
            "exec 3<&0",
            f'unshare {" ".join(options)} sh "$dir/inside" <&3 &',
            'read -r _ < "$dir/born"',
            # Whatever fails from here on, nothing stays: neither init nor what was made.
            "undo() {",
            "kill $! 2>/dev/null || true",
            *(f"{line} 2>/dev/null || true" for m in reversed(plan) for line in m.undo_by_hand()),
            'rm -rf "$dir"',
            "}",
            "trap undo EXIT",
            "PID=$(tr -d ' ' < /proc/$!/task/$!/children)" if fork else "PID=$!",
            *_lines(m for m in plan if m.by_hand_on_host),
            'echo > "$dir/go"',
            "status=0; wait $! || status=$?",
            "exit $status",
        )
    )


def _differences(names: Iterable[str]) -> Iterable[str]:
    """What the script cannot do as minirt does it, for its first lines."""
    if PRIVILEGES in names:
        yield "# Not as minirt does it: chroot is in the place of pivot_root, since setpriv(1) is a"
        yield "# program of the host; and before util-linux 2.41 there is no seccomp filter."


def _inside(plan: Sequence[Mechanism]) -> Iterable[str]:
    """What init does. unshare(1) makes the cgroup namespace, so there the script starts anew."""
    wait = 'echo > "$dir/born"; read -r _ < "$dir/go"'
    names = [mechanism.name for mechanism in plan]
    split = names.index(CGROUP_NAMESPACE) if CGROUP_NAMESPACE in names else 0
    if not split:
        yield wait
    else:
        yield 'if [ -z "$joined" ]; then'
        yield wait
        yield from _lines(plan[:split])
        yield 'joined=1 exec unshare --cgroup sh "$0"; fi'
    yield from _lines(plan[split:])


def _lines(mechanisms: Iterable[Mechanism]) -> Iterable[str]:
    for mechanism in mechanisms:
        commands = mechanism.by_hand()
        if commands:
            yield f"# {mechanism.describe()}"
            yield from commands


def _execute(spec: Spec, names: Iterable[str]) -> str:
    command = " ".join(map(quoted, spec.process.args))
    if PRIVILEGES in names:
        return f'setpriv $privs chroot "$dir/rootfs" {command}'
    return command
