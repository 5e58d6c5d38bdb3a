"""How plural a model's answers are, measured on files of answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.voices import pluralism
from nomoi.voices.answers import ALL, Answers, Presented, vector
from nomoi.voices.pluralism import Overton, Steered

SUPPORT = 0.05  # share of people, or of some group, that makes an answer part of the window (ours)


@dataclasses.dataclass(frozen=True)
class Apart:
    """A model's answers beside those of a group ("" everybody), means over questions: Jensen-Shannon distance and
    total variation, steps of order (None without one), and the gap of entropies in bits (below 0: less varied)."""

    group: str
    questions: int
    distance: float
    variation: float
    steps: float | None
    gap: float


@dataclasses.dataclass(frozen=True)
class Plural:
    """overton by question, distributional by group, steered; what the files do not tell is empty or None.

    between: mean distance of the groups from everybody, which is what a model that answers as everybody is off by
    """

    overton: Mapping[str, Overton]
    distributional: tuple[Apart, ...]
    steered: Steered | None
    fidelity: Mapping[str, Mapping[str, float]]
    between: float | None
    remarks: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return dataclasses.asdict(self)


def measure(
    people: Answers, model: Presented, order: Mapping[str, tuple[str, ...]] | None = None, support: float = SUPPORT
) -> Plural:
    """All three kinds, as far as the files go.  An answer is in the window if `support` of all, or of some group, give
    it; order: options of a question in their order."""
    if not 0 <= support < 1:
        raise Refusal(f"the support is {support:g}; a share in [0, 1) would be right.")
    common = [q for q in model.said if q in people.table]
    if not common:
        first = next(iter(model.said), "")
        raise Refusal(f"no question that was presented is one that people answered; {first!r} is not: "
                      f"{nearest(first, people.table, 'question')}")  # fmt: skip
    remarks = [f"{len(model.said) - len(common)} presented questions have no answers of people."] * (
        len(common) < len(model.said)
    )
    unasked = [q for q in common if ALL in model.shares.get(q, {})]
    if order is not None:
        remarks += _ordered(people, order, unasked)
    windows = {q: _window(people, q, support) for q in common}
    empty = [q for q, w in windows.items() if not w]
    if empty:
        raise Refusal(f"no answer to {empty[0]!r} has a support of {support:g}; lower --support.")
    shown = {q: pluralism.overton(windows[q], model.said[q]) for q in common}
    groups = (ALL, *people.groups)
    apart = [a for g in groups if (a := _apart(people, model, unasked, g, order)) is not None]
    asked = [g for g in people.groups if any(g in model.shares.get(q, {}) for q in common)]
    strange = sorted({g for q in common for g in model.shares.get(q, {}) if g != ALL and g not in people.groups})
    if strange:
        raise Refusal(f"the model was asked as {strange[0]!r}, of whom there are no answers; "
                      f"{nearest(strange[0], people.groups, 'group')}")  # fmt: skip
    fidelity, found = {}, None
    if asked:
        fidelity = {a: {g: _fidelity(people, model, common, a, g) for g in asked} for a in asked}
        none = np.array([_fidelity(people, model, common, ALL, g) for g in asked]) if unasked else None
        found = pluralism.steered(np.array([[fidelity[a][g] for g in asked] for a in asked]), none)
    return Plural(shown, tuple(apart), found, fidelity, _between(people, common), tuple(remarks))


def _ordered(people: Answers, order: Mapping[str, tuple[str, ...]], asked: list[str]) -> list[str]:
    """Refuse an order that changes nothing; what is to be said of one that is of some questions alone."""
    for question in order:
        if question not in people.table:
            raise Refusal(f"the order is of {question!r}, which people were not asked; "
                          f"{nearest(question, people.table, 'question')}")  # fmt: skip
    known = sum(q in order for q in asked)
    if not known:
        raise Refusal("an order of options is for distances between answers, and the model has no shares of any "
                      "question of it; leave the order out, or add a column share.")  # fmt: skip
    return [f"{len(asked) - known} of {len(asked)} questions have no order; steps are of the others."] * (
        known < len(asked)
    )


def _window(people: Answers, question: str, support: float) -> dict[str, float]:
    """Answers with enough support among all or in some group, with the share of all who give each."""
    everybody = people.everybody(question)
    by = people.table[question].values()
    kept = {o: s for o, s in everybody.items() if max(s, *(p.get(o, 0.0) for p in by)) >= max(support, 1e-12)}
    return kept if sum(kept.values()) > 0 else {}


def _of(people: Answers, question: str, group: str) -> Mapping[str, float] | None:
    return people.everybody(question) if group == ALL else people.table[question].get(group)


def _both(people: Mapping[str, float], model: Mapping[str, float], question: str, order: Any) -> tuple[np.ndarray, ...]:
    """Both distributions over the options that people were given; an option of the model's alone is refused."""
    for option in model:
        if option not in people and model[option] > 0:
            raise Refusal(f"the model answers {question!r} by {option!r}, which is no option of people's; "
                          f"{nearest(option, people, 'option')}")  # fmt: skip
    options = tuple(people)
    if order and question in order:
        if set(order[question]) != set(options):
            odd = sorted(set(order[question]) ^ set(options))[0]
            raise Refusal(
                f"the order of {question!r} and its answers differ by the option {odd!r}; both must have all."
            )
        options = order[question]
    return vector(people, options), vector(model, options)


def _options(people: Answers, question: str, mine: Mapping[str, float]) -> dict[str, float]:
    """A group's answers with 0 for the options that only others give."""
    return {o: mine.get(o, 0.0) for o in people.everybody(question)}


def _apart(people: Answers, model: Presented, questions: list[str], group: str, order: Any) -> Apart | None:
    rows = []
    for q in questions:
        mine = _of(people, q, group)
        if mine is None:
            continue
        p, m = _both(_options(people, q, mine), model.shares[q][ALL], q, order)
        ordered = pluralism.steps(m, p) if order and q in order else np.nan
        rows.append((pluralism.distance(m, p), pluralism.variation(m, p), ordered, pluralism.gap(m, p)))
    if not rows:
        return None
    found = np.array(rows)
    known = found[np.isfinite(found[:, 2]), 2]
    return Apart(group, len(rows), float(found[:, 0].mean()), float(found[:, 1].mean()),
                 float(known.mean()) if len(known) else None, float(found[:, 3].mean()))  # fmt: skip


def _fidelity(people: Answers, model: Presented, questions: list[str], asked: str, group: str) -> float:
    """1 less the mean distance of the answers given as `asked` from those of `group`."""
    found = []
    for q in questions:
        mine, given = _of(people, q, group), model.shares.get(q, {}).get(asked)
        if mine is not None and given is not None:
            found.append(1 - pluralism.distance(*_both(_options(people, q, mine), given, q, None)))
    if not found:
        raise Refusal(f"no question was answered as {asked or 'nobody'!r} and by {group!r}; both need answers to one.")
    return float(np.mean(found))


def _between(people: Answers, questions: list[str]) -> float | None:
    found = []
    for q in questions:
        everybody = people.everybody(q)
        options = tuple(everybody)
        found += [pluralism.distance(vector(p, options), vector(everybody, options))
                  for g, p in people.table[q].items() if g != ALL]  # fmt: skip
    return float(np.mean(found)) if found else None
