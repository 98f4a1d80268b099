"""Facts about the machine, of what the kernel says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench import machine, processors

if TYPE_CHECKING:
    from pathlib import Path

CPUINFO = """processor\t: 0
model name\t: Some CPU @ 2.40GHz
flags\t\t: fpu vme hypervisor lahf_lm

processor\t: 1
model name\t: Another
"""
MEMINFO = "MemTotal:       24683656 kB\nMemAvailable:   100 kB\nHugePages_Total:       0\n"


def test_the_first_processor_names_the_model() -> None:
    assert machine.processor(CPUINFO) == {"cpu": "Some CPU @ 2.40GHz", "virtualised": True}


def test_a_processor_without_hypervisor_flag_is_not_virtual() -> None:
    assert machine.processor("flags\t: fpu\n") == {"cpu": "", "virtualised": False}


def test_memory_is_in_bytes() -> None:
    assert machine.meminfo(MEMINFO) == {"MemTotal": 24683656 * 1024, "MemAvailable": 102400}


def test_each_flaw_has_its_mitigation(tmp_path: Path) -> None:
    (tmp_path / "meltdown").write_text("Not affected\n")
    (tmp_path / "spectre_v1").write_text("Mitigation: usercopy\n")
    assert machine.mitigations(tmp_path) == {
        "meltdown": "Not affected",
        "spectre_v1": "Mitigation: usercopy",
    }


def test_the_largest_cache_is_told_in_bytes(tmp_path: Path) -> None:
    for number, size in enumerate(("48K", "2048K", "")):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}" / "size").write_text(size)
    assert machine.largest_cache(tmp_path) == 2 << 20
    assert machine.largest_cache(tmp_path / "missing") == 0


def test_what_is_chosen_is_in_brackets() -> None:
    assert machine.chosen("always [madvise] never\n") == "madvise"
    assert machine.chosen("") == ""


def test_processors_are_busy_in_tasks_and_for_the_kernel_and_idle_in_waiting() -> None:
    used = processors.parse("cpu  100 20 30 9000 400 5 6 70 8 0")
    assert (used.busy * processors.TICKS, used.steal * processors.TICKS) == (161, 70)


def test_outside_of_a_repository_there_is_no_revision(tmp_path: Path) -> None:
    assert machine.revision(tmp_path) == ""


def test_all_facts_can_be_written_and_name_this_kernel() -> None:
    facts = json.loads(json.dumps(machine.facts()))
    assert facts["kernel"]
    assert facts["cores"] >= 1
    assert facts["root_filesystem"]
    assert facts["clocksource"]
    assert facts["memory_bytes"] > facts["available_bytes"] > 0
    assert facts["python"]["version"].count(".") == 2
