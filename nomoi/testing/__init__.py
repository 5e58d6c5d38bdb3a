"""Conformance checks that people call on their own files: `nomoi check FILE`, or `nomoi.testing.check(Village)`.

>>> from nomoi.testing import check
>>> from nomoi.situations.pool import Pool
>>> [c.sentence for c in check(Pool) if c.passed is False]
[]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nomoi import catalogue
from nomoi.core import Institution, Situation
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.learners.objectives import Objective
from nomoi.runs.study import own as own_study
from nomoi.testing.common import CARD, Check, Wrong, ask, card
from nomoi.testing.institution import check_institution
from nomoi.testing.learner import check_learner
from nomoi.testing.objective import check_objective
from nomoi.testing.situation import Bench
from nomoi.testing.study import check_study

__all__ = ["Check", "check", "report", "reports"]

FITS = ("needs", "acts", "feels")  # checks that fail of what does not fit where it is tried


def check(thing: Any, among: Sequence[Situation] = ()) -> list[Check]:
    """Everything that is promised about a situation, an institution, a learner (or a script) or an objective.

    `thing` is a class, or an instance.  What is no situation is tried on one of `among`, or, where that is empty, of
    those that come with nomoi.
    """
    return list(_checks(thing, among))


def report(path: str) -> tuple[list[Check], bool]:
    """All checks of all that FILE.py (or FILE.py:Name) defines, its study too, and whether none of them failed."""
    out = list(reports(path))
    return out, not any(c.passed is False for c in out)


def reports(path: str) -> Iterator[Check]:
    """The same, check by check as they are done; some take long.

    What fits no situation that comes with nomoi is tried on those of its own file.
    """
    study = own_study(path)
    loaded = catalogue.load(path, "checked", none=bool(study)) if not study or ":" not in path else []
    yield from check_study(study) if study else ()
    if study and ":" in path:
        return
    classes = loaded if isinstance(loaded, list) else [loaded]
    everything = catalogue.load(path.rpartition(":")[0], "checked") if not isinstance(loaded, list) else classes
    own = [cls for cls in everything if issubclass(cls, Situation)] if isinstance(everything, list) else []
    for cls in classes:
        said = set[str]()
        for one in _checks(cls):
            if own and one.name in FITS and one.passed is False:
                again = _checks(cls, [place() for place in own])
                yield from (_of(cls, other) for other in again if other.name not in said)
                break
            said.add(one.name)
            yield _of(cls, one)


def _of(cls: type, one: Check) -> Check:
    return Check(f"{cls.__name__}: {one.name}", one.passed, one.sentence)


def _checks(thing: Any, among: Sequence[Situation] = ()) -> Iterator[Check]:
    cls = thing if isinstance(thing, type) else type(thing)
    if not issubclass(cls, (Situation, Institution, Learner, Objective)):
        what = "no Situation, Institution, Learner or Objective"
        raise Refusal(f"{cls.__name__} is {what}; it must derive from one of them.")
    if isinstance(thing, type):
        yield (first := ask("defaults", lambda: _build(cls)))
        if not first.passed:
            return
        thing = cls()
    if isinstance(thing, Institution):
        yield from check_institution(thing, among)
    elif isinstance(thing, Learner):
        yield from check_learner(thing, among)
    elif isinstance(thing, Objective):
        yield from check_objective(thing, among)
    else:
        if not thing.institutions:
            yield ask("card", lambda: card(cls, CARD))
        yield from Bench(thing).run()


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
