"""The container beside the VM: step 7's table, every figure of it measured in the same run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.vm.once import Result

    Row = tuple[str, str, str, str]

UNKNOWN = "not measured"


class Figures:
    """What one of the two took; None is what could not be measured here.

    `start_ns`      from the request to the first instruction of the command
    `memory_bytes`  of its processes: PSS
    `kernel_bytes`  of the kernel for it; 0 where memory_bytes includes it, as a VM's does
    `image_bytes`   on disk, shared by all that run this image; a container's layers, a VM's disk
    `own_bytes`     on disk, for this one alone: a container's writable layer
    `release`       of the kernel that the command saw
    """

    __slots__ = (
        "image_bytes", "kernel_bytes", "memory_bytes", "own_bytes", "release", "start_ns",
    )  # fmt: skip

    def __init__(
        self,
        *,
        start_ns: int | None,
        memory_bytes: int | None,
        kernel_bytes: int | None,
        image_bytes: int | None,
        own_bytes: int | None,
        release: str,
    ) -> None:
        self.start_ns = start_ns
        self.memory_bytes = memory_bytes
        self.kernel_bytes = kernel_bytes
        self.image_bytes = image_bytes
        self.own_bytes = own_bytes
        self.release = release


def of_vm(result: Result) -> Figures:
    """The VM's column; its writable layer is in its memory."""
    started = result.at("start")
    return Figures(
        start_ns=started - result.at("spawn") if started else None,
        memory_bytes=result.pss_bytes or None,
        kernel_bytes=0,
        image_bytes=result.image_bytes,
        own_bytes=0,
        release=result.kernel_release,
    )


def table(container: Figures, result: Result) -> str:
    """The table for a terminal, and below it what must be known to read it."""
    vm = of_vm(result)
    rows: list[Row] = [
        ("", "container", "VM (emulated)" if result.emulated else "VM (KVM)", "VM : container"),
        ("start", _time(container.start_ns), _time(vm.start_ns), _start_ratio(container, vm)),
        ("memory", _size(container.memory_bytes), _size(vm.memory_bytes), _ratio(container, vm)),
        ("  and kernel", _kernel(container.kernel_bytes), "included", ""),
        ("disk: image", _size(container.image_bytes), _size(vm.image_bytes), ""),
        ("  its own", _size(container.own_bytes), "in memory", ""),
        ("  and kernel", "this machine's", _size(result.boot_bytes), ""),
        ("kernel", container.release, vm.release, ""),
        ("runs on", "the processor", result.accelerator.upper(), ""),
    ]
    return "\n".join([*_aligned(rows), *_notes(result)])


def _start_ratio(container: Figures, vm: Figures) -> str:
    return _times(container.start_ns, vm.start_ns)


def _ratio(container: Figures, vm: Figures) -> str:
    """Memory with the kernel's, so that like is compared with like; nothing when it is unknown."""
    if container.memory_bytes is None or container.kernel_bytes is None:
        return ""
    return _times(container.memory_bytes + container.kernel_bytes, vm.memory_bytes)


def _times(small: int | None, large: int | None) -> str:
    if not small or not large:
        return ""
    ratio = large / small
    return f"{ratio:,.0f} : 1" if ratio >= 10 else f"{ratio:.1f} : 1"


def _aligned(rows: Sequence[Row]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return [line.rstrip() for line in lines]


def _notes(result: Result) -> list[str]:
    notes = []
    if result.emulated:
        notes += [
            f"The VM was emulated ({result.reason}):",
            "its times and its memory are those of an emulator, not of a VM with KVM.",
        ]
    if result.retries:
        notes.append(f"The VM needed {result.retries + 1} attempts to boot; the last is shown.")
    return ["", *notes] if notes else []


def _time(ns: int | None) -> str:
    if ns is None:
        return UNKNOWN
    return f"{ns / 1e9:.2f} s" if ns >= 1e9 else f"{ns / 1e6:.1f} ms"


def _kernel(size: int | None) -> str:
    return "included" if size == 0 else _size(size)


def _size(size: int | None) -> str:
    if size is None:
        return UNKNOWN
    if size < 1 << 20:
        return f"{size / (1 << 10):.0f} KiB"
    mib = size / (1 << 20)
    return f"{mib:.0f} MiB" if mib >= 100 else f"{mib:.1f} MiB"
