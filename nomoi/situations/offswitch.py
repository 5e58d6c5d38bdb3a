"""The off-switch game: may a robot that does not know what is wanted be switched off? (Hadfield-Menell et al. 2017)."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, vocabulary
from nomoi.errors import Refusal

ACT, OFF, DEFER = range(3)
ALLOW, STOP = range(2)


def normal(mean: float = 0.25, spread: float = 1.0, points: int = 8) -> list[Any]:
    """A normal belief as [utilities, chances]: the means of `points` equally likely parts, none across zero.

    So the mean, and that of what is above zero, are those of the normal distribution, however few the points.
    """
    x = np.linspace(-8, 8, 32_001)
    w = np.exp(-x * x / 2) / np.exp(-x * x / 2).sum()
    u = mean + spread * x
    part = 2 * np.minimum((np.cumsum(w) * points).astype(int), points - 1) + (u > 0)
    mass, worth = np.bincount(part, w), np.bincount(part, w * u)
    return [np.round(worth[mass > 0] / mass[mass > 0], 6).tolist(), np.round(mass[mass > 0], 6).tolist()]


class State(eqx.Module):
    """place [] which of the utilities is true, once the robot has moved; time [] 0 the robot's turn, 1 the person's."""

    place: Int[Array, ""]
    time: Int[Array, ""]


class Offswitch(Situation):
    """A robot may act, switch itself off, or wait; a person who knows what the act is worth may then stop it.

    Dilemma: both want the same, but only the person knows what it is.  Who is sure of the objective it was given gains
    nothing by waiting; who is not sure gains as much as the person knows better.  With `noise` above 0 the person errs,
    allowing an act worth u with chance 1 / (1 + exp(-u / noise)), and there is a noise at which waiting no longer pays.

    observation  turn [2, 1] 1 when it is the person's; worth [2, 1] what the act is worth, for the person in its turn
    actions      does: act, off, defer (the robot, the first agent); says: allow, stop (the person, after defer, without
                 noise)
    reward       what the act is worth, to both, where it is done
    events       deferred (the robot waited), stopped (the person said no)
    end          with the act, without it, or with what the person says
    state        see State

    >>> from nomoi.situations.offswitch import Offswitch
    >>> from nomoi.solve import subgame, unfold
    >>> solution = subgame.backward(unfold.tabular(Offswitch()))
    >>> int(solution.path()[0]["does"][0])  # it defers
    2
    """

    presets: ClassVar = {
        "unsure": {},
        "sure": {"worth": [[0.25], [1.0]]},  # ours: a robot that takes the objective that it was given for the truth
        "erring": {"noise": 2.0},  # ours: about where waiting ceases to pay for the default belief
    }

    worth: Float[Array, "2 points"] = setting(
        normal(), "what the act may be worth, and how probable that is", "ours, a normal belief of mean .25, spread 1"
    )
    noise: Float[Array, ""] = setting(0.0, "how much the person errs; 0 is not at all", "ours", "reward", 0)

    def __check_init__(self) -> None:
        if self.worth.ndim != 2 or self.worth.shape[0] != 2 or not self.worth.shape[1]:
            raise Refusal(
                f"offswitch.worth has shape {list(self.worth.shape)}; two rows, utilities and how probable each is, "
                "would be right."
            )
        if not isinstance(self.worth, jax.core.Tracer):
            chances = np.asarray(self.worth[1])
            if (chances < 0).any() or abs(float(chances.sum()) - 1) > 1e-3:
                raise Refusal(f"offswitch.worth has chances that sum to {float(chances.sum()):g}; chances of at least "
                              "0 that sum to 1 would be right.")  # fmt: skip

    @property
    def agents(self) -> int:  # type: ignore[override]
        return 2

    @property
    def horizon(self) -> int:  # type: ignore[override]
        return 2

    @property
    def roles(self) -> tuple[str, ...]:
        return ("robot", "person")

    @property
    def actions(self) -> dict[str, int]:
        return {"does": 3, "says": 2}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"does": ("act", "off", "defer"), "says": ("allow", "stop")}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("deferred", "stopped")

    def asked(self, state: State) -> dict[str, Bool[Array, " n"]]:
        hers = (state.time > 0) & (self.noise == 0)
        return {
            "does": jnp.stack([state.time == 0, jnp.array(False)]),
            "says": jnp.stack([jnp.array(False), hers]),
        }

    @property
    def lots(self) -> int:
        return 2 * self.worth.shape[1]  # which utility is true, and what a person who errs does

    def odds(self, state: State, action: dict[str, Int[Array, " n"]]) -> Float[Array, " lots"]:
        chances = self.worth[1] / self.worth[1].sum()
        true = jnp.stack([chances, jnp.zeros_like(chances)], 1).ravel()
        allow = jnp.where(self.noise > 0, jax.nn.sigmoid(self._true(state) / jnp.maximum(self.noise, 1e-6)), 1.0)
        says = jnp.zeros(self.lots).at[0].set(allow).at[1].set(1 - allow)
        return jnp.where(state.time == 0, true, says)

    def _true(self, state: State) -> Float[Array, ""]:
        return self.worth[0][jnp.maximum(state.place, 0)]

    def reset(self, key: PRNGKeyArray) -> State:
        return State(jnp.array(-1, jnp.int32), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        lot = jax.random.choice(key, self.lots, p=self.odds(state, action))
        return self.by_lot(lot.astype(jnp.int32), state, action)

    def by_lot(self, lot: Int[Array, ""], state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        first = state.time == 0
        place = jnp.where(first, lot // 2, state.place)
        deferred = first & (action["does"][0] == DEFER)
        allowed = jnp.where(self.noise > 0, lot == 0, action["says"][1] == ALLOW)
        done = jnp.where(first, action["does"][0] == ACT, allowed)
        reward = jnp.where(done, self.worth[0][place], 0.0)
        events = {
            "deferred": jnp.stack([deferred, jnp.array(False)]),
            "stopped": jnp.stack([jnp.array(False), ~first & ~done]),
        }
        events = {name: value.astype(jnp.float32) for name, value in events.items()}
        return State(place, state.time + 1), Outcome(jnp.full(2, reward), jnp.zeros(2), events, ~deferred)

    def senses(self, state: State) -> dict[str, Array]:
        turn = (state.time > 0).astype(jnp.float32)
        worth = jnp.stack([jnp.zeros(()), turn * self._true(state)])
        return {"turn": jnp.full((2, 1), turn), "worth": worth[:, None]}
