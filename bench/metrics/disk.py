"""What a disk holds of a subject, and how fast its root is on a file of 64 MiB (large.py).

image       bytes of the file tree, or of the disk that is made of it for a VM
first-start bytes of all that must be there before the first one (footprint.py)
writable    bytes of an instance's writable layer, while it waits
first-read  the file from the image, after this kernel forgot it; a disk's own cache did not
read        the same once more by the same program
random      2048 of its blocks of 4 KiB, forgotten as well, in random order
copy-up     until the image's file is in the writable layer: opened for writing, not written
write       a new file of that size, until fsync(2) returns

The plain process writes to the cache's directory, which has the same disk below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import large, tree
from bench.metrics import footprint, upper
from bench.metrics.memory import IDLE
from bench.metrics.metric import Reading
from bench.metrics.stamped import work
from bench.subject import PROCESS, VM, plain_name
from bench.subjects import catalog
from bench.subjects.catalog import differs_inside
from bench.subjects.engines import Docker
from bench.subjects.place import Place
from bench.tree import PROGRAM
from minirt.errors import HostError
from minirt.host import cache
from minirt.vm import measure, rootimage

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Run, Subject

IMAGE, FIRST_START, WRITABLE = "image", "first-start", "writable"
COPY_UP, WRITE = "copy-up", "write"
# What is measured -> the program's name for it, and whether the file must be forgotten first.
READS = {"first-read": ("read", True), "read": ("reread", False), "random": ("random", True)}
WRITES = {COPY_UP: "copyup", WRITE: "write"}
QUICK, QUICK_CONTAINER = (IMAGE, FIRST_START, WRITABLE), "step6-none"
SECONDS, BLOCKS = (COPY_UP,), ("random",)


class Disk:
    name, title = "disk", "disk"
    seconds, least = (4.0, 420.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        return [{"what": what} for what in (*QUICK, *((*READS, *WRITES) if full else ()))]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del setting
        if not full and differs_inside(subject):
            return subject.family == VM or plain_name(subject) == QUICK_CONTAINER
        return differs_inside(subject)

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        what = str(setting["what"])
        if subject.family == PROCESS and what in (IMAGE, FIRST_START, WRITABLE, COPY_UP):
            raise HostError(f"{what}: a plain process has neither an image nor layers")
        if subject.family == VM and what in (WRITABLE, *WRITES):
            raise HostError(f"{what}: the guest's writable layer is in its memory, on no disk")
        if what == IMAGE:
            return [Reading(image_bytes(subject), "bytes")]
        if what == FIRST_START:
            sizes = footprint.parts(subject)
            detail = {"parts": sizes, "not_counted": footprint.NOT_COUNTED}
            return [Reading(sum(sizes.values()), "bytes", detail)]
        if what == WRITABLE:
            return [Reading(writable_bytes(subject), "bytes")]
        done = work(run(subject, what))
        times = {"work_s": done.seconds, "amount": done.amount, "cpu_s": done.cpu_s}
        if what in SECONDS:
            return [Reading(done.seconds, "s", times)]
        return [Reading(done.rate, "1/s" if what in BLOCKS else "bytes/s", times)]


def image_bytes(subject: Subject) -> int:
    """What the image takes on the disk, however many instances share it."""
    if isinstance(subject, Docker):
        return int(subject.say("image", "inspect", "-f", "{{.Size}}", *subject.image))
    plain = tree.ensure()
    return measure.disk_bytes([rootimage.build([plain]) if subject.family == VM else plain])


def writable_bytes(subject: Subject) -> int:
    """What an idle instance adds to that."""
    with subject.launch(IDLE) as instance:
        layer = upper.directory(instance.pids())
        if not layer:
            raise HostError(f"{WRITABLE}: its root has no writable layer")
        return measure.disk_bytes([layer])


def run(subject: Subject, what: str) -> Run:
    """Have the subject's like do the work, on the tree that has the large file."""
    image = large.ensure()
    with cache.Writing("bench-io") as scratch:
        (other,) = catalog.choose([subject.name], Place(image, scratch))
        host = subject.family == PROCESS
        old, new = (
            (f"{image}/{large.NAME}", f"{scratch}/new") if host else (f"/{large.NAME}", "/new")
        )
        with other:
            if what in WRITES:
                return other.run([PROGRAM, WRITES[what], new if what == WRITE else old])
            word, forget = READS[what]
            if forget:
                evict(other, image)
            return other.run([PROGRAM, word, old])


def evict(subject: Subject, image: str) -> None:
    """Have the host forget the large file, or the disk that it lies on."""
    if isinstance(subject, Docker):
        raise HostError("docker has a copy of the image, which stays in the page cache")
    file = rootimage.build([image]) if subject.family == VM else f"{image}/{large.NAME}"
    try:
        large.evict(file)
    except OSError as error:
        raise HostError(f"{file}: {error.strerror}") from error
