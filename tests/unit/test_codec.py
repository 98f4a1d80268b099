"""JSON without the json package says what json says."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from minirt import codec

if TYPE_CHECKING:
    from minirt.codec import Json

DOCUMENTS = (
    {},
    [],
    "",
    None,
    True,
    -(2**70),
    1e300,
    {"a": [1, 2.5, "\u00fc\n\U0001f600\x00", None, {"b": [False, []]}], "": math.pi},
)


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("core", ["with", "without"])
def test_it_writes_and_reads_as_json_does(
    document: Json, core: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = json.dumps(document, separators=(",", ":"))
    if core == "without":
        monkeypatch.setitem(sys.modules, "_json", None)
    assert codec.dumps(document) == expected
    assert codec.loads(expected) == document


def test_any_mapping_can_be_written() -> None:
    document = {"a": MappingProxyType({"b": (1, True, None)})}
    assert codec.dumps(document) == '{"a":{"b":[1,true,null]}}'


WRONG = pytest.mark.parametrize("text", ["", "{", "[1,]", '{"a":1} x', "nope"])


@WRONG
def test_it_is_refused_in_a_process_that_has_not_loaded_json(text: str) -> None:
    script = "import sys; from minirt.codec import loads; loads(sys.argv[1])"
    argv = [sys.executable, "-I", "-c", script, text]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "JSONDecodeError" in done.stderr.splitlines()[-1]


@WRONG
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="char"):
        codec.loads(text)


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="too deeply"):
        codec.loads("[" * 100_000 + "]" * 100_000)
