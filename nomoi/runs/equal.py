"""Equal stamps: digests of a module under which the golden trainings came out the same, bit for bit.

A record made by code that is equal to the code here stands as if it were made here.  The list is `equal.txt`: a line is
`module digest digest`, with - for a digest where the module was not there.  `benchmarks/equal.py` writes it, after it
has run the golden trainings on both.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

NONE = "-"  # the digest of a module that is not there


def alike(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two codes (module -> digest) are the same, or listed as equal, module by module."""
    return all(same(home, one.get(home, NONE), other.get(home, NONE)) for home in {**one, **other})


def same(home: str, one: str, other: str) -> bool:
    """Whether two digests of a module are the same, or listed as equal."""
    first = listed()
    return one == other or first.get((home, one), one) == first.get((home, other), other)


@lru_cache
def listed() -> dict[tuple[str, str], str]:
    """(module, digest) -> one digest for all that are equal to it, over any number of lines."""
    first: dict[tuple[str, str], str] = {}
    for line in _lines():
        home, one, other = line.split()
        kept, gone = first.get((home, one), one), first.get((home, other), other)
        first |= {at: kept for at, to in first.items() if at[0] == home and to == gone}
        first |= {(home, one): kept, (home, other): kept}
    return first


def _lines() -> list[str]:
    return (Path(__file__).parent / "equal.txt").read_text(encoding="utf-8").splitlines()
