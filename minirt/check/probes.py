"""What the steps need of the kernel, done for real: a sysctl can say yes and a mount still fail.

`python -m minirt.check.probes NAME` tries in namespaces of its own and leaves nothing behind; as
an ordinary user in a user namespace, as the steps do. `failure` does that in a new process.
"""

from __future__ import annotations

import os
import subprocess
import sys

from minirt.errors import MinirtError
from minirt.linux import mount
from minirt.linux.namespaces import FLAGS, unshare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def failure(name: str) -> str:
    """Why the probe fails here, in the kernel's terms: `mount(…) = EPERM (…)`; "" if it works."""
    command = [sys.executable, "-IB", "-m", "minirt.check.probes", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stderr.strip().splitlines() or [f"the probe ended with {done.returncode}"]
    return said[-1] if done.returncode else ""


def user() -> None:
    """A user namespace in which mount(2) works: some systems allow one without the other."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(FLAGS["user"])
    for path, text in (
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/uid_map", f"0 {uid} 1"),
        ("/proc/self/gid_map", f"0 {gid} 1"),
    ):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    _private_mounts()
    mount.mount("minirt", "/proc", "tmpfs")


def uts() -> None:
    unshare(FLAGS["uts"])


def pid() -> None:
    unshare(FLAGS["pid"] | FLAGS["ipc"])


def tree() -> None:
    """A file tree of one's own, and the way into it."""
    _private_mounts()
    mount.mount("minirt", "/proc", "tmpfs")
    os.chdir("/proc")
    mount.pivot_root(".", ".")


def net() -> None:
    unshare(FLAGS["net"])


def _private_mounts() -> None:
    unshare(FLAGS["mnt"])
    mount.make_private()


PROBES: dict[str, Callable[[], None]] = {
    probe.__name__: probe for probe in (user, uts, pid, tree, net)
}


def main(name: str) -> int:
    try:
        if os.geteuid() and name != "user":
            unshare(FLAGS["user"])
        PROBES[name]()
    except MinirtError as error:
        print(error.call_line() or error.what, file=sys.stderr)  # noqa: T201
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
