"""What is promised about a study: at every size its claims and figures are about what will be there."""

from __future__ import annotations

from collections.abc import Iterator

from nomoi.errors import Refusal, nearest
from nomoi.runs.study import SIZES, Study, promise, shared, still
from nomoi.testing.common import Check, Wrong, ask


def check_study(study: Study) -> Iterator[Check]:
    """One check a size; nothing is made for it."""
    yield from (ask(f"{study.name}: {size}", lambda size=size: _promised(study, size)) for size in study.seeds)


def _promised(study: Study, size: str) -> str:
    if size not in SIZES:
        raise Wrong(f"there is no size {size!r}; {nearest(size, SIZES, 'size')}")
    try:
        trials = shared(study.trials(size))
        promise(study, trials, study.seeds[size], figures=True)
    except Refusal as refusal:
        raise Wrong(str(refusal)) from None
    if cannot := still(study, trials, study.seeds[size]):
        raise Wrong(" ".join(cannot))
    return f"{len(trials)} trials can be made, and all will be there that claims and the page are about."
