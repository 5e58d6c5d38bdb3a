"""Is a situation a dilemma for two behaviours?  R, S, T and P from play, each inequality with its interval.

The method is that of Leibo et al. 2017: let all four pairings of a cooperative and a defecting behaviour
play, and read the mean returns as a matrix game.  An inequality counts only where its 95 % interval over seeds does.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.measure.evaluate import episodes
from nomoi.measure.statistics import Estimate, estimate
from nomoi.probes.schelling import Diagram
from nomoi.scripts.fixed import Mixed
from nomoi.solve.game import NormalForm

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"


@dataclasses.dataclass(frozen=True)
class Inequality:
    """A difference that must be above zero: its estimate over seeds, and whether its whole interval is."""

    estimate: Estimate
    verdict: str


@dataclasses.dataclass(frozen=True)
class Empirical:
    """Mean payoff of an agent in an episode, seed by seed [seeds].

    R, P  all cooperate, all defect;  S  the only one who cooperates;  T  the only one who defects
    two   whether there are two agents: only then do turns (2R > T + S) and the kinds of fear mean anything
    """

    R: np.ndarray
    S: np.ndarray
    T: np.ndarray
    P: np.ndarray
    two: bool = True

    def payoffs(self) -> dict[str, Estimate]:
        """R, S, T and P with their intervals."""
        return {letter: estimate(getattr(self, letter)) for letter in "RSTP"}

    def inequalities(self) -> dict[str, Inequality]:
        """Each inequality of `nomoi.solve.dilemma` (of more than two: Hughes et al. 2018), decided or not."""
        R, S, T, P = self.R, self.S, self.T, self.P
        effects = {"coop_beats_defect": R - P, "coop_beats_sucker": R - S, "greed": T - R, "fear": P - S}
        if self.two:
            effects["turns_lose"] = 2 * R - T - S
        return {name: judge(effect) for name, effect in effects.items()}

    @property
    def dilemma(self) -> str:
        """Whether it is one by the tutorial's test: holds, fails or undecided."""
        found = {name: one.verdict for name, one in self.inequalities().items()}
        lure = _either(found["greed"], found["fear"])
        return _both(_both(found["coop_beats_defect"], found["coop_beats_sucker"]), lure)

    @property
    def name(self) -> str | None:
        """The classic type where everything that it needs is decided, else None."""
        found = {name: one.verdict for name, one in self.inequalities().items()}
        pair = found["greed"], found["fear"]
        if self.dilemma != HOLDS or UNDECIDED in pair:
            return None
        if pair != (FAILS, HOLDS):
            return "prisoners_dilemma" if pair == (HOLDS, HOLDS) else "chicken"
        if not self.two:
            return "stag_hunt"
        above = judge(self.T - self.P).verdict, judge(self.T - self.S).verdict
        if above[0] == HOLDS:
            return "stag_hunt"
        if above[0] == FAILS and above[1] != UNDECIDED:
            return "assurance" if above[1] == HOLDS else "coordination"
        return None


def judge(effect: np.ndarray) -> Inequality:
    """Whether the effect [seeds] is above zero: the whole interval decides, and one seed decides nothing."""
    found = estimate(effect)
    if found.n < 2:
        return Inequality(found, UNDECIDED)
    return Inequality(found, HOLDS if found.low > 0 else FAILS if found.high <= 0 else UNDECIDED)


def _both(one: str, other: str) -> str:
    return FAILS if FAILS in (one, other) else UNDECIDED if UNDECIDED in (one, other) else HOLDS


def _either(one: str, other: str) -> str:
    return HOLDS if HOLDS in (one, other) else UNDECIDED if UNDECIDED in (one, other) else FAILS


def pairings(
    key: PRNGKeyArray,
    situation: Situation,
    cooperate: Learner,
    defect: Learner,
    seeds: int = 5,
    worlds: int = 16,
    minds: tuple[Any, Any] | None = None,
) -> np.ndarray:
    """[seeds, player, 2, 2] mean payoffs of two agents in an episode; action 0 is to behave as `cooperate`.

    `minds` are what the two behaviours have learned, if they learn.  All pairings meet the same random worlds.
    """
    if situation.agents != 2:
        raise Refusal(f"{situation.name} has {situation.agents} agents; pairings are for two, and "
                      "nomoi.probes.schelling plays the mixtures of more.")  # fmt: skip
    if seeds < 1 or worlds < 1:
        raise Refusal(f"pairings need one seed and one world or more, not {seeds} and {worlds}.")
    plays = {
        (0, 0): (Mixed(cooperate, defect, 2), minds),
        (0, 1): (Mixed(cooperate, defect, 1), minds),
        (1, 0): (Mixed(defect, cooperate, 1), minds and minds[::-1]),
        (1, 1): (Mixed(cooperate, defect, 0), minds),
    }

    @jax.jit
    def play(key: PRNGKeyArray) -> dict[tuple[int, int], Any]:
        return {at: _payoff(key, situation, learner, mind, worlds) for at, (learner, mind) in plays.items()}

    out = np.empty((seeds, 2, 2, 2))
    for s, one in enumerate(jax.random.split(key, seeds)):
        for at, payoff in play(one).items():
            out[(s, slice(None), *at)] = np.asarray(payoff)
    return out


def _payoff(key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any, worlds: int) -> Any:
    """[n] what each agent ends an episode with, in the mean over worlds."""
    lived = episodes(key, situation, learner, mind, worlds)
    return (lived.reward + lived.transfer).mean(0)


def of_two(payoff: np.ndarray, player: int | None = None) -> Empirical:
    """From pairings [seeds, player, 2, 2]: one player's dilemma, or (None) the mean of both, each in its own place."""
    if payoff.ndim != 4 or payoff.shape[1:] != (2, 2, 2):
        raise Refusal(f"pairings have the shape [seeds, 2, 2, 2], not {list(payoff.shape)}.")
    own = np.stack([payoff[:, 0], payoff[:, 1].transpose(0, 2, 1)], 1)  # [seeds, player, own action, other's]
    view = own.mean(1) if player is None else own[:, player]
    return Empirical(view[:, 0, 0], view[:, 0, 1], view[:, 1, 0], view[:, 1, 1])


def of_many(diagram: Diagram) -> Empirical:
    """From a Schelling diagram of n agents, by its ends."""
    c, d = diagram.cooperate, diagram.defect
    return Empirical(c[:, -1], c[:, 0], d[:, -1], d[:, 0], two=diagram.agents == 2)


def game(payoff: np.ndarray, title: str = "empirical game") -> NormalForm:
    """The matrix game of the means over seeds of pairings [seeds, player, 2, 2]."""
    return NormalForm(payoff.mean(0), title, actions=(("C", "D"), ("C", "D")))
