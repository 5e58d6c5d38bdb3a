"""Meetings: everyone with everyone, and among people whom nobody has met before.

As in a tournament (Axelrod & Hamilton 1981) every guest meets every guest, its own kind too; as in Melting Pot (Leibo
et al. 2021) some agents, the *focal* ones, act by one guest, and the rest, the *background*, by another.  Backgrounds
that are no guests themselves are *held out*: nobody gets a place in the table by being adapted to them.

What the table would mean for a population is asked by a Moran process: those who fare better among the others have
more children, one of whom is now and then of another kind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Situation, outline
from nomoi.core.learner import Learner
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal
from nomoi.measure.evaluate import episodes
from nomoi.measure.statistics import Estimate, estimate
from nomoi.probes.crossplay import everyone
from nomoi.probes.scenarios import OneOf
from nomoi.scripts.fixed import Mixed
from nomoi.solve.finite import rare_mutation
from nomoi.solve.game import symmetric

if TYPE_CHECKING:
    import pyarrow as pa

DRAWS = 200  # resamples of worlds for the intervals of shares (ours)


@dataclasses.dataclass(frozen=True)
class Guest:
    """Who comes to a meeting: a learner (or a script) with what it has learned, and where that was learned."""

    name: str
    learner: Learner
    mind: Any = ()
    origin: str = ""


@dataclasses.dataclass(frozen=True)
class Meeting:
    """What focal agents got in an episode, each, world by world: payoff [guests, backgrounds, worlds].

    guests     names of the rows, and of the first columns;   held_out  names of the other columns
    focal      how many agents act by the row;   agents  how many there are
    """

    guests: tuple[str, ...]
    held_out: tuple[str, ...]
    payoff: np.ndarray
    focal: int
    agents: int

    @property
    def backgrounds(self) -> tuple[str, ...]:
        return self.guests + self.held_out

    def cell(self, row: int, column: int) -> Estimate:
        """What guest `row` gets among `column`; the interval is over worlds, for these minds."""
        return estimate(self.payoff[row, column])

    def score(self, row: int, held_out: bool = False) -> Estimate:
        """The mean over all guests as company, one's own kind too, or over those who are held out."""
        many = len(self.guests)
        company = self.payoff[row, many:] if held_out else self.payoff[row, :many]
        return estimate(company.mean(0) if len(company) else np.array([]))

    @property
    def table(self) -> Float[np.ndarray, "G G"]:
        """Mean payoff of the row among the column, of guests alone."""
        return self.payoff[:, : len(self.guests)].mean(2)

    def frame(self) -> pa.Table:
        """The meeting as a table of Arrow: who, among whom (held out or not), in which world; payoff a focal agent."""
        import pyarrow as pa

        rows, columns, worlds = (x.reshape(-1) for x in np.indices(self.payoff.shape))
        return pa.table({
            "who": np.array(self.guests)[rows], "among": np.array(self.backgrounds)[columns],
            "held_out": columns >= len(self.guests), "world": worlds, "payoff": self.payoff.reshape(-1).astype(float),
        })  # fmt: skip

    def shares(self, size: int = 50, beta: float = 0.1) -> list[Estimate]:
        """Of each guest, the share of time at which a Moran population of `size` is of its kind, mutants being rare.

        People meet in pairs, and a pair is worth what the table says; `beta` is the strength of selection for a
        difference as large as the standard deviation of the table.  The interval is over worlds drawn again with
        replacement, and says nothing about other trainings.
        """
        many = len(self.guests)
        if many < 2:
            raise Refusal("a population of one kind cannot change; a meeting of two guests or more can.")
        rng, own = np.random.default_rng(0), self.payoff[:, :many]
        worlds = own.shape[2]
        spread = max(float(self.table.std()), 1e-12)

        def lasting(table: np.ndarray) -> np.ndarray:
            return rare_mutation(symmetric(table / spread), size, beta, "moran")

        found = lasting(self.table)
        again = np.stack([lasting(own[:, :, rng.integers(worlds, size=worlds)].mean(2)) for _ in range(DRAWS)])
        low, high = np.percentile(again, [2.5, 97.5], axis=0)
        return [Estimate(*map(float, one), n=worlds) for one in zip(found, found, low, high, strict=True)]


