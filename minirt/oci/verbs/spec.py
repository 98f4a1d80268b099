"""spec: write a config.json to begin with."""

from __future__ import annotations

import json
import os

from minirt.errors import HostError
from minirt.oci.parser import Option
from minirt.oci.template import configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call

ARGUMENTS = ""
OPTIONS = (
    Option("--bundle -b", "DIR", "where to write it (default: the current directory)"),
    Option("--rootless", "", "for a container without rights on the host"),
)


def run(call: Call) -> int:
    from minirt.hook import SPEC_VERSION

    document = configuration(SPEC_VERSION, rootless=call.words.on("--rootless"))
    path = os.path.join(call.words.text("--bundle") or ".", "config.json")
    try:
        with open(path, "x", encoding="utf-8") as file:
            json.dump(document, file, indent="\t")
            file.write("\n")
    except FileExistsError:
        raise HostError(
            f"File {path} exists", hint="remove it first, or name another --bundle"
        ) from None
    except OSError as error:
        raise HostError(f"cannot write {path}: {error.strerror}") from None
    return 0
