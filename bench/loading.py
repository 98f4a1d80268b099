"""Reads a results file for everything that is made of one, and refuses what cannot be used."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench import samples
from bench.cells import Cells

if TYPE_CHECKING:
    from pathlib import Path

    from bench.samples import Results, Sample


def load(path: Path) -> Cells:
    """A results file; ValueError, with a remedy, when it cannot be used."""
    try:
        results = samples.read(path)
        _check(path, results)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: a record is not as bench/samples.py has it: {error}") from None
    except ValueError as error:
        raise ValueError(f"{error}; measure anew with make bench") from None
    return Cells(results)


def _numeric(sample: Sample) -> bool:
    numbers: list[object] = [sample.value, sample.round]
    return all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers)


def _structured(sample: Sample) -> bool:
    return all(isinstance(part, dict) for part in (sample.setting, sample.detail))


def _check(path: Path, results: Results) -> None:
    for number, sample in enumerate(results.samples, 1):
        if not (_numeric(sample) and _structured(sample)):
            raise ValueError(
                f"{path}: sample {number}: value and round must be numbers,"
                " setting and detail objects"
            )
