"""Conformance checks that people call on their own files: `nomoi check FILE`, or `nomoi.testing.check(Village)`.

>>> from nomoi.testing import check
>>> from nomoi.situations.pool import Pool
>>> [c.sentence for c in check(Pool) if c.passed is False]
[]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nomoi import catalogue
from nomoi.core import Institution, Situation
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.testing.common import CARD, Check, Wrong, ask, card
from nomoi.testing.institution import check_institution
from nomoi.testing.learner import check_learner
from nomoi.testing.situation import Bench

__all__ = ["Check", "check", "report"]


def check(thing: Any, among: Sequence[Situation] = ()) -> list[Check]:
    """Everything that is promised about a situation, an institution or a learner (a class, or an instance).

    An institution or a learner is tried on `among`, or, where that is empty, on the situations that come with nomoi.
    """
    cls = thing if isinstance(thing, type) else type(thing)
    if not issubclass(cls, (Situation, Institution, Learner)):
        raise Refusal(f"{cls.__name__} is no Situation, Institution or Learner; it must derive from one of them.")
    if isinstance(thing, type):
        first = ask("defaults", lambda: _build(cls))
        if not first.passed:
            return [first]
        thing, out = cls(), [first]
    else:
        out = []
    if isinstance(thing, Institution):
        return out + check_institution(thing, among)
    if isinstance(thing, Learner):
        return out + check_learner(thing, among)
    if not thing.institutions:
        out.append(ask("card", lambda: card(cls, CARD)))
    return out + Bench(thing).run()


def report(path: str) -> tuple[list[Check], bool]:
    """All checks of all that FILE.py (or FILE.py:Name) defines, and whether none of them failed.

    Institutions of a file are tried on its own situations too.
    """
    loaded = catalogue.load(path)
    classes = loaded if isinstance(loaded, list) else [loaded]
    everything = catalogue.load(path.rpartition(":")[0]) if path.rpartition(":")[2].isidentifier() else classes
    out: list[Check] = []
    for cls in classes:
        checks = check(cls)
        fits_nowhere = any(c.name == "needs" and c.passed is False for c in checks)
        if issubclass(cls, Institution) and fits_nowhere:
            own = [c() for c in everything if issubclass(c, Situation)] if isinstance(everything, list) else []
            checks = check(cls, own) if own else checks
        out += [Check(f"{cls.__name__}: {c.name}", c.passed, c.sentence) for c in checks]
    return out, not any(c.passed is False for c in out)


def _build(cls: type) -> str:
    try:
        cls()
    except Refusal as refusal:
        raise Wrong(f"{cls.__name__}() refuses its own defaults: {refusal}") from None
    except TypeError as error:
        raise Wrong(
            f"{cls.__name__}() cannot be made without arguments ({error}); give every option a default."
        ) from None
    return f"{cls.__name__}() is made from defaults."
