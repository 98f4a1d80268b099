"""apt-get, called so that it asks nothing, waits for its locks, and is quoted when it fails."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess

from minirt.errors import HostError
from minirt.host import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LISTS = "/var/lib/apt/lists"
# Where apt drops root for downloads it needs a user `_apt` who can write to the target.
OPTIONS = ("-q", "-o", "APT::Sandbox::User=root", "-o", "DPkg::Lock::Timeout=600")
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "NEEDRESTART_SUSPEND": "1"}


def run(
    argv: Sequence[str], *, what: str, options: Sequence[str] = (), cwd: str | None = None
) -> str:
    """Run `argv` (apt-get, apt-cache, dpkg-deb); return its output.

    HostError `what` with the last line that it wrote to stderr.
    """
    if shutil.which(argv[0]) is None:
        raise HostError(f"{what}: {argv[0]} is not installed", hint="use Debian or Ubuntu")
    settings = [*OPTIONS, *options] if argv[0].startswith("apt-") else []
    done = subprocess.run(
        [argv[0], *settings, *argv[1:]],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        check=False, cwd=cwd, env={**os.environ, **QUIET},
    )  # fmt: skip
    if done.returncode:
        raise HostError(f"{what}: {_complaint(done.stderr)}", hint="check the network and apt")
    return done.stdout


def _complaint(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()] or ["no reason given"]
    errors = [line for line in lines if line.startswith("E:")] or lines
    return errors[-1].removeprefix("E: ")


def has_lists(directory: str = LISTS) -> bool:
    """Whether the lists of available packages have been fetched."""
    names = os.listdir(directory) if os.path.isdir(directory) else []
    return any("_Packages" in name for name in names)


def update() -> None:
    """Fetch the machine's package lists, as root. Waits while another apt does the same."""
    lock = os.open(f"{LISTS}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        # apt-get waits for dpkg's lock but not for this one.
        fcntl.lockf(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)
    run(["apt-get", "update"], what="cannot fetch the package lists")


def own_lists() -> list[str]:
    """Fetch package lists into the user's cache; the options that make apt use them.

    For a user who may not write the machine's lists: what the machine trusts and where it
    fetches from stays as it is.
    """
    root = f"{cache.directory()}/apt"
    for name in ("lists/partial", "archives/partial"):
        cache.make_directories(f"{root}/{name}")
    options = ["-o", f"Dir::State::lists={root}/lists", "-o", f"Dir::Cache={root}"]
    run(["apt-get", "update"], what="cannot fetch the package lists", options=options)
    return options
