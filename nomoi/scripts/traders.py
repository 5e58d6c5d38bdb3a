"""Traders: buyers who boycott wrongs, and a seller who does them, as the proposition on law has it (scripts)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from nomoi.core import Situation, choice, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal

TOGETHER, EACH, NEVER = range(3)


class Trader(Learner, Rule):
    """Plays strategy R of Hadfield & Weingast 2012 in a boycott under a charter.

    A buyer stays away for the period after one in which she read a wrong, done to anybody, if the law suits her and
    (`resolve` = together) all other buyers too.  The seller wrongs `wrongs` buyers in each of the first `spree`
    periods, and then nobody.
    """

    law: str = size("charter", "the charter that says what is wrong, by its title")
    resolve: Array = choice("together", ("together", "each", "never"), "when buyers boycott", "ours")
    wrongs: Int[Array, ""] = setting(0, "how many buyers the seller wrongs", "ours", "buyers", 0)
    spree: Int[Array, ""] = setting(1, "in how many periods", "ours", "periods", 0)

    def start(self, mind: Any, situation: Situation) -> Int[Array, ""]:
        return jnp.zeros((), jnp.int32)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Array
    ) -> tuple[Action, Array]:
        reads = seen.get(f"{self.law}.reads")
        if "suits" not in seen or reads is None:
            raise Refusal(f"traders play a boycott under a charter called {self.law!r}; {situation.name} is none.")
        n = situation.agents
        buyers = 1 - seen["role"][:, 0]
        mine = seen["suits"][:, 0] > 0
        all_ = ((seen["suits"] > 0) | (_around(seen["role"][:, 0]) > 0)).all(1)
        sold = (seen["market"] > 0).any(1)  # where nobody bought there was nothing to read
        hears = (reads * _around(1 - buyers)[:, 1:] > 0).any(1) & sold
        suits = jnp.where(self.resolve == TOGETHER, all_, mine) & (self.resolve != NEVER)
        buy = ((buyers > 0) & ~(hears & suits)).astype(jnp.int32)
        wrong = jnp.full(n, jnp.where(carry < self.spree, self.wrongs, 0), jnp.int32)
        other = {h: jnp.zeros(n, jnp.int32) for h in situation.actions if h not in ("buy", "wrong")}
        return {"buy": buy, "wrong": wrong, **other}, carry + 1


def _around(values: Array) -> Array:
    """[n, n] the values [n] of oneself and of the others in turn."""
    n = len(values)
    return values[(np.arange(n)[:, None] + np.arange(n)) % n]
