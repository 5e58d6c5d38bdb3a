"""A commons of one's own, in one file, which every institution of a commons can govern.

Try `nomoi compare canal.py:Canal --who random --under "licence+quota+wardens+fine"`.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary


class State(eqx.Module):
    """water [] in the reservoir, 0 to 1; canal [] how well kept it is, 0 to 1; time [] weeks so far."""

    water: Float[Array, ""]
    canal: Float[Array, ""]
    time: Int[Array, ""]


class Canal(Situation):
    """Farmers draw water from a reservoir through a canal that they must clean; strangers may tap it (Ostrom 1990).

    Dilemma: water drawn now is not there in a dry week, and who cleans the canal does it for all.

    observation  level [n, 1] of the reservoir, 0 to 1;  canal [n, 1] how well kept it is, 0 to 1
    actions      draw: 0 to 4 quarters of the own gate;  clean: 1 to work on the canal (for nothing, a stranger)
    reward       the square root of the water that arrives, less `effort` for who cleaned
    events       harvest (water drawn), intrusion (by a stranger), worked (cleaned the canal)
    end          at `horizon`
    state        see State.  Stock: one kind, water

    >>> Canal().actions
    {'draw': 5, 'clean': 2}
    """

    farmers: int = size(5, "how many share the canal", low=1)
    strangers: int = size(1, "how many have no share in it", low=0)
    horizon: int = size(52, "longest episode", "ours", "weeks", low=1)
    gate: Float[Array, ""] = setting(0.1, "most that one can draw in a week", "ours", "of the reservoir", 0)
    rain: Float[Array, ""] = setting(0.25, "water that comes in a week, on average", "ours", "of the reservoir", 0)
    effort: Float[Array, ""] = setting(0.05, "what it costs to clean", "ours", "reward", 0)

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.farmers + self.strangers

    @property
    def roles(self) -> tuple[str, ...]:
        return ("farmer",) * self.farmers + ("stranger",) * self.strangers

    @property
    def belongs(self) -> np.ndarray:
        return (np.arange(self.agents) < self.farmers).astype(np.float32)[:, None]

    @property
    def actions(self) -> dict[str, int]:
        return {"draw": 5, "clean": 2}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "intrusion", "worked")

    def reset(self, key: PRNGKeyArray) -> State:
        return State(jnp.ones(()), jnp.ones(()), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Array]) -> tuple[State, Outcome]:
        wish = self.gate * action["draw"].astype(jnp.float32) / 4
        drawn = wish * jnp.minimum(1.0, state.water / jnp.maximum(wish.sum(), 1e-9))
        own = self.belongs[:, 0]
        cleaned = own * action["clean"].astype(jnp.float32)
        canal = jnp.clip(0.9 * state.canal + 0.2 * cleaned.sum() / self.farmers, 0.0, 1.0)
        water = state.water - drawn.sum() + 2 * self.rain * jax.random.uniform(key)
        after = State(jnp.clip(water, 0.0, 1.0), canal, state.time + 1)
        reward = jnp.sqrt(drawn * (0.5 + 0.5 * state.canal)) - self.effort * cleaned
        events = {"harvest": drawn, "intrusion": (1 - own) * drawn, "worked": cleaned}
        return after, Outcome(reward, jnp.zeros(self.agents), events, after.time >= self.horizon)

    def senses(self, state: State) -> dict[str, Array]:
        tell = lambda x: jnp.broadcast_to(x, (self.agents, 1))  # noqa: E731
        return {"level": tell(state.water), "canal": tell(state.canal)}

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("water",)

    def stock(self, state: State) -> Float[Array, " 1"]:
        return state.water[None]

    def capacity(self) -> Float[Array, " 1"]:
        return jnp.ones(1)
