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
# An OCI runtime's life, limits, verbs and further processes.
RUNTIME = (
    "tests/kernel/test_oci_lifecycle.py",
    "tests/kernel/test_oci_resources.py",
    "tests/kernel/test_oci_verbs.py",
    "tests/kernel/test_oci_events.py",
    "tests/kernel/test_oci_exec.py::test_it_is_in_the_containers_namespaces_and_cgroups",
    "tests/kernel/test_oci_exec.py::test_a_cgroup_below_the_containers",
)
# One of each kind: emulated, all of them take minutes, and are for `make test-full`.
RUNTIME_IN_SHORT = (
    "tests/kernel/test_oci_lifecycle.py::test_a_life_in_five_calls",
    *(
        f"tests/kernel/test_oci_resources.py::test_{name}"
        for name in (
            "it_is_in_every_hierarchy_at_the_path_that_was_asked_for",
            "processor_limits",
            "memory_limits",
            "the_number_of_processes",
            "what_only_version_1_can_do_is_done_there_and_refused_elsewhere",
            "what_a_rule_allows_can_be_opened_for_that_alone",
            "without_rules_only_the_harmless_devices_can_be_opened",
        )
    ),
    *(
        f"tests/kernel/test_oci_verbs.py::test_{name}"
        for name in (
            "a_paused_container_does_nothing_and_a_resumed_one_goes_on",
            "limits_change_while_it_runs",
        )
    ),
    "tests/kernel/test_oci_events.py::test_want_of_memory_is_told_when_it_happens",
    "tests/kernel/test_oci_exec.py::test_a_cgroup_below_the_containers",
)
UML = (
    *COMMON,
    *RUNTIME,
    # --userns as root: the image is in a tmpfs there, which maps ids since Linux 6.3.
    "--deselect=tests/kernel/test_exec.py::test_it_is_in_every_namespace_of_the_container[options1]",
)
ALWAYS = (
    *COMMON,
    # Before Linux 6.15 overlayfs took no layer that is attached nowhere.
    "tests/kernel/test_step6.py::test_what_root_may_do_works[userns]",
    "tests/kernel/test_step6.py::test_userns_gives_no_power_over_the_hosts_files",
)
# Where the machine's own kernel is too new for the criu that Debian has, this one is not.
CHECKPOINT = tuple(
    f"tests/kernel/test_oci_checkpoint.py::test_{name}"
    for name in (
        "a_restored_container_goes_on_and_is_like_any_other",
        "restore_in_the_foreground_ends_with_the_program_s_status",
        "what_is_the_host_s_is_given_again",
        "a_restore_that_fails_leaves_nothing",
    )
)
QEMU = (*ALWAYS, *RUNTIME_IN_SHORT, *CHECKPOINT[:1])
EVERYTHING = (*ALWAYS, *RUNTIME, *CHECKPOINT)


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
