"""Which tests run in a guest when nobody says: what knows of cgroups, and what runs in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMON = (
    "tests/kernel/test_cgroups.py",
    "tests/kernel/cgroup2",
    "tests/kernel/test_step5.py",
    "tests/kernel/test_exec.py",
    "tests/kernel/test_lean_clone.py",
    # Emulated, a tenth of a processor takes minutes for this.
    "--deselect=tests/kernel/test_step5.py::test_the_share_of_a_processor_is_limited_and_the_waiting_said",
)
RUNTIME = (
    "tests/kernel/test_oci_resources.py",
    "tests/kernel/test_oci_verbs.py",
    "tests/kernel/test_oci_events.py",
)
UML = (
    *COMMON,
    *RUNTIME,
    # --userns as root: the image is in a tmpfs there, which maps ids since Linux 6.3.
    "--deselect=tests/kernel/test_exec.py::test_it_is_in_every_namespace_of_the_container[options1]",
)
QEMU = (
    *COMMON,
    # Before Linux 6.15 overlayfs took no layer that is attached nowhere.
    "tests/kernel/test_step6.py::test_what_root_may_do_works[userns]",
    "tests/kernel/test_step6.py::test_userns_gives_no_power_over_the_hosts_files",
)
# Emulated, the runtime's take five minutes: for `make test-full`.
EVERYTHING = (*QEMU, *RUNTIME)


# Of pytest's options, those whose value is a word that may be a file's name as well.
WITH_WORD = ("-k", "-m", "-p", "-o", "-c", "-W")


def arguments(given: Sequence[str], tests: Sequence[str], directory: str) -> list[str]:
    """What pytest is given: with options alone, `tests` too; else it would collect everything."""
    return [*given] if _names_tests(given, Path(directory)) else [*tests, *given]


def _names_tests(given: Sequence[str], directory: Path) -> bool:
    return any(
        (directory / word.partition("::")[0]).exists()
        for before, word in zip(("", *given), given, strict=False)
        if not word.startswith("-") and before not in WITH_WORD
    )
