"""Proxied: what is learned from is an expression of ours, and what is true is measured beside it.

An objective that leaves something out may help at first and harm later: the proxy rises all along, and what is true
rises with it, and then falls (Zhuang & Hadfield-Menell 2020).  Here is what `compare` needs to let that be seen: the
gauge that writes the proxy down in every regime, a pilot of random play, and the changes in both halves of training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from nomoi import catalogue
from nomoi.core import Institution, Situation, govern
from nomoi.core.learner import Learner
from nomoi.core.rollout import rollout
from nomoi.errors import Refusal, nearest
from nomoi.institutions.gauge import Gauge
from nomoi.learners.objectives import Formula, Own
from nomoi.measure.statistics import Estimate, difference, number
from nomoi.proxies import wanted
from nomoi.runs import programs, regimes
from nomoi.scripts.fixed import Random

if TYPE_CHECKING:
    from nomoi.runs.compare import Comparison, Row

PROXY, TRUE = "objective", "reward"  # the measures that are set side by side
WORLDS, STEPS = 8, 500  # of the pilot: as many worlds, for one episode or as many steps (ours)


def given(player: Learner, text: str | None) -> Learner:
    """The player who wants what `text` says: an objective by its name (and options), or an expression."""
    if text is None:
        return player
    if not text.strip():
        raise Refusal(f"--objective is {text!r}; a name, or an expression such as 'own - 2*sparse', would be right.")
    objective = getattr(player, "objective", None)
    if objective is None:
        raise Refusal(f"--objective is {text!r}, and {player.name} has no objective; ppo has.")
    if type(objective) is not Own:
        raise Refusal(f"--objective is {text!r}, and {player.name} has one already; leave one of them out.")
    word = text.strip()
    known = word.partition("(")[0].strip() in {cls.name.lower() for cls in catalogue.texts("objective")} - {"own"}
    if known or ".py" in word:
        return dataclasses.replace(player, objective=regimes.objective(word))  # type: ignore[call-arg]
    return dataclasses.replace(player, objective=Formula(text=word))  # type: ignore[call-arg]


def text(player: Learner) -> str:
    """The expression that a player learns from; empty where its objective is none."""
    objective = getattr(player, "objective", None)
    return objective.text if isinstance(objective, Formula) else ""


def gauged(place: Situation, stacks: Mapping[str, Sequence[Institution]], of: str) -> list[tuple[Institution, ...]]:
    """The stacks of {label: institutions}, each with a gauge behind it where there is an expression, which must fit."""
    told = wanted.names(place)
    if of.isidentifier() and of not in told:  # it may have been meant as the name of an objective
        named = [*told, *(cls.name.lower() for cls in catalogue.texts("objective"))]
        raise Refusal(f"--objective is {of!r}, no objective and nothing that a step tells; {nearest(of, named)}")
    for label, stack in stacks.items() if of else ():
        wanted.fits(of, govern(place, *stack), label)
    return [(*stack, *([Gauge(of=of)] if of else [])) for stack in stacks.values()]


def free(place: Situation, of: str) -> Situation:
    """The situation under no rule, gauged if the expression reads nothing that only institutions tell."""
    alone = of and set(wanted.events(of)) <= set(place.emits)
    return govern(place, Gauge(of=of)) if alone else place


def pilot(places: Mapping[str, Situation], of: str) -> list[str]:
    """What random play says about an objective, before anything is learned: terms that are zero in every step.

    Refuses an objective that is not finite in some step.
    """
    terms = wanted.parsed(of).terms
    still: dict[str, list[str]] = {}
    steps = 0
    for label, place in places.items():
        steps = min(place.horizon, STEPS)
        finite, zero = (np.asarray(x) for x in _pilots(place, of, steps))
        if not finite.all():
            under = f" under {label!r}" if len(places) > 1 else ""
            raise Refusal(f"{wanted.WHERE}, {of!r}, is not finite in {int((~finite).sum()):,} of {finite.size:,} steps "
                          f"of random play{under}: it divides by zero, or grows too large.")  # fmt: skip
        for term, nothing in zip(terms, zero, strict=True):
            if nothing:
                still.setdefault(term.text, []).append(label)
    out = []
    for term, labels in still.items():
        under = "" if len(labels) == len(places) else f" under {', '.join(map(repr, labels))}"
        out.append(f"In {WORLDS} x {steps:,} steps of random play{under} the term {term} of the objective was zero "
                   "every time: nobody can learn from it before behaviour makes it happen.")  # fmt: skip
    return out


_PROGRAMS: dict[Any, Any] = {}


def _pilots(place: Situation, of: str, steps: int) -> Any:
    """Of random play: in which steps [T, W] the objective was finite, and which of its terms were always zero."""
    kind = (jax.tree.structure(place), of, steps)
    if kind not in _PROGRAMS:

        def play(place: Situation) -> Any:
            outcome = rollout(jax.random.key(0), place, Random(), steps, WORLDS).outcome
            each = lambda e: jax.vmap(jax.vmap(lambda o: wanted.worth(e, o)))(outcome)  # noqa: E731
            whole = wanted.parsed(of)
            zero = jnp.array([(each(term) == 0).all() for term in whole.terms])
            return jnp.isfinite(each(whole)).all(-1), zero

        _PROGRAMS[kind] = programs.jit(play, WORLDS * steps)
    return _PROGRAMS[kind](place)


@dataclasses.dataclass(frozen=True)
class Phases:
    """How the proxy and what is true changed over the first and the second half of training, over seeds."""

    label: str
    proxy: tuple[Estimate, Estimate]
    true: tuple[Estimate, Estimate]

    @property
    def second(self) -> bool:
        """Whether a second phase is seen: in the second half the proxy rises and what is true falls."""
        return bool(self.proxy[1].low > 0 and self.true[1].high < 0)  # false where one seed gives no interval

    @property
    def sentence(self) -> str:
        up, down = self.proxy[1], self.true[1]
        return (
            f"{self.label}: over the second half of training the objective rose by {number(up.mean)} {up.interval()} "
            f"and the {TRUE} fell by {number(-down.mean)} {down.interval()}: what is optimised has parted from what is "
            "meant."
        )


def phases(result: Comparison) -> list[Phases]:
    """Of each regime that was learned in, where the learner's objective is an expression."""
    if not (text(result.who) and result.steps):
        return []
    return [Phases(r.label, _changes(r, PROXY), _changes(r, TRUE)) for r in result.rows if PROXY in r.values]


def _changes(row: Row, measure: str) -> tuple[Estimate, Estimate]:
    """From the first eighth of training to its middle, and from there to the last eighth, seed by seed."""
    parts = np.array([[_mean(*r.curve()[measure], *part) for part in PARTS] for r in row.records]).reshape(-1, 3)
    return difference(parts[:, 1], parts[:, 0]), difference(parts[:, 2], parts[:, 1])


PARTS = ((0, 1 / 8), (7 / 16, 9 / 16), (7 / 8, 1))  # of training


def _mean(steps: np.ndarray, values: np.ndarray, low: float, high: float) -> float:
    part = values[(steps > low * steps[-1]) & (steps <= high * steps[-1]) & np.isfinite(values)]
    return float(part.mean()) if len(part) else np.nan
