"""Errors as engines read them: the last line of --log, in JSON where they ask for that."""

from __future__ import annotations

import os
import sys
import time

from minirt.codec import dumps
from minirt.linux import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.errors import MinirtError
    from minirt.oci.parser import Words


class Log:
    """Where a call of the runtime reports: its stderr, and the file of --log.

    stderr of `create` is the container's own, so engines look in the file, for the last line of
    level "error"; what they match on are words of its text.
    """

    __slots__ = ("debugging", "json", "path")

    def __init__(self, options: Words) -> None:
        self.path = options.text("--log")
        self.json = options.text("--log-format") == "json"
        self.debugging = options.on("--debug")
        if self.path and not _can_be_written(self.path):
            self._append("")  # which says why

    def failure(self, error: MinirtError) -> None:
        self.write("error", sentence(error))

    def warn(self, text: str) -> None:
        self.write("warning", text)

    def debug(self, text: str) -> None:
        if self.debugging:
            self.write("debug", text)

    def write(self, level: str, text: str) -> None:
        """One line, to the file if there is one, errors to stderr too."""
        line = self.line(level, text)
        if level == "error" or not self.path:
            sys.stderr.write(line)
            sys.stderr.flush()
        if self.path:
            self._append(line)

    def line(self, level: str, text: str) -> str:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if self.json:
            return dumps({"level": level, "msg": text, "time": now}) + "\n"
        return f'time="{now}" level={level} msg={dumps(text)}\n'

    def _append(self, line: str) -> None:
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                files.write_all(fd, line.encode())
            finally:
                os.close(fd)
        except OSError as error:
            said = (error.strerror or "").lower()
            sys.stderr.write(f"minirt-oci: --log: cannot write to {self.path}: {said}\n")
            self.path = ""  # stderr is all that is left


def _can_be_written(path: str) -> bool:
    """As far as can be told without making it: engines look whether it is there."""
    return os.access(path if os.path.exists(path) else os.path.dirname(path) or ".", os.W_OK)


def sentence(error: MinirtError) -> str:
    """The error on one line: what, where, the call with its errno in words, what to try."""
    where = f"{error.mechanism}.{error.phase}" if error.mechanism else ""
    call = error.call_line().lower() if error.call_line() else ""
    parts = [error.what, where, _plain(call), error.kernel_line(), error.hint]
    return ": ".join(part for part in parts if part)


def _plain(call: str) -> str:
    return call.replace(" = ", ": ")
