"""Matrix games: n players choose at once, and a tensor says what each gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary
from nomoi.core.saying import number
from nomoi.errors import Refusal
from nomoi.situations.places import known, players


def symmetric(both: float, alone: float, tempted: float, neither: float) -> list[Any]:
    """The 2 x 2 payoff tensor [2, 2, 2] of R (both cooperate), S (alone), T (tempted), P (neither)."""
    row = [[both, alone], [tempted, neither]]
    return [row, np.transpose(row).tolist()]


class State(eqx.Module):
    """last [n] the previous choices (A, one past the last action, before the first); time []."""

    last: Int[Array, " n"]
    time: Int[Array, ""]


WRITTEN = 64  # outcomes up to which all payoffs are written out (ours)


def _names(many: int) -> tuple[str, ...]:
    """Neutral names of choices."""
    return tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:many]) if many <= 26 else tuple(f"A{k + 1}" for k in range(many))


def _brackets(payoffs: np.ndarray) -> str:
    return f"(they get {' '.join(map(number, payoffs))})"


class Matrix(Situation):
    """Any normal-form game, played `horizon` times.  The default is the tutorial's prisoner's dilemma.

    observation  last [n, n * (A + 1)] everybody's previous choice, one-hot, the own first
    actions      choose: 0 .. A-1 (all players choose among equally many)
    reward       payoff[i, a_1, ..., a_n]
    events       defect: chose an action at or above `defect`
    end          at `horizon`
    state        see State

    >>> from nomoi.situations.matrix import Matrix
    >>> Matrix.preset("chicken").payoff.shape
    (2, 2, 2)
    """

    presets: ClassVar = {
        "dilemma": {},
        "chicken": {"payoff": symmetric(3, 1, 4, 0)},
        "stag": {"payoff": symmetric(4, 0, 3, 1)},
        "classic": {"payoff": symmetric(3, 0, 4, 1)},
    }

    regimes: ClassVar = {
        "nothing": "",
        "levy": "levy(on=defect)",
        "contract": "contract(on=defect,high=4)",
    }

    payoff: Float[Array, "n *actions"] = setting(  # noqa: F821
        symmetric(2.0, 0.0, 4.0, 1.0),
        "payoff [n, A, ..., A], player first",
        'the tutorial (Hadfield et al. 2024), "Games and equilibria"',
        "reward",
    )
    horizon: int = size(1, "how often it is played", "ours", "steps", low=1)
    defect: int = size(1, "actions from this one on, numbered from 0, count as defection", "ours", low=0)

    def __check_init__(self) -> None:
        shape = self.payoff.shape
        if len(shape) != shape[0] + 1 or len(set(shape[1:])) != 1:
            raise Refusal(
                f"matrix.payoff has shape {list(shape)}; for n players with A actions each it must be "
                "[n, A, ..., A] with n action axes, for two players [2, A, A]."
            )
        if shape[1] < 2:
            raise Refusal("matrix.payoff gives its players a single action; at least two make a choice.")
        if self.defect >= shape[1]:  # nothing would count as defection, and rules about it would be idle
            raise Refusal(f"matrix.defect is {self.defect}; the game has choices 0 to {shape[1] - 1}.")

    @classmethod
    def preset(cls, name: str, **changes: object) -> Matrix:
        from nomoi.core import build

        return build(cls, name, **changes)

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.payoff.shape[0]

    @property
    def roles(self) -> tuple[str, ...]:
        """*player* for all in a symmetric game; else those play one part who can change places."""
        payoff = known(self.payoff, "matrix.payoff")
        axes = lambda order: (0, *(1 + i for i in order))  # noqa: E731
        return players(self.agents, lambda order: np.array_equal(payoff[order].transpose(axes(order)), payoff))

    @property
    def actions(self) -> dict[str, int]:
        return {"choose": self.payoff.shape[1]}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"choose": _names(self.payoff.shape[1])}

    @property
    def sentences(self) -> tuple[str, ...]:
        names = ", ".join(self.choices["choose"])
        return (f"In each round all {self.agents} players choose at once, one of {names} each. What one gets depends "
                "on what all of them chose.",)  # fmt: skip

    def words(self, seen: Mapping[str, np.ndarray], role: str) -> str:
        """The payoffs from the own side, and what everybody chose last."""
        names, n = self.choices["choose"], self.agents
        me = self.roles.index(role)
        mine = np.moveaxis(np.asarray(self.payoff), 1 + me, 1)  # the own choice first, then the others' in their order
        others = [i for i in range(n) if i != me]
        told = ["What you get, by your choice and then the others':"] if n > 1 else ["What you get, by your choice:"]
        for made in list(np.ndindex(mine.shape[1:]))[:WRITTEN]:
            own, *rest = (names[k] for k in made)
            with_them = f", the others {' '.join(rest)} {_brackets(mine[(slice(None), *made)][others])}" if rest else ""
            told.append(f"you {own}{with_them}: you get {number(mine[(me, *made)])}")
        last = np.asarray(seen["last"]).reshape(n, -1).argmax(1)
        if (last < len(names)).all():  # not before the first round
            rest = " ".join(names[k] for k in last[1:])
            told.append(f"In the last round you chose {names[last[0]]}" + (f", the others {rest}." if rest else "."))
        return "\n".join(told)

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("defect")

    @property
    def lots(self) -> int:
        return 1

    def reset(self, key: PRNGKeyArray) -> State:
        never = jnp.full(self.agents, self.payoff.shape[1], jnp.int32)
        return State(never, jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        choice = action["choose"]
        reward = self.payoff[(slice(None), *choice)]
        time = state.time + 1
        events = {"defect": (choice >= self.defect).astype(jnp.float32)}
        return State(choice, time), Outcome(reward, jnp.zeros(self.agents), events, time >= self.horizon)

    def senses(self, state: State) -> dict[str, Array]:
        n = self.agents
        around = state.last[(np.arange(n)[:, None] + np.arange(n)) % n]  # the own choice first, then the others'
        seen = (around[..., None] == np.arange(self.payoff.shape[1] + 1)).astype(jnp.float32)
        return {"last": seen.reshape(n, -1)}
