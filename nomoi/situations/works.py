"""Works: firms that choose how much to make, and a public that buys it and breathes what it leaves in the air."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary
from nomoi.core.saying import amounts


class Works(Situation):
    """Firms choose amounts at once; the public pays what the last unit is worth to it, and bears the harm.

    Two failures of markets in one place.  *Externality*: a unit harms the public by `harm`, which no price tells the
    firm
    (Pigou 1920).  *Market power*: with `slope` above 0 each firm knows that selling more lowers the price, and sells
    too little (Cournot 1838).  With a slope of 0 the price is given.  The public's own choice does nothing.

    observation  last [n, 1] what was made in all, as a share of the most
    actions      make: 0 .. levels - 1, standing for 0 .. `most` in equal steps
    reward       a firm's price x amount - cost x amount - rise x amount^2 / 2 where price = top - slope x all amounts;
                 the public's slope x all^2 / 2 (what it would have paid beyond the price) - harm x all
    events       output (a firm's amount)
    end          at `horizon`
    state        what was made last, time

    >>> from nomoi.situations.works import Works
    >>> Works(firms=2).roles
    ('firm', 'firm', 'public')
    """

    regimes: ClassVar = {
        "nothing": "",
        "levy": "levy(on=output,rate=0.5,proceeds=shared)",
        "permits": "permits",
    }
    presets: ClassVar = {
        "smoke": {},
        "oligopoly": {
            "firms": 2,
            "top": 10.0,
            "slope": 1.0,
            "cost": 2.0,
            "rise": 0.0,
            "harm": 0.0,
            "levels": 25,
            "most": 8.0,
        },
    }

    firms: int = size(1, "how many make something", "ours", low=1)
    horizon: int = size(1, "how often they choose", "ours", "steps", low=1)
    levels: int = size(9, "how many amounts can be made", "ours", low=2)
    most: Float[Array, ""] = setting(2.0, "largest amount", "ours", "units", 0)
    top: Float[Array, ""] = setting(2.0, "price of the first unit", "ours", "reward/unit")
    slope: Float[Array, ""] = setting(0.0, "by how much each unit lowers the price", "ours", "", 0)
    cost: Float[Array, ""] = setting(0.0, "what a unit costs", "ours", "reward/unit", 0)
    rise: Float[Array, ""] = setting(2.0, "by how much each unit of one's own raises that", "ours", "", 0)
    harm: Float[Array, ""] = setting(0.5, "what a unit costs the public", "ours", "reward/unit", 0)

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.firms + 1

    @property
    def roles(self) -> tuple[str, ...]:
        return ("firm",) * self.firms + ("public",)

    @property
    def actions(self) -> dict[str, int]:
        return {"make": self.levels}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"make": amounts(0, self.most, self.levels)}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("output")

    @property
    def lots(self) -> int:
        return 1

    @property
    def _makes(self) -> np.ndarray:
        return np.arange(self.agents) < self.firms

    def reset(self, key: PRNGKeyArray) -> tuple[Array, Array]:
        return jnp.zeros(()), jnp.zeros((), jnp.int32)

    def asked(self, state: tuple[Array, Array]) -> dict[str, Array]:
        return {"make": jnp.asarray(self._makes)}

    def step(
        self, key: PRNGKeyArray, state: tuple[Array, Array], action: dict[str, Int[Array, " n"]]
    ) -> tuple[tuple[Array, Array], Outcome]:
        amount = jnp.where(self._makes, self.most * action["make"].astype(jnp.float32) / (self.levels - 1), 0.0)
        total = amount.sum()
        price = self.top - self.slope * total
        profit = price * amount - self.cost * amount - self.rise * amount**2 / 2
        public = self.slope * total**2 / 2 - self.harm * total
        reward = jnp.where(self._makes, profit, public)
        time = state[1] + 1
        done = time >= self.horizon
        return (total, time), Outcome(reward, jnp.zeros(self.agents), {"output": amount}, done)

    def senses(self, state: tuple[Array, Array]) -> dict[str, Array]:
        share = state[0] / jnp.maximum(self.most * self.firms, 1e-6)
        return {"last": jnp.broadcast_to(share, (self.agents, 1))}
