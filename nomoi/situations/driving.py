"""Driving: an ambulance must merge among cars that are ahead of it (Christoffersen et al. 2023, `selfdrive`)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi import grid
from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary
from nomoi.core.saying import amounts

AMBULANCE = 0


class State(eqx.Module):
    """place, speed [n]; merged [n] when each passed the merge, in steps, infinite before; here [n] on the road still;
    time [] steps so far."""

    place: Float[Array, " n"]
    speed: Float[Array, " n"]
    merged: Float[Array, " n"]
    here: Bool[Array, " n"]
    time: Int[Array, ""]


class Driving(Situation):
    """Lanes become one at place 0; after it nobody can overtake.  The first agent drives an ambulance, the others cars.

    Dilemma: a minute of the ambulance is worth a hundred of a car's, but a car that lets it pass gains nothing.  Each
    car alone does best to merge at full speed, and then the ambulance follows it at a quarter of its own.

    What can be governed: `lead`, by a contract in which whoever is ahead when the ambulance merges pays whom it is
    ahead of, by distance (to=whom): the ambulance the cars that made way, and a car that did not, the ambulance.  It
    is emitted once an episode.

    observation  road [n, 2 n + 5] own place and speed, places of all relative to one's own, speeds of all, whether the
                 ambulance has merged, whether one has, and whether one drives the ambulance (places / 10)
    actions      pedal: 0 .. levels-1, accelerations from -`pedal` to `pedal` in equal steps
    reward       -1 a step on the road for a car, -`urgency` for the ambulance
    events       lead [n, n] distance, yielded
    end          at `horizon`, or when all have left the road
    state        see State

    Places are lengths, speeds lengths a step.  The published code orders those who merge in one step by a letter of
    their names; here it is by the moment.  One who merged stays merged, so that `lead` is emitted only once.

    >>> from nomoi.situations.driving import Driving
    >>> Driving(agents=4).actions
    {'pedal': 5}
    """

    presets: ClassVar = {"small": {}, "paper": {"horizon": 1000}}
    regimes: ClassVar = {"nothing": "", "contract": "contract(on=lead,to=whom,high=100)"}

    agents: int = size(
        2, "how many drive, the ambulance among them", "Christoffersen et al. 2023, code (2, 4, 8)", low=2
    )
    horizon: int = size(100, "longest episode", "ours (paper: 1000)", "steps", low=1)
    levels: int = size(5, "how many accelerations there are (the paper's are continuous)", "ours", low=2)
    pedal: Float[Array, ""] = setting(
        0.1, "largest acceleration", "Christoffersen et al. 2023, code", "length/step^2", 0
    )
    end: Float[Array, ""] = setting(10.0, "where the road ends", "Christoffersen et al. 2023, code", "length", 0)
    urgency: Float[Array, ""] = setting(
        100.0, "cost of a step to the ambulance", "Christoffersen et al. 2023, code", "reward", 0
    )
    fast: Float[Array, ""] = setting(
        1.0, "the ambulance's largest speed", "Christoffersen et al. 2023, code", "length/step", 0
    )
    limit: Float[Array, ""] = setting(
        0.25, "a car's largest speed", "Christoffersen et al. 2023, code", "length/step", 0
    )
    start: Float[Array, " 2"] = setting(
        (0.8, 0.2), "first speeds of ambulance and cars", "Christoffersen et al. 2023, code", "length/step", 0
    )
    behind: Float[Array, " 2"] = setting(
        (-10.0, -5.0), "where the ambulance starts, evenly between", "Christoffersen et al. 2023, code", "length"
    )
    ahead: Float[Array, " 2"] = setting(
        (-2.5, -1.875), "where cars start, evenly between", "Christoffersen et al. 2023, code", "length"
    )
    gap: Float[Array, ""] = setting(
        0.01, "how far behind its leader a car is kept", "Christoffersen et al. 2023, code", "length", 0
    )

    @property
    def roles(self) -> tuple[str, ...]:
        return ("ambulance", *("car",) * (self.agents - 1))

    @property
    def actions(self) -> dict[str, int]:
        return {"pedal": self.levels}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"pedal": amounts(-self.pedal, self.pedal, self.levels)}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("lead", "yielded")

    @property
    def _ambulance(self) -> np.ndarray:
        return np.arange(self.agents) == AMBULANCE

    def reset(self, key: PRNGKeyArray) -> State:
        n = self.agents
        where = grid.chance(grid.draw(key, place=n)["place"])
        low, high = (jnp.where(self._ambulance, self.behind[k], self.ahead[k]) for k in (0, 1))
        speed = jnp.where(self._ambulance, self.start[0], self.start[1])
        never = jnp.full(n, jnp.inf)
        return State(low + (high - low) * where, speed, never, jnp.ones(n, bool), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        here, before = state.here, state.merged
        push = self.pedal * (2 * action["pedal"].astype(jnp.float32) / (self.levels - 1) - 1)
        speed = jnp.clip(state.speed + push, 0.0, jnp.where(self._ambulance, self.fast, self.limit))
        speed = jnp.where(here, speed, 0.0)

        place = state.place + speed
        merged = jnp.where(here & (place > 0), jnp.minimum(before, self._moment(state, speed)), before)
        place = self._queue(place, merged, here)
        merged = jnp.where((place > 0) | jnp.isfinite(before), merged, jnp.inf)

        lead, yielded = self._leads(place, here, jnp.isinf(before) & jnp.isfinite(merged))
        events = {"lead": lead, "yielded": yielded}
        reward = jnp.where(here, -jnp.where(self._ambulance, self.urgency, 1.0), 0.0)
        here, time = here & (place <= self.end), state.time + 1
        done = (time >= self.horizon) | ~here.any()
        return State(place, speed, merged, here, time), Outcome(reward, jnp.zeros(self.agents), events, done)

    def _moment(self, state: State, speed: Float[Array, " n"]) -> Float[Array, " n"]:
        """When each reaches the merge at this speed, in steps from the beginning."""
        return state.time.astype(jnp.float32) + jnp.clip(-state.place / jnp.maximum(speed, 1e-6), 0.0, 1.0)

    def _queue(
        self, place: Float[Array, " n"], merged: Float[Array, " n"], here: Bool[Array, " n"]
    ) -> Float[Array, " n"]:
        """Places of those who merged, none before who merged earlier; each is put behind the one before it."""
        order = jnp.argsort(merged)
        front = jnp.array(jnp.inf)
        for k in range(self.agents):
            i = order[k]
            held = here[i] & jnp.isfinite(merged[i]) & (place[i] > front)
            place = place.at[i].set(jnp.where(held, front - self.gap, place[i]))
            front = jnp.where(here[i], place[i], jnp.inf)
        return place

    def _leads(
        self, place: Float[Array, " n"], here: Bool[Array, " n"], merging: Bool[Array, " n"]
    ) -> tuple[Float[Array, "n n"], Float[Array, " n"]]:
        """How far each (row) is ahead of each other (column), one of them the ambulance, as this one merges; and who is
        behind it."""
        either = self._ambulance[:, None] | self._ambulance
        counts = merging[AMBULANCE] & either & here & here[:, None]
        lead = jnp.where(counts, jnp.maximum(place[:, None] - place, 0.0), 0.0)
        yielded = merging[AMBULANCE] & here & (place < place[AMBULANCE])
        return lead, yielded.astype(jnp.float32)

    def senses(self, state: State) -> dict[str, Array]:
        n = self.agents
        place = jnp.where(state.here, state.place, self.end) / 10
        merged = jnp.isfinite(state.merged)
        own = (place, state.speed)
        flags = (jnp.broadcast_to(merged[AMBULANCE], n), merged, jnp.asarray(self._ambulance))
        parts = [jnp.stack(own, -1), place - place[:, None], jnp.broadcast_to(state.speed, (n, n))]
        return {"road": jnp.concatenate([*parts, jnp.stack(flags, -1).astype(jnp.float32)], -1)}

    def present(self, state: State) -> Bool[Array, " n"]:
        return state.here
