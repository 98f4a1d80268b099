"""`minirt oci`: make minirt the runtime of podman, docker, containerd and Kubernetes."""

from __future__ import annotations

import argparse
import os
import sys

from minirt.oci import install, interpreter, stanzas

TARGET = "/usr/local/bin/minirt-oci"
EXAMPLES = """examples:
  sudo minirt oci install            write the launcher, print what to tell the engines
  sudo minirt oci install --write    tell them: podman, docker, containerd
  sudo minirt oci uninstall          take the launcher away again
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, what, act in (
        ("install", "write the launcher that engines call", _install),
        ("uninstall", "remove the launcher and what it starts from", _uninstall),
    ):
        action = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        action.set_defaults(act=act)
        action.add_argument(
            "--to", metavar="FILE", default=TARGET, help=f"the launcher (default: {TARGET})"
        )
        if name == "install":
            action.add_argument(
                "--write", action="store_true", help="add the lines to the engines' files too"
            )
            action.add_argument(
                "--python",
                metavar="FILE",
                default="",
                help="the interpreter (default: the system's, or this one where it is quicker)",
            )
            action.add_argument(
                "--etc", metavar="DIR", default="/etc", help="where those are (default: /etc)"
            )


def run(arguments: argparse.Namespace) -> int:
    arguments.act(arguments)
    return 0


def _install(arguments: argparse.Namespace) -> None:
    target = os.path.abspath(arguments.to)
    found = list(stanzas.every(os.path.abspath(arguments.etc), target))
    usable = interpreter.chosen(arguments.python)
    install.install(target, usable[0])
    _say(f"installed: {target}")
    for number, python in enumerate(usable):
        _say(f"{'ignored' if number else 'runs'}: {python.path}, ready in {python.ready_ms:.1f} ms")
    for stanza in found:
        if not arguments.write or not stanza.path:
            _say(f"\n# {stanza.engine}{': ' if stanza.path else ''}{stanza.path}\n{stanza.shown}")
        elif stanza.write():
            _say(f"written: {stanza.path} ({stanza.engine})")
        else:
            _say(f"already so: {stanza.path} ({stanza.engine})")


def _uninstall(arguments: argparse.Namespace) -> None:
    removed = install.uninstall(os.path.abspath(arguments.to))
    _say(f"removed: {arguments.to}" if removed else "nothing to remove")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
