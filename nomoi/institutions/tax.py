"""Tax: on income, in brackets, period by period, returned to all equally (Zheng et al. 2022, the AI Economist)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene

# The code's cutoffs and rates (redistribution.py), in thousands of dollars: single filers in the US, 2018.
US_2018 = {
    "cutoffs": [0.0, 9.7, 39.475, 84.2, 160.725, 204.1, 510.3],
    "rates": [0.10, 0.12, 0.22, 0.24, 0.32, 0.35, 0.37],
}


class Ledger(eqx.Module):
    """income [n] of this period so far; time [] steps of it."""

    income: Float[Array, " n"]
    time: Int[Array, ""]


class Tax(Institution):
    """Every `period` steps each pays on what it earned meanwhile, and all get the same part of the revenue.

    Rates are marginal: rates[k] is due on the part of an income between cutoffs[k] and the next cutoff.  Income is
    material reward and what institutions before this one moved; an income below the first cutoff is untaxed.  With one
    cutoff at 0 it is a flat tax.  A period that the episode's end cuts short is taxed like a whole one.

    needs     nothing
    emits     tax.paid [n] and tax.returned [n], in units of reward; both sum to the same
    senses    tax.standing [n, 2]: the share of the period that has passed, and the share of the own income so far that
              would be due
    memory    see Ledger

    >>> from nomoi.institutions.tax import Tax
    >>> [round(float(t), 2) for t in Tax.preset("us 2018").due([0.0, 9.7, 20.0])]
    [0.0, 0.97, 2.21]
    """

    presets: ClassVar = {"flat": {}, "us 2018": US_2018}

    cutoffs: Float[Array, " k"] = setting([0.0], "incomes from which on each rate is due", "ours (flat)", "reward")
    rates: Float[Array, " k"] = setting([0.3], "marginal rate of each bracket", "ours (flat)", "", 0, 1)
    period: Int[Array, ""] = setting(
        100, "steps between two payments", "AI Economist (Zheng et al. 2022), code", "steps", 1
    )

    def __check_init__(self) -> None:
        if self.cutoffs.shape != self.rates.shape:
            raise Refusal(
                f"tax.rates has {self.rates.size} numbers for {self.cutoffs.size} cutoffs; one for each would be right."
            )
        if not isinstance(self.cutoffs, Tracer) and (np.diff(np.asarray(self.cutoffs)) <= 0).any():
            raise Refusal(
                f"tax.cutoffs are {np.asarray(self.cutoffs).tolist()}, and each must be above the one before."
            )

    @property
    def sentence(self) -> str:
        steps = ", ".join(f"{float(r):.0%} above {float(c):g}" for c, r in zip(self.cutoffs, self.rates, strict=True))
        return f"Every {int(self.period)} steps incomes are taxed ({steps}), and all get an equal part of the revenue."

    def chance(self, situation: Situation) -> str:
        return ""

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "paid": Event("paid", "[n]", "reward", "paid in tax", True, "taxed"),
            "returned": Event("returned", "[n]", "reward", "received of the revenue", True),
        }

    def due(self, income: Float[Array, " n"] | list[float]) -> Float[Array, " n"]:
        """The tax on incomes [n] of a period."""
        tops = jnp.append(self.cutoffs[1:], jnp.inf)
        inside = jnp.clip(jnp.asarray(income)[:, None], self.cutoffs, tops) - self.cutoffs
        return (self.rates * inside).sum(1)

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Ledger:
        return Ledger(jnp.zeros(situation.agents), jnp.zeros((), jnp.int32))

    def inform(
        self, memory: Ledger, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        passed = jnp.broadcast_to(memory.time / self.period, memory.income.shape)
        burden = jnp.where(memory.income > 0, self.due(memory.income) / jnp.maximum(memory.income, 1e-6), 0.0)
        return {"standing": jnp.stack([passed, burden], -1)}

    def settle(
        self, key: PRNGKeyArray, memory: Ledger, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Ledger, State, Outcome]:  # fmt: skip
        income, time = memory.income + outcome.payoff, memory.time + 1
        closed = (time >= self.period) | outcome.done
        paid = jnp.where(closed, self.due(income), 0.0)
        returned = jnp.broadcast_to(paid.mean(), paid.shape)
        after = Ledger(jnp.where(closed, 0.0, income), jnp.where(closed, 0, time))
        return after, state, outcome.pay(returned - paid, self, paid=paid, returned=returned)
