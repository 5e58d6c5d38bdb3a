"""People who adapt by looking around: what they are, what they live through, and how that changes them.

Rules for one group of n people; `nomoi.learners.villagers` lets many groups live.  Everybody imitates, compares and
shares with those of the own role alone; who is the only one of it in the group imitates whoever has it in another.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from nomoi.core import Situation, outline
from nomoi.core.situation import Observation
from nomoi.errors import Refusal

EXPERIENCES = ("not punished without cause", "a due share", "heard", "enough")  # what trust is made of
REASONED = ("vote", "watch", "appeal")  # heads of institutions that are answered by reasons, not by habit
DOWN, STAY, UP = range(3)


class People(eqx.Module):
    """One group.

    cooperator, threshold [n]   conditional cooperators, and from which willingness on they do their part
    over, provides [n]          what imitators do: take all one can, and provide for the works
    habit {head: [n]}           answers to all else, and what to take where nothing says how much is allowed
    trust, kept [n]             trust, and how well rules seem to be kept, both in [0, 1]
    lived [4, n]                the latest of each of EXPERIENCES, in [0, 1]
    record, recall, earned [n]  of having provided; of the stock; of income per need (running means)
    idle, watching, coming [n]  what idling and watching brought, and coming as a stranger (running means)
    reach [n]                   units that the highest answer takes, as far as one has seen
    """

    cooperator: Bool[Array, "*v n"]
    threshold: Float[Array, "*v n"]
    over: Bool[Array, "*v n"]
    provides: Bool[Array, "*v n"]
    habit: dict[str, Int[Array, "*v n"]]
    trust: Float[Array, "*v n"]
    kept: Float[Array, "*v n"]
    lived: Float[Array, "*v 4 n"]
    record: Float[Array, "*v n"]
    recall: Float[Array, "*v n"]
    earned: Float[Array, "*v n"]
    idle: Float[Array, "*v n"]
    watching: Float[Array, "*v n"]
    coming: Float[Array, "*v n"]
    reach: Float[Array, "*v n"]


class Plan(eqx.Module):
    """What everybody is about to do, [n] each, before chance: break the rule, provide, and how they would vote."""

    over: Bool[Array, " n"]
    provides: Bool[Array, " n"]
    vote: Int[Array, " n"]
    allowed: Float[Array, " n"]


class Told:
    """What one group is told, by name; what nobody tells is `default`, for all n."""

    def __init__(self, situation: Situation, seen: Observation):
        self.situation, self.seen, self.n = situation, seen, situation.agents

    def has(self, word: str) -> str:
        """The full name of a feature, of the world or of whichever institution tells it; empty where nobody does."""
        return next((name for name in self.seen if name == word or name.endswith(f".{word}")), "")

    def __call__(self, word: str, default: float = 0.0, column: int = 0) -> Float[Array, " n"]:
        name = self.has(word)
        return self.seen[name][:, column] if name else jnp.full(self.n, default, jnp.float32)

    def force(self, word: str) -> Bool[Array, ""]:
        """Whether the institution is in force that tells `word`, or asks for it."""
        name = self.has(word) or head(self.situation, word)
        title = name.partition(".")[0]
        found = [i.in_force for i in self.situation.institutions if i.name == title and "." in name]
        return found[0] if found else jnp.array(False)

    def option(self, word: str, option: str, default: float) -> Any:
        """An option of the institution that tells `word`, or asks for it: what everybody knows of it."""
        title = (self.has(word) or head(self.situation, word)).partition(".")[0]
        found = [getattr(i, option, default) for i in self.situation.institutions if i.name == title]
        return found[0] if found else default


def head(situation: Situation, word: str) -> str:
    """The full name of a head that an institution asks for; empty where none does."""
    return next((name for name in situation.actions if name.partition(".")[2] == word), "")


def taking(situation: Situation) -> tuple[str, int]:
    """The head by which one takes, the first, and its highest answer."""
    name, choices = next(iter(situation.actions.items()))
    return name, choices - 1


def habits(situation: Situation) -> dict[str, int]:
    """The heads that are answered by habit, and how many choices they have."""
    known = ("range", "provide") if "worked" in situation.emits else ()
    heads = {h: k for h, k in situation.actions.items() if h not in known}
    return {h: k for h, k in heads.items() if h.partition(".")[2] not in REASONED}


def roles(situation: Situation) -> np.ndarray:
    """[n] the role of each; one for all where roles follow from payoffs, which a program does not know beforehand."""
    try:
        return np.array(situation.roles)
    except Refusal:
        return np.array(["agent"] * situation.agents)


def like(situation: Situation) -> Float[Array, "n n"]:
    """Who is of whose role; each row sums to 1, so that `like @ x` is the mean of x over one's role."""
    mine = roles(situation)
    same = (mine[:, None] == mine).astype(np.float32)
    return jnp.asarray(same / same.sum(1, keepdims=True))


def model(situation: Situation, lot: Float[Array, " n"]) -> Float[Array, "n n"]:
    """Whom each looks at, 1 in his row: another of one's role, by lots in [0, 1); oneself where there is no other."""
    mine, n = roles(situation), situation.agents
    table, many = np.tile(np.arange(n)[:, None], (1, n)), np.ones(n, np.float32)
    for i in range(n):
        others = np.flatnonzero((mine == mine[i]) & (np.arange(n) != i))
        if len(others):
            table[i, : len(others)], many[i] = others, len(others)
    whom = jnp.asarray(table, jnp.int32)[np.arange(n), jnp.floor(lot * many).astype(jnp.int32)]
    return (whom[:, None] == np.arange(n)).astype(jnp.float32)


def alone(situation: Situation) -> np.ndarray:
    """[n] who is the only one of a role."""
    mine = roles(situation)
    return (mine[:, None] == mine).sum(1) == 1


def shown(people: People) -> dict[str, Any]:
    """What others see of each, and may copy: how well they fare, and their ways."""
    return {"earned": people.earned, "over": people.over, "provides": people.provides, "habit": people.habit}


def fits(situation: Situation) -> None:
    """Refuse what has no answers that could be imitated one by one."""
    if outline(situation).scene is not None:
        raise Refusal(
            f"villagers imitate single answers, and in {situation.name} what counts is a way through land; ppo learns "
            "that."
        )
