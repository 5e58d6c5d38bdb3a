"""Chosen: how often each player of a game takes each of its choices in the end, called as the game's file calls them.

No record holds it: names change no number, and what was learned is all that it takes.  So it is counted when it is
asked for, in episodes that those who learned (or a script) play once more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.keys import key_of
from nomoi.core.learner import Learner
from nomoi.core.recast import Recast
from nomoi.core.rollout import inhabited
from nomoi.measure.statistics import Estimate, estimate
from nomoi.play.called import called, joined
from nomoi.play.transcript import replay
from nomoi.runs import programs
from nomoi.runs.record import Record
from nomoi.runs.spoken import Spoken, transcript
from nomoi.runs.trained import Trained, learned
from nomoi.runs.trial import trial_of
from nomoi.situations.matrix import Matrix
from nomoi.solve.game import NormalForm

if TYPE_CHECKING:
    import pyarrow as pa

WORLDS = 1024  # episodes a run, of which a share is known to 0.016 (ours)
APART = 0.25  # a share that differs by more from one seed to another is no noise of WORLDS episodes (ours)


@dataclasses.dataclass(frozen=True)
class Choices:
    """How often each choice is taken.

    players, labels   what they are called, [n] and [n][A];  shares  by regime or script, [seeds, n, A]
    defect            the first choice that counts as defection
    """

    players: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    shares: Mapping[str, np.ndarray]
    defect: int = 1

    @property
    def heads(self) -> tuple[str, ...]:
        """A name for the k-th choice of all: theirs, where all call it the same, or each player's own."""
        return joined(self.labels)

    @property
    def defections(self) -> tuple[str, ...]:
        """The choices that count as defection."""
        return self.heads[self.defect :]

    def lines(self, label: str) -> list[tuple[str, list[Estimate]]]:
        """Each player's shares under a regime, or of a script."""
        found = self.shares[label]
        return [(who, [estimate(x) for x in found[:, i].T]) for i, who in enumerate(self.players)]

    @property
    def apart(self) -> tuple[str, ...]:
        """The regimes or scripts whose runs came to unlike ends, which a mean over seeds hides."""
        return tuple(label for label, found in self.shares.items() if np.ptp(found, axis=0).max() > APART)

    @property
    def unlike(self) -> str:
        """What is said where runs of one regime came to unlike ends, so that the mean is of none; else nothing."""
        if not self.apart:
            return ""
        return (f"Runs of one regime differ ({', '.join(self.apart)}): a share is over {APART} higher in one seed than "
                "in another, and the table has their mean; `result.choices.frame()` has each run.")  # fmt: skip

    def data(self, label: str) -> dict[str, dict[str, Any]]:
        """The same as plain data: {player: {choice: estimate}}."""
        return {
            who: {choice: e.data() for choice, e in zip(labels, some, strict=True)}
            for (who, some), labels in zip(self.lines(label), self.labels, strict=True)
        }

    def frame(self) -> pa.Table:
        """The shares as a table of Arrow: one row for each choice of each player in each run."""
        import pyarrow as pa

        return pa.Table.from_pylist([
            {"label": label, "seed": seed, "player": who, "choice": choice, "share": float(found[seed, i, k])}
            for label, found in self.shares.items() for seed in range(len(found))
            for i, (who, labels) in enumerate(zip(self.players, self.labels, strict=True))
            for k, choice in enumerate(labels)
        ])  # fmt: skip


def choices(situation: Situation, source: NormalForm | None, records: Mapping[str, Sequence[Record]]) -> Choices | None:
    """The choices of records by label; None where what is lived in is no game, or there are no records.

    source   the game of the file, where it is of one
    """
    bare = situation.bare
    if not isinstance(bare, Matrix) or not records:
        return None
    labels = source.actions if source else (bare.choices["choose"],) * bare.agents
    shares = {label: np.stack([_share(record) for record in some]) for label, some in records.items()}
    return Choices(called(bare, source), labels, shares, bare.defect)


def _share(record: Record) -> np.ndarray:
    """[n, A] of one run."""
    trial: Any = trial_of(record)
    if isinstance(trial, Spoken):
        return _spoken(record, trial.place)
    mind = learned(record, trial) if isinstance(trial, Trained) else None
    player = trial.learner if isinstance(trial, Trained) else trial.script
    return np.asarray(_counted(key_of(record.seed or 0), trial.place, player, mind))


def _spoken(record: Record, place: Situation) -> np.ndarray:
    """[n, A] of what was played at a table, which is lived through again."""
    taken, turns = np.zeros((place.agents, place.bare.actions["choose"])), [0]

    def watch(table: Any) -> None:
        if int(table.turn) > turns[0]:
            taken[np.arange(place.agents), np.asarray(_world(place, table.state).last)] += 1
        turns[0] = int(table.turn)

    replay(transcript(record), place, watch)
    return taken / taken.sum(1, keepdims=True)


def _world(situation: Situation, state: Any) -> Any:
    return situation.inner(state) if isinstance(situation, Recast) else state


def count(key: PRNGKeyArray, situation: Situation, player: Learner, mind: Any) -> Float[Array, "n A"]:
    """How often each agent takes each choice of a game, of what came into the world; one episode in each of WORLDS."""
    first, live = inhabited(key, situation, player, WORLDS, mind)
    many = situation.bare.actions["choose"]

    def tick(now: Any, t: Array) -> tuple[Any, None]:
        running, over, taken = now
        later, after, _, done = live(running, t)
        last = jax.vmap(lambda state: _world(situation, state).last)(after.state)
        counts = ~over & (after.turn > running.worlds.turn)  # not while an institution convenes
        taken += jnp.where(counts[:, None, None], jax.nn.one_hot(last, many), 0.0).sum(0)
        return (later, over | done, taken), None

    begun = first, jnp.zeros(WORLDS, bool), jnp.zeros((situation.agents, many))
    steps = situation.horizon + 8  # an institution that convenes may add some
    taken = jax.lax.scan(tick, begun, jnp.arange(steps))[0][2]
    return taken / taken.sum(1, keepdims=True)


_counted = programs.jit(count)
