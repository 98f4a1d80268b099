"""One mount: what it is made of, how it is made, and how it is attached."""

from __future__ import annotations

import os

from minirt.errors import KernelError
from minirt.linux.mount import (
    MOUNT_ATTR_RDONLY,
    make,
    mount_setattr,
    move_mount,
    open_tree,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.errors import MinirtError

    IdMaps = tuple[tuple[int, int, int], ...]


class Attributes:
    """MOUNT_ATTR_* to set and to clear; of two that contradict each other the later counts."""

    __slots__ = ("clear", "set")

    def __init__(self) -> None:
        self.set = 0
        self.clear = 0

    def add(self, to_set: int, to_clear: int) -> None:
        self.set = self.set & ~to_clear | to_set
        self.clear = self.clear & ~to_set | to_clear

    def apply(self, tree: int, *, recursive: bool) -> None:
        if self.set or self.clear:
            mount_setattr(tree, self.set, clear=self.clear, recursive=recursive)


class Mount:
    """One entry of a configuration's `mounts`.

    attributes   of this mount; `deep` are those of all below it too (bind mounts)
    data         the file system's own options as (key, value)
    pointer      names the entry in an error
    recursive    whether a bind mount takes with it what is mounted below its source
    propagation  (MS_*, recursive) in the order in which they were asked for
    maker        makes it, where it is neither a bind mount nor one file system
    before       makes a new file system like what it will cover: (root, destination, tree)
    after        completes it when it is attached
    ignored      options of a bind mount that are none, which other runtimes let pass
    id_mapping   "idmap" or "ridmap": by uid_maps and gid_maps, else as the container's
    """

    __slots__ = (
        "after", "attributes", "before", "data", "deep", "destination", "fstype", "gid_maps",
        "id_mapping", "ignored", "maker", "pointer", "propagation", "recursive", "source",
        "uid_maps",
    )  # fmt: skip

    def __init__(self, destination: str, fstype: str, source: str = "", pointer: str = "") -> None:
        self.destination = destination
        self.fstype = fstype
        self.source = source
        self.pointer = pointer
        self.attributes = Attributes()
        self.deep = Attributes()
        self.data: tuple[tuple[str, str], ...] = ()
        self.propagation: tuple[tuple[int, bool], ...] = ()
        self.recursive = False
        self.maker: Callable[[], int] | None = None
        self.before: Callable[[int, str, int], None] | None = None
        self.after: Callable[[int], None] | None = None
        self.id_mapping = ""
        self.ignored: list[str] = []
        self.uid_maps: IdMaps = ()
        self.gid_maps: IdMaps = ()

    def make(self, source: int = -1) -> int:
        """Make the mount, attached nowhere yet; its descriptor. `source` was made in advance."""
        if source >= 0:
            return self._remade(source)
        if self.maker:
            return self.maker()
        if self.fstype == "bind":
            return open_tree(self.source, recursive=self.recursive)
        options = (("source", self.source or self.fstype), *self.data)
        try:
            return make(self.fstype, options, 0 if self.before else self.attributes.set)
        except KernelError as error:
            # Of a network namespace that is not this user namespace's: all that can be had is
            # the host's, with what is mounted below it, and not to write to.
            if self.fstype != "sysfs" or error.errno_name() != "EPERM":
                raise
            self.deep.add(MOUNT_ATTR_RDONLY, 0)
            return open_tree("/sys", recursive=True)

    def _remade(self, source: int) -> int:
        """The same mount, made now: mountinfo lists mounts in the order in which they were made."""
        try:
            tree = open_tree("", at=source, recursive=self.recursive)
        except KernelError:  # before Linux 6.15, or one of the host's: it will do as it is
            return source
        os.close(source)
        return tree

    def fill(self, root: int, tree: int) -> None:
        """Put into it what it shall have before anybody sees it."""
        if self.before:
            self.before(root, self.destination, tree)

    def attach(self, tree: int, target: int) -> None:
        """Attach what `make` made to the directory or file `target`."""
        self.change(tree)
        move_mount(tree, target)
        if self.after:
            self.after(tree)

    def change(self, tree: int) -> None:
        """Give it the attributes and the propagation that were asked for."""
        self.deep.apply(tree, recursive=True)
        if self.fstype == "bind" or self.before:
            self.attributes.apply(tree, recursive=False)
        for propagation, recursive in self.propagation:
            mount_setattr(tree, propagation=propagation, recursive=recursive)

    def named(self, error: MinirtError) -> MinirtError:
        """The error, with the entry that it is about."""
        if self.pointer:
            place = "" if self.destination in error.what else f" ({self.destination})"
            error.what = f"{self.pointer}{place}: {error.what}"
        return error
