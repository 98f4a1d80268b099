"""An error says what, where, which call, the kernel's own words and what to try."""

from __future__ import annotations

import errno

import pytest

from minirt.errors import (
    CommandError,
    ConfigError,
    HostError,
    InitDied,
    KernelError,
    MinirtError,
    StateError,
    from_fields,
    plain,
    render,
)


def complete() -> KernelError:
    error = KernelError(
        "cannot mount the container's file tree",
        call='fsconfig(overlay, "lowerdir", "/etc/hostname")',
        errno=errno.EINVAL,
        kernel="overlay: /etc/hostname is not a directory",
        hint="point lowerdir at the image's unpacked directory",
    )
    error.mechanism, error.phase, error.container = "overlay", "enter", "web1"
    return error


ERRORS = (
    complete(),
    ConfigError("must be a string", pointer="/root/path", hint="name a directory"),
    StateError("container web1 exists already"),
    HostError("nft is not installed", hint="install nftables"),
    CommandError("sh: not found", exit_code=126),
    InitDied("the container's init died (signal 9)"),
)


def test_a_complete_error_has_five_lines() -> None:
    assert render(complete()).splitlines() == [
        "minirt: cannot mount the container's file tree",
        "  during  overlay.enter, container web1",
        '  call    fsconfig(overlay, "lowerdir", "/etc/hostname") = EINVAL (Invalid argument)',
        "  kernel  overlay: /etc/hostname is not a directory",
        "  try     point lowerdir at the image's unpacked directory",
    ]


def test_what_is_not_known_has_no_line() -> None:
    assert render(StateError("no such container")) == "minirt: no such container"
    error = HostError("no disk")
    error.container = "web1"
    assert render(error).splitlines()[1:] == ["  during  container web1"]


def test_a_configuration_error_begins_with_its_pointer() -> None:
    error = ConfigError("must be a string", pointer="/root/path")
    assert render(error) == "minirt: /root/path: must be a string"


def test_only_the_name_is_bold() -> None:
    shown = render(StateError("no"), bold=True)
    assert shown == "\033[1;31mminirt:\033[0m no"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_crosses_from_init_to_the_host_whole(error: MinirtError) -> None:
    copy = from_fields(error.to_fields())
    assert type(copy) is type(error)
    assert render(copy) == render(error)
    assert copy.exit_code == error.exit_code
    assert copy.error_type() == error.error_type()


def test_fields_of_an_unknown_class_are_an_error_all_the_same() -> None:
    error = from_fields({"class": "FromTheFuture", "what": "odd"})
    assert type(error) is MinirtError
    assert render(error) == "minirt: odd"


def test_exit_codes_are_those_of_a_shell() -> None:
    assert {error.exit_code for error in ERRORS} == {125, 126}
    assert CommandError("sh: not found").exit_code == 127


def test_an_error_number_that_has_no_name_is_a_number() -> None:
    assert KernelError("odd", call="x()", errno=4095).errno_name() == "4095"


def test_the_type_of_an_error_tells_nothing_of_the_user() -> None:
    assert complete().error_type() == "EINVAL"
    assert ERRORS[1].error_type() == "ConfigError"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "/x/y"), "/x/y: No such file"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError("in words"), "in words"),
        (HostError("nft is not installed"), "nft is not installed"),
    ],
)
def test_an_error_in_plain_words_has_no_number(error: Exception, text: str) -> None:
    assert plain(error) == text
