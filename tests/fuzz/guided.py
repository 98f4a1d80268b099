"""Configurations that a fuzzer grows by which code they reach (Atheris, libFuzzer).

`make fuzz ARGS=-runs=100000` begins with tests/data; what reached new code is kept in
out/fuzz/corpus, what failed in out/fuzz. `make fuzz ARGS=FILE` repeats one of those.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["minirt"]):
    from minirt.packed import Finder

    # What is compiled already cannot be instrumented.
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
    import mutated
    import surface

    # Mechanisms are imported where a plan has them.
    for known in mutated.BASES:
        surface.every(copy.deepcopy(known))

from minirt.errors import ConfigError
from minirt.oci import bundle

OUT = Path("out/fuzz")
MOST_CHANGES = 4
RAW = 8  # of so many changes, one is of bytes, not of members
LONGEST = 1 << 15  # bytes of an input: the largest of tests/data has 20 000


def consider(data: bytes) -> None:
    """One input; whatever is raised here is a finding."""
    try:
        document = bundle.parsed(data, "the input")
    except ConfigError:
        return
    surface.every(document)


def change(data: bytes, most: int, seed: int) -> bytes:
    """The document with a few changes; bytes, if it is none, and now and then."""
    chance = random.Random(seed)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return bytes(atheris.Mutate(data, most))
    if not chance.randrange(RAW) or not isinstance(document, dict):
        return bytes(atheris.Mutate(data, most))
    for _ in range(chance.randint(1, MOST_CHANGES)):
        where, value = chance.randrange(mutated.FARTHEST), chance.choice(mutated.ODD)
        mutated.change(document, where, chance.choice(mutated.KINDS), value)
    changed = json.dumps(document).encode()
    return changed if len(changed) <= most else data


def dictionary() -> str:
    """The names of all members, which no chance would come upon, for libFuzzer's -dict."""
    names = dict.fromkeys(name for name, _ in mutated.KNOWN)
    return "".join(f"{json.dumps(json.dumps(name))}\n" for name in names)


def main() -> None:
    """Fuzz, with libFuzzer's options from the command line."""
    (OUT / "corpus").mkdir(parents=True, exist_ok=True)
    (OUT / "dictionary").write_text(dictionary())
    usual = [f"-artifact_prefix={OUT}/", f"-dict={OUT}/dictionary", f"-max_len={LONGEST}"]
    given = sys.argv[1:]
    if all(word.startswith("-") for word in given):
        given += [str(OUT / "corpus"), str(mutated.DATA)]
    atheris.Setup([sys.argv[0], *usual, *given], consider, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
