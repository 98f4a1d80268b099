"""runc and crun, with the configuration of step 6: the same work asked of another runtime.

The bundle's config.json is the one that step 6 makes of its options: the same namespaces, mounts,
masked paths, capabilities and system call filter, files for names, no limits. What differs is in
`note`: each runtime has its own way to do some of it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench import process
from bench.subject import CONTAINER, NONE
from bench.subjects.launched import Launched, launch
from minirt.linux.caps import DEFAULT
from minirt.seccomp import profile
from minirt.stepping.options import OPTIONS
from minirt.stepping.parser import parse
from minirt.stepping.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any, Self

    from bench.subject import Run
    from bench.subjects.place import Place

NAMES = {
    "hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tbench\n",
    "hostname": "bench\n",
    "resolv.conf": "",
}
CGROUPS = "a cgroup of each controller, where minirt uses those that count"


class Oci:
    """A runtime with runc's command line."""

    family, network = CONTAINER, NONE

    def __init__(self, place: Place, program: str, *, cgroup: bool = True) -> None:
        self.place = place
        self.program = program
        self.options = () if cgroup else ("--cgroup-manager=disabled",)
        self.name = program if cgroup else f"{program}-nocgroup"
        self.label = program if cgroup else f"{program}, no cgroup"
        self._numbers = itertools.count()
        self._open: set[str] = set()

    def absent(self) -> str:
        if shutil.which(self.program) is None:
            return f"{self.program} is not installed"
        return "" if os.geteuid() == 0 else f"{self.program} needs root with this configuration"

    def note(self) -> str:
        return (
            "the root is read-only, where minirt mounts a writable overlay; the filter is compiled"
            " at each start, where minirt keeps it (step6-none-compile does not); device nodes are"
            " made, where minirt mounts the host's; "
            + ("no cgroup" if self.options else f"{CGROUPS}, one with rules for devices")
        )

    def __enter__(self) -> Self:
        self._directory = self.place.directory(self.name)
        for name, text in NAMES.items():
            (self._directory / name).write_text(text, encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        for container in list(self._open):
            self._delete(container)

    def run(self, argv: Sequence[str]) -> Run:
        command, ended = self._command(argv)
        try:
            run = process.run(command)
        except BaseException:
            self._delete(command[-1])
            raise
        ended()
        return run

    def launch(self, argv: Sequence[str]) -> Launched:
        command, _ended = self._command(argv)
        return launch(command, undo=lambda: self._delete(command[-1]))

    def _command(self, argv: Sequence[str]) -> tuple[list[str], Callable[[], None]]:
        """How to run `argv` in a new container, and what to call when it has ended."""
        container = f"minirt-bench-{os.getpid()}-{next(self._numbers)}"
        self._open.add(container)
        bundle = self._bundle(argv)
        command = [*self._program(), "run", "--bundle", str(bundle), container]
        return command, lambda: self._open.discard(container)

    def _program(self) -> list[str]:
        return [self.program, *self.options, "--root", str(self._directory / "state")]

    def _bundle(self, argv: Sequence[str]) -> Path:
        """A directory with the configuration for `argv`, made at its first use."""
        bundle = self._directory / "-".join(word.strip("/") for word in argv)
        if not bundle.is_dir():
            bundle.mkdir()
            text = json.dumps(config(self.place.tree, str(self._directory), argv), indent=1)
            (bundle / "config.json").write_text(text, encoding="utf-8")
        return bundle

    def _delete(self, container: str) -> None:
        """Remove what is left of it, if anything is."""
        command = [*self._program(), "delete", "--force", container]
        subprocess.run(command, capture_output=True, check=False, start_new_session=True)
        self._open.discard(container)


def config(tree: str, directory: str, argv: Sequence[str]) -> dict[str, Any]:
    """Step 6's configuration without a network, for `tree`, in terms that all runtimes know."""
    options = ["--network", "none", "--rootfs", tree, "--hostname", "bench", "--", *argv]
    document: dict[str, Any] = Request(6, parse(options, OPTIONS, 6), "bench", directory).config()
    del document["minirt"]
    document["ociVersion"] = "1.0.2"  # crun 1.8 refuses a later one
    document["root"] = {"path": tree, "readonly": True}
    document["process"]["terminal"] = False
    # minirt mounts the host's device nodes there; these runtimes make new ones.
    dev = next(mount for mount in document["mounts"] if mount["destination"] == "/dev")
    dev["options"].remove("nodev")
    linux = document["linux"]
    del linux["cgroupsPath"]  # each container has one of its own, named after it
    # As `runc spec` has it: all but the default devices are denied.
    linux["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    linux["seccomp"] = profile.default(DEFAULT)
    return document


def runtimes(place: Place) -> list[Oci]:
    return [Oci(place, "runc"), Oci(place, "crun"), Oci(place, "crun", cgroup=False)]
