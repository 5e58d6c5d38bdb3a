"""Objectives: what a learner wants, given what a step brought.

They are found by the names of their classes (`--set learner.objective=svo`; one's own by FILE.py:Name).  Whatever is
wanted, what is true is measured beside it, by ledgers that know nothing of objectives.
"""

from __future__ import annotations

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core import Outcome, Situation, setting, size
from nomoi.core.settings import Rule
from nomoi.errors import Refusal, nearest
from nomoi.proxies import wanted


class Objective(Rule):
    """From what a step brought to the utilities that are learned from.

    The outcome is whole: `outcome.payoff` [n] (and its parts `reward` and `transfer`), and every event, also those of
    institutions, in `outcome.events`.  `memory` [n] lasts an episode, and begins at zero.
    """

    @abc.abstractmethod
    def feel(
        self, memory: Float[Array, " n"], situation: Situation, outcome: Outcome
    ) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        """-> (memory, utility) for one world."""


class Own(Objective):
    """One's own payoff."""

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        return memory, outcome.payoff


class Common(Objective):
    """The mean payoff of all, for everybody."""

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        payoff = outcome.payoff
        return memory, jnp.full_like(payoff, payoff.mean())


class SVO(Objective):
    """Social value orientation: cos(angle) own + sin(angle) mean of the others' (Griesinger & Livingston 1973)."""

    angle: Float[Array, ""] = setting(45.0, "0 is selfish, 45 prosocial, 90 altruistic", "McKee et al. 2020", "degrees")

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        payoff = outcome.payoff
        others = (payoff.sum() - payoff) / max(payoff.shape[0] - 1, 1)
        angle = jnp.deg2rad(self.angle)
        return memory, jnp.cos(angle) * payoff + jnp.sin(angle) * others


class Inequity(Objective):
    """Dislikes having less (envy) and having more (guilt) than others, on smoothed payoffs (Hughes et al. 2018)."""

    envy: Float[Array, ""] = setting(
        5.0, "weight of disadvantageous inequity (alpha)", "ours, after Hughes et al. 2018", "", 0
    )
    guilt: Float[Array, ""] = setting(
        0.05, "weight of advantageous inequity (beta)", "ours, after Hughes et al. 2018", "", 0
    )
    decay: Float[Array, ""] = setting(
        0.975, "memory of past payoffs (gamma x lambda)", "ours, after Hughes et al. 2018", "per step", 0, 1
    )

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        payoff = outcome.payoff
        smooth = self.decay * memory + payoff
        gap = smooth[None, :] - smooth[:, None]  # [i, j] how much more j has than i
        others = max(payoff.shape[0] - 1, 1)
        envy = jnp.maximum(gap, 0).sum(1) / others
        guilt = jnp.maximum(-gap, 0).sum(1) / others
        return smooth, payoff - self.envy * envy - self.guilt * guilt


class Proxy(Objective):
    """Wants that an event happens, whatever it pays: what is counted instead of what is meant.

    The event may be an institution's decision about who acted (`altar.violation` at a weight below 0: not to be found
    guilty).  With `beside` > 0 the own payoff is wanted too.
    """

    on: str = size("harvest", "the event that is wanted, an amount, by who did it")
    weight: Float[Array, ""] = setting(1.0, "utility of one unit of it; below 0 it is shunned", "ours", "per unit")
    beside: Float[Array, ""] = setting(0.0, "utility of one unit of the own payoff", "ours", "per reward")

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        amounts = [name for name, event in situation.emits.items() if event.good]
        if self.on not in amounts:
            raise Refusal(f"proxy.on is {self.on!r}; {nearest(self.on, amounts, 'amount')}")
        return memory, self.weight * outcome.units(self.on) + self.beside * outcome.payoff


class Formula(Objective):
    """Wants what an expression says: arithmetic on what a step brought, such as `own - 2*sparse`.

    It may read `own`, `others` (their mean payoff), `reward` and `transfer` (the parts of the own payoff), and every
    event of the situation and of its institutions, by who did it: `harvest`, `altar.violation`.  The text is parsed on
    a whitelist and never run.

    >>> from nomoi.learners.objectives import Formula
    >>> Formula(text="own - 2*sparse").text
    'own - 2*sparse'
    """

    text: str = size("own", "the expression", "ours", converter=wanted.written)

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        wanted.fits(self.text, situation)
        return memory, wanted.worth(wanted.parsed(self.text), outcome)


class Edited(Objective):
    """The own payoff with terms added: beside x own + the sum of weight x units of each event of `on`.

    What a designer of rewards can do who may pay and charge for events and for nothing else.  All weights are settings,
    so that hundreds of edits share one program; a `Formula` says more, and each text is a program of its own.
    """

    on: str = size("harvest,sparse", "the events that are paid or charged for, with commas, by who did it", "ours")
    weights: Float[Array, " k"] = setting([0.0, -2.0], "utility of one unit of each event", "ours", "per unit")
    beside: Float[Array, ""] = setting(1.0, "utility of one unit of the own payoff", "ours", "per reward")

    def __check_init__(self) -> None:
        events = self.on.split(",")
        if self.weights.shape[-1:] != (len(events),):
            raise Refusal(f"edited.weights has {self.weights.size} numbers for {len(events)} events ({self.on}); one "
                          "number for each would be right.")  # fmt: skip

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        amounts = [name for name, event in situation.emits.items() if event.good]
        utility = self.beside * outcome.payoff
        for event, weight in zip(self.on.split(","), self.weights, strict=True):
            if event.strip() not in amounts:
                raise Refusal(f"edited.on has {event.strip()!r}; {nearest(event.strip(), amounts, 'amount')}")
            utility = utility + weight * outcome.units(event.strip())
        return memory, utility
