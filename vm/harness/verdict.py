"""What a guest's report is worth: tests that ran, on a true cgroup version 2, none of them skipped.

An exit status of 0 alone proves little: pytest gives it, too, when every test was skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

# statfs(2). On another file system a limit "can be set", too: in a plain file of that name.
CGROUP2_SUPER_MAGIC = "63677270"


class Report:
    """What the guest said: pytest's exit status and JUnit file, what /sys/fs/cgroup is."""

    __slots__ = ("cgroup", "junit", "status")

    def __init__(self, status: int, junit: bytes, cgroup: str) -> None:
        self.status = status
        self.junit = junit
        self.cgroup = cgroup


def status(report: Report) -> int:
    """That of pytest; 1 when it is 0 and something is wrong all the same."""
    return report.status or int(any(complaints(report)))


def complaints(report: Report) -> Iterator[str]:
    """Why the report proves nothing, or less than it seems to, a sentence each."""
    if report.cgroup != CGROUP2_SUPER_MAGIC:
        yield f"/sys/fs/cgroup is no cgroup2 in the guest: its magic number is {report.cgroup}"
    try:
        cases = list(ET.fromstring(report.junit).iter("testcase"))  # noqa: S314  (pytest's)
    except ET.ParseError as error:
        yield f"the guest's JUnit file cannot be read: {error}"
        return
    skipped = [case for case in cases if case.find("skipped") is not None]
    if len(cases) == len(skipped):
        yield "not one test ran"
    for case in skipped:
        reason = case.find("skipped")
        said = "" if reason is None else reason.get("message", "")
        yield f"skipped in the guest: {case.get('name')} ({said})"