def meet(
    key: PRNGKeyArray, situation: Situation, guests: Sequence[Guest], held_out: Sequence[Guest] = (), focal: int = 0,
    worlds: int = 32,
) -> Meeting:  # fmt: skip
    """Let every guest be focal among every guest, and among those held out; all in the same random worlds.

    focal  how many agents act by the focal guest, the first ones; 0 is half of all, at least one
    """
    n = situation.agents
    if n < 2:
        raise Refusal(
            f"{situation.name} has one agent, who can meet nobody; a situation of two or more would be right."
        )
    focal = focal or max(1, n // 2)
    if not 0 < focal < n:
        raise Refusal(f"there are {focal} focal agents, and {n} in all in {situation.name}; 1 to {n - 1} would do.")
    if worlds < 2:
        raise Refusal(f"a meeting is of {worlds} worlds; at least 2 are needed for an interval.")
    names = [g.name for g in (*guests, *held_out)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Refusal(f"{twice[0]!r} comes to the meeting twice; once would be right.")
    if not guests:
        raise Refusal("nobody comes to the meeting; a run, a script or a player of your own would be right.")
    kinds, places = _kinds([fitted(g, situation) for g in (*guests, *held_out)])
    payoff = [[np.asarray(_met(key, situation, kinds, own, other, jnp.int32(focal), worlds)) for other in places]
              for own in places[: len(guests)]]  # fmt: skip
    return Meeting(tuple(names[: len(guests)]), tuple(names[len(guests) :]), np.array(payoff), focal, n)


def fitted(guest: Guest, situation: Situation) -> tuple[Learner, Any]:
    """The guest as one that can speak for everybody here; refused where what it learned has another shape."""
    learner = everyone(situation, guest.learner, situation.agents)
    shapes = jax.eval_shape(lambda key: learner.init(key, situation), jax.random.key(0))
    of = lambda tree: [x.shape for x in jax.tree.leaves(tree)]  # noqa: E731
    if of(shapes) != of(guest.mind):
        where = f", learned in {guest.origin}," if guest.origin else ""
        under = " under " + "+".join(i.name for i in situation.institutions) if situation.institutions else ""
        raise Refusal(
            f"what {guest.name}{where} has learned does not fit {situation.name}{under}: it sees or does other "
            "things there; one that was trained under the same institutions would be right."
        )
    seen = outline(situation).told
    act = lambda m, seen: learner.act(jax.random.key(0), m, situation, seen, learner.start(m, situation))  # noqa: E731
    jax.eval_shape(act, guest.mind, seen)  # who cannot live here says so before anybody plays
    return learner, guest.mind


class Somebody(Learner):
    """Everybody acts by one of many: the one at `place` among those of `kind`.

    Those of a kind are one learner whose settings, and minds, are stacked; a mind is a tuple with one stack for each
    kind, and so is what is carried.  So one program serves every choice, and a kind is asked once however many it has.
    """

    kinds: tuple[Learner, ...]
    kind: Int[Array, ""]
    place: Int[Array, ""]

    def _here(self, mind: Any) -> tuple[OneOf, Any]:
        """One of each kind, of whom one is followed, and their minds."""
        at = lambda x: x[self.place] if eqx.is_array(x) else x  # noqa: E731
        learners, minds = jax.tree.map(at, (self.kinds, mind))
        return OneOf(learners, self.kind), minds

    def start(self, mind: Any, situation: Situation) -> Any:
        who, minds = self._here(mind)
        return who.start(minds, situation)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        who, minds = self._here(mind)
        return who.act(key, minds, situation, seen, carry)


Kinds = tuple[tuple[Learner, Any], ...]


def _kinds(crowd: Sequence[tuple[Learner, Any]]) -> tuple[Kinds, list[tuple[Int[Array, ""], Int[Array, ""]]]]:
    """Those that differ in numbers alone stacked as one kind, and where each is: (kind, place)."""
    stacks: dict[Any, list[Any]] = {}
    places = []
    for one in crowd:
        arrays, rest = eqx.partition(one, eqx.is_array)
        alike = str(rest), tuple((x.shape, str(x.dtype)) for x in jax.tree.leaves(arrays))
        stack = stacks.setdefault(alike, [])
        places.append((jnp.int32(list(stacks).index(alike)), jnp.int32(len(stack))))
        stack.append(one)
    stacked = lambda *x: jnp.stack(x) if eqx.is_array(x[0]) else x[0]  # noqa: E731
    return tuple(jax.tree.map(stacked, *stack) for stack in stacks.values()), places


@eqx.filter_jit
def _met(
    key: PRNGKeyArray, situation: Situation, kinds: Kinds, own: Any, other: Any, focal: Int[Array, ""], worlds: int
) -> Float[Array, " W"]:
    learners, minds = zip(*kinds, strict=True)
    who = Mixed(Somebody(learners, *own), Somebody(learners, *other), focal)
    played = episodes(key, situation, who, (minds, minds), worlds)
    first = jnp.arange(situation.agents) < focal
    return jnp.where(first, played.reward + played.transfer, 0.0).sum(1) / focal.astype(jnp.float32)
