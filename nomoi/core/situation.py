"""Situation: who meets over what.  A Markov game written as pure functions for one world."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core.events import Event
from nomoi.core.measure import Measure
from nomoi.core.saying import features, sections
from nomoi.core.settings import Rule
from nomoi.errors import Refusal
from nomoi.grid.scene import Scene

if TYPE_CHECKING:
    from nomoi.core.institution import Institution

State = Any
Action = dict[str, Int[Array, " n"]]
Observation = dict[str, Array]


class Outcome(eqx.Module):
    """What one step brought.

    reward    [n] float   material payoff from the world (apples, catch); institutions never touch it
    transfer  [n] float   what institutions took from (-) or gave to (+) each agent
    events    name -> [n] or [n, n] float or int, in the shared vocabulary
    done      []  bool    the episode ends with this step

    `govern` enters into the accounts what the transfers were, for each institution by itself, so that what one of them
    gives is never set off against what another one takes:

    moved     []  float   what some agents lost to others
    made      []  float   what institutions gave to all agents beyond what they took
    burnt     []  float   what institutions took from all agents beyond what they gave

    All transfers together are made - burnt.
    """

    reward: Float[Array, " n"]
    transfer: Float[Array, " n"]
    events: dict[str, Array]
    done: Bool[Array, ""]
    moved: Float[Array, ""] = dataclasses.field(default_factory=lambda: jnp.zeros(()))
    made: Float[Array, ""] = dataclasses.field(default_factory=lambda: jnp.zeros(()))
    burnt: Float[Array, ""] = dataclasses.field(default_factory=lambda: jnp.zeros(()))

    @property
    def payoff(self) -> Float[Array, " n"]:
        """What each agent ends the step with: material reward and transfers."""
        return self.reward + self.transfer

    def units(self, event: str) -> Float[Array, " n"]:
        """How much of `event` each agent did (of an event [n, n]: the row's agent, to anybody)."""
        amount = self.events.get(event)
        if amount is None or not jnp.issubdtype(amount.dtype, jnp.floating):
            what = "no event" if amount is None else "a label, not an amount"
            raise Refusal(f"{event!r} is {what}, so nobody can be charged by the unit for it.")
        return amount if amount.ndim == 1 else amount.sum(1)

    def note(self, by: Institution | str, /, **events: Array) -> Outcome:
        """The same outcome in which an institution (or its name) adds its own events, `by.name` for each name.

        Amounts are floats; what is true or false is counted as 1 or 0.
        """
        name = by if isinstance(by, str) else by.name
        noted = {f"{name}.{event}": x.astype(jnp.float32) if x.dtype == bool else x for event, x in events.items()}
        return dataclasses.replace(self, events=self.events | noted)

    def pay(self, amount: Float[Array, " n"], by: Institution | str = "", /, **events: Array) -> Outcome:
        """The same outcome with `amount` [n] added to the transfers; and with events that `by` adds (see `note`)."""
        paid = dataclasses.replace(self, transfer=self.transfer + amount)
        return paid.note(by, **events) if events else paid


CROWD = 1000  # the most agents: what they do to one another is n x n numbers a step and world (ours)
ABILITIES = ("stock", "scene", "aim", "remove")


class Situation(Rule):
    """A social situation.  Subclasses are leaves; to vary one, govern it.

    All functions are pure, for one world, and know nothing of batches: `vmap` lives in rollout and training.
    What agents see is `senses` (named features) and, where the situation is spatial, a view of `scene`.
    """

    @property
    @abc.abstractmethod
    def agents(self) -> int:
        """How many there are; usually a `size` of the subclass."""

    @property
    @abc.abstractmethod
    def horizon(self) -> int:
        """The longest episode, in steps; usually a `size` of the subclass."""

    # regimes that `compare` tries unless told otherwise: label -> text, such as "altar(display=hidden)+sanction"
    regimes: ClassVar[Mapping[str, str]] = {"nothing": ""}
    who: ClassVar[str] = "ppo"  # who plays unless told otherwise: a learner or a script, such as "forager(spare=3)"

    def __check_init__(self) -> None:
        if self.agents > CROWD:
            raise Refusal(f"{self.name} has {self.agents} agents, and can have {CROWD} at most.")

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    @property
    def bare(self) -> Situation:
        """The situation itself, without the institutions that govern it."""
        return self

    @property
    def institutions(self) -> tuple[Institution, ...]:
        """The institutions that govern it, in the order in which they act; none unless `govern` put them on it."""
        return ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The role of each agent, where the place of some differs: upstream, seller.  All are of one by default.

        Agents of one role are interchangeable: whoever of them does a thing, it has the same consequences.
        """
        return ("agent",) * self.agents

    @property
    def belongs(self) -> np.ndarray:
        """[n, units] 1 where an agent is of a unit, people who share a stock; a stranger is of none.

        All are of one by default.  Where there are several, the k-th kind of stock is the k-th unit's.
        """
        return np.ones((self.agents, 1), np.float32)

    @property
    @abc.abstractmethod
    def actions(self) -> dict[str, int]:
        """Number of choices of each action head; every agent answers every head."""

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The choices of each head in words, as many as `actions` says, all different; by default their numbers."""
        return {head: tuple(map(str, range(k))) for head, k in self.actions.items()}

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it is, for those who live in it: in as many wordings as there are; by default the start of its card."""
        return (sections(type(self).__doc__)[""],)

    def words(self, seen: Mapping[str, Any], role: str) -> str:
        """What one agent of a role is told, in words: of the features {name: array} that it senses, and of settings.

        What it sees of a scene is said elsewhere.  By default each feature has a line.
        """
        return features(seen)

    @property
    @abc.abstractmethod
    def emits(self) -> dict[str, Event]:
        """The events of its outcomes."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is measured in it beside the sums of its events."""
        return ()

    @abc.abstractmethod
    def reset(self, key: PRNGKeyArray) -> State:
        """A first state."""

    @abc.abstractmethod
    def step(self, key: PRNGKeyArray, state: State, action: Action) -> tuple[State, Outcome]:
        """One step.  Never resets by itself."""

    @property
    def lots(self) -> int:
        """How many outcomes of chance a step has: 1 where nothing is left to chance, 0 where it is not declared.

        A situation that declares it can be unfolded exactly.  Then `reset` must not depend on its key, and with more
        than one lot `odds` and `by_lot` must say what `step` draws.
        """
        return 0

    def odds(self, state: State, action: Action) -> Float[Array, " lots"]:
        """How probable each outcome of chance is; they sum to 1."""
        return jnp.ones(1)

    def by_lot(self, lot: Int[Array, ""], state: State, action: Action) -> tuple[State, Outcome]:
        """The step as it is when chance falls on `lot`."""
        return self.step(jax.random.key(0), state, action)

    def senses(self, state: State) -> Observation:
        """Named features [n, ...] that agents sense beside what they see."""
        return {}

    def scene(self, state: State) -> Scene | None:
        """The visible world, or None where there is nothing to look at."""
        return None

    def observe(self, state: State) -> Observation:
        """All that agents are told: one array [n, ...] a name, for all agents at once."""
        scene = self.scene(state)
        seen = {} if scene is None else {"view": scene.view()}
        return seen | self.senses(state)

    def present(self, state: State) -> Bool[Array, " n"]:
        """Who is in play."""
        return jnp.ones(self.agents, bool)

    def asked(self, state: State) -> dict[str, Bool[Array, " n"]]:
        """Whose answer to each head matters in this step.  Learners leave the others out of the loss."""
        here = self.present(state)
        return dict.fromkeys(self.actions, here)

    def held(self, state: State) -> Bool[Array, ""]:
        """Whether the world stands still while an institution convenes."""
        return jnp.array(False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of stock, in order; empty where nothing is held in common."""
        return ()

    def stock(self, state: State) -> Float[Array, " kinds"]:
        """What is left in common, by kind, in units."""
        raise Refusal(f"{self.name} holds no stock in common.")

    def capacity(self) -> Float[Array, " kinds"]:
        """The most that there can be of each kind, in units."""
        raise Refusal(f"{self.name} holds no stock in common.")

    def aim(self, state: State) -> Bool[Array, "n n"]:
        """Whom (column) each agent (row) would hit if it fired now."""
        raise Refusal(f"{self.name} has no beam.")

    def remove(self, state: State, who: Bool[Array, " n"], steps: Int[Array, ""]) -> State:
        """Take some agents out of play for some steps."""
        raise Refusal(f"{self.name} has no way to take an agent out of play.")

    def at(self, progress: Float[Array, ""]) -> Situation:
        """The situation at a moment of training (0 at the start, 1 at the end); institutions may be phased in."""
        return self

    @property
    def offers(self) -> frozenset[str]:
        """All that an institution may need from it: its events, and those of `ABILITIES` that it has."""
        return frozenset(self.emits) | {a for a in ABILITIES if getattr(type(self), a) is not getattr(Situation, a)}
