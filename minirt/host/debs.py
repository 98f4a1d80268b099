"""Debian packages unpacked into the cache, never installed: a static busybox, a guest's kernel.

An installed kernel could become the one that the machine boots next; one that lies in the cache
cannot. apt checks each archive against its signed lists, as for any installation.
"""

from __future__ import annotations

import os

from minirt.errors import HostError
from minirt.host import apt, cache
from minirt.host.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def fetch(package: str) -> str:
    """The directory of the unpacked `package`; downloaded once per version, then kept.

    A version that is in the cache is used as it is, without asking the network. HostError when
    it is not there and cannot be downloaded.
    """
    found = _cached(package)
    if found:
        return found
    with Progress(f"downloading {package} into the cache"), cache.Writing("debs") as scratch:
        return _cached(package) or _unpack(package, _download(package, scratch), scratch)


def dependency(package: str) -> str:
    """The first package that `package` depends on: the real kernel behind a metapackage."""
    what = f"cannot find what {package} depends on"
    for line in _ask_apt(["apt-cache", "depends", package], what=what).splitlines():
        relation, _, name = line.strip().partition(": ")
        if relation == "Depends":
            return name
    raise HostError(what, hint=f"look at: apt-cache depends {package}")


def names(prefix: str) -> list[str]:
    """The packages that begin with `prefix` and can be downloaded, as far as apt's lists know."""
    what = f"cannot list the packages {prefix}*"
    found = _ask_apt(["apt-cache", "search", "--names-only", f"^{prefix}"], what=what)
    return [line.partition(" ")[0] for line in found.splitlines()]


def _cached(package: str) -> str:
    link = f"{cache.directory()}/debs/{package}"
    return os.path.realpath(link) if os.path.isdir(link) else ""


def _download(package: str, scratch: str) -> str:
    what = f"cannot download the package {package}"
    _ask_apt(["apt-get", "download", package], what=what, cwd=scratch)
    return next(entry.path for entry in os.scandir(scratch) if entry.name.endswith(".deb"))


def _ask_apt(argv: Sequence[str], *, what: str, cwd: str | None = None) -> str:
    """Run `argv` with the lists that are there, then with fresh ones.

    Old lists name versions that the archive no longer has.
    """
    problem = HostError(what)
    for options in _lists():
        try:
            return apt.run(argv, what=what, options=options, cwd=cwd)
        except HostError as error:
            problem = error
    raise problem


def _lists() -> Iterator[Sequence[str]]:
    if apt.has_lists():
        yield ()
    if os.geteuid() == 0:
        apt.update()
        yield ()
    else:
        yield apt.own_lists()


def _unpack(package: str, archive: str, scratch: str) -> str:
    root = cache.make_directories(f"{cache.directory()}/debs")
    final = f"{root}/{os.path.basename(archive).removesuffix('.deb')}"
    if not os.path.isdir(final):
        tree = f"{scratch}/tree"
        apt.run(["dpkg-deb", "-x", archive, tree], what=f"cannot unpack {package}")
        os.rename(tree, final)
    os.symlink(os.path.basename(final), f"{scratch}/link")
    os.rename(f"{scratch}/link", f"{root}/{package}")
    return final
