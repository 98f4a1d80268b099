"""`minirt-oci`: from the command line to the exit status."""

from __future__ import annotations

import os
import sys

from minirt import __version__
from minirt.errors import ConfigError, MinirtError
from minirt.hook import SPEC_VERSION
from minirt.oci.call import GLOBAL, HELP, Call
from minirt.oci.parser import parse, usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn, Protocol

    from minirt.oci.parser import Option, Words

    class Verb(Protocol):
        """What every module of `verbs` offers.

        FAILURE is the exit status of its errors, if not 1; after MOST arguments come options of
        what is run, which are none of ours.
        """

        ARGUMENTS: str
        OPTIONS: tuple[Option, ...]

        def run(self, call: Call) -> int: ...


# Modules of `verbs`, with what they are for.
VERBS = {
    "create": "make a container from a bundle; its program waits for `start`",
    "start": "let the program of a created container run",
    "run": "create and start",
    "exec": "run a further process in a container",
    "ps": "list the processes of a container",
    "state": "print the state of a container as JSON",
    "kill": "send a signal to the program of a container",
    "delete": "remove a container that has stopped",
    "pause": "stop all processes of a container where they are",
    "resume": "let a paused container go on",
    "update": "change the limits of a container",
    "events": "print what a container uses, and when it runs out of memory",
    "list": "list the containers of the state directory",
    "checkpoint": "write the processes of a container to files",
    "restore": "make a container of the files of a checkpoint",
    "features": "print what this runtime can do, as JSON",
    "spec": "write a config.json to begin with",
}

# Where people expect to name the program, as with other tools.
FOR_PROGRAMS = ("create", "run", "start")


def main() -> NoReturn:
    """Do what the command line says, and exit."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from minirt.oci.streams import reopen

        reopen()
    status = perform(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:
        status = status or 1
    os._exit(status)


def perform(words: Sequence[str]) -> int:
    """Do what `words` ask for; the exit status."""
    try:
        options = parse(words, GLOBAL, most=1)
        if options.on("--version") or options.arguments[:1] == ["version"]:
            print(version())
            return 0
        if options.arguments[:1] == ["help"]:
            return perform([*options.arguments[1:2], "--help"])
        if not options.arguments or options.arguments[0] not in VERBS:
            return _no_verb(options.arguments, asked=options.on("--help"))
        verb, *rest = options.arguments
        module = load(verb)
        own = _own(verb, module, rest)
    except ConfigError as error:
        sys.stderr.write(f"minirt-oci: {error}\n")
        return 1
    if own.on("--help"):
        print(help_of(verb, module))
        return 0
    return _run(module, Call(options, own))


def _own(verb: str, module: Verb, rest: Sequence[str]) -> Words:
    """The verb's own words; ConfigError where they are more than it takes."""
    options, most = (*module.OPTIONS, HELP), getattr(module, "MOST", 0)
    if most:
        return parse(rest, options, most=most)
    takes = module.ARGUMENTS.split()
    own = parse(rest, options, most=len(takes) + 1)
    if len(own.arguments) > len(takes):
        one = "one ID" if takes == ["ID"] else module.ARGUMENTS or "no arguments"
        why = ": the program stands in config.json" if verb in FOR_PROGRAMS else ""
        extra = own.arguments[len(takes)]
        raise ConfigError(f'{verb} takes {one}; "{extra}" is one too many{why}')
    return own


def _run(module: Verb, call: Call) -> int:
    failure: BaseException | None = None
    try:
        status = module.run(call)
    except KeyboardInterrupt as stop:  # attend.Interrupted, which knows its signal
        failure, status = stop, int(getattr(stop, "exit_code", 130))
    except Exception as problem:  # noqa: BLE001  (an engine sees the log, and no traceback)
        from minirt.hints import hint_for

        error = problem if isinstance(problem, MinirtError) else unforeseen(problem)
        error.hint = error.hint or hint_for(error)
        call.log.failure(error)
        failure, status = error, int(getattr(module, "FAILURE", 1))
    call.end(status, failure)
    return status


def unforeseen(error: Exception) -> MinirtError:
    """What nobody has made a sentence of: the machine's refusal, or a fault of ours."""
    if isinstance(error, OSError):
        said = (error.strerror or type(error).__name__).lower()
        return MinirtError(f"{error.filename}: {said}" if error.filename else said)
    return MinirtError(f"minirt has a fault: {type(error).__name__}: {error}")


def load(verb: str) -> Verb:
    """The module of a verb; `list` and others would hide a name of Python's."""
    name = f"minirt.oci.verbs.{verb.replace('-', '_')}"
    __import__(name)
    module: Verb = sys.modules[name]
    return module


def version() -> str:
    """Engines look for `NAME version X` and for `spec:`."""
    return f"minirt-oci version {__version__}\ncommit: {__version__}\nspec: {SPEC_VERSION}"


def help_of(verb: str, module: Verb) -> str:
    return (
        f"NAME:\n   minirt-oci {verb} - {VERBS[verb]}\n\n"
        f"USAGE:\n   minirt-oci {verb} [options] {module.ARGUMENTS}".rstrip()
        + "\n\n"
        f"OPTIONS:\n{usage((*module.OPTIONS, HELP))}"
    )


def _no_verb(arguments: Sequence[str], *, asked: bool) -> int:
    verbs = "\n".join(f"   {name:<10} {what}" for name, what in VERBS.items())
    text = (
        "NAME:\n   minirt-oci - run containers as the Open Container Initiative specifies them\n\n"
        "USAGE:\n   minirt-oci [global options] VERB [options] [arguments]\n\n"
        f"VERBS:\n{verbs}\n\nGLOBAL OPTIONS:\n{usage(GLOBAL)}"
    )
    if asked:
        print(text)
        return 0
    wrong = f'there is no verb "{arguments[0]}"' if arguments else "name a verb"
    sys.stderr.write(f"minirt-oci: {wrong}: see minirt-oci --help\n")
    return 1
