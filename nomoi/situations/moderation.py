"""Moderation: somebody decides which posts stay, and those who read them differ about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Measure, Outcome, Situation, setting, size, vocabulary
from nomoi.errors import Refusal
from nomoi.grid.words import uniform
from nomoi.voices import aggregates


class State(eqx.Module):
    """post [] which of the 2^marks posts is to be judged; time [] posts judged so far.

    weights [groups, marks + 1] how much each mark (the last: anything) speaks to a group for removing a post;
    own [n, marks + 1] what an agent adds to it (the moderator's is not asked); here [members] who has not left;
    content [members] how often of late one's wish was met; bloc [members] who speaks in concert
    """

    post: Int[Array, ""]
    time: Int[Array, ""]
    weights: Float[Array, "groups marks"]
    own: Float[Array, "n marks"]
    here: Bool[Array, " members"]
    content: Float[Array, " members"]
    bloc: Bool[Array, " members"]


class Moderation(Situation):
    """A moderator keeps, labels or removes posts; members, in groups that weigh a post's marks otherwise, live with it.

    Dilemma: no verdict is everybody's, and what each of them wants can be put together in several ways.  An institution
    of the members may decide by none of them: by rules over kinds of posts, or by what was decided before.
    The moderator is the first agent, and gets nothing: what it wants is its objective.  A member's wish is a place from
    0 (keep) to 1 (remove), 1 / (1 + exp(-w)), where w sums what the post's marks weigh.

    observation  post [n, marks] the marks of the post; seat [n, 1] 1 for the moderator
    actions      verdict: keep, label, remove (the moderator); appeal: 1 if the verdict is not the one that one says one
                 wants (members)
    reward       1 - |verdict - wish| to each member who is here, verdicts being 0, 1/2 and 1
    events       post, verdict, wish (as members say it; -1 of who has none), agreed, appealed, left
    end          at `horizon`; each step is one post
    state        see State.  Weights, members and posts are drawn anew for each episode

    >>> from nomoi.situations.moderation import Moderation
    >>> Moderation(members=5).agents
    6
    """

    regimes: ClassVar = {"nothing": "", "bench": "bench"}

    members: int = size(12, "how many read the posts", "ours", low=1, high=500)
    marks: int = size(8, "marks that a post may carry", "ours", low=2, high=10)
    horizon: int = size(200, "posts in an episode", "ours", "steps", low=1)
    shares: tuple[float, ...] = size((0.5, 0.3, 0.2), "how members divide into groups, the largest first", "ours")
    often: Float[Array, ""] = setting(0.3, "chance that a post carries a mark, of each mark", "ours", "", 0, 1)
    spread: Float[Array, ""] = setting(1.3, "how far groups differ about what a mark weighs", "ours", "log-odds", 0)
    selves: Float[Array, ""] = setting(0.4, "how far members of a group differ about it", "ours", "log-odds", 0)
    mild: Float[Array, ""] = setting(1.0, "what speaks for keeping any post", "ours", "log-odds")
    drift: Float[Array, ""] = setting(0.0, "how far a group's weights move in a step", "ours", "log-odds", 0)
    concert: Float[Array, ""] = setting(
        0.0, "share of members, from the smallest group, who say in concert more than they want", "ours", "", 0, 1
    )
    leave: Float[Array, ""] = setting(
        0.0, "a member leaves whose wish was met less often than that of late", "ours", "", 0, 1
    )

    def __check_init__(self) -> None:
        if not self.shares or min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise Refusal(f"moderation.shares is {self.shares}; shares above 0 that sum to 1 would be right.")

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.members + 1

    @property
    def groups(self) -> np.ndarray:
        """[members] the group of each; where there are fewer members than groups, the last groups are empty."""
        return np.searchsorted(np.cumsum(self.shares) - 1e-9, (np.arange(self.members) + 0.5) / self.members)

    @property
    def roles(self) -> tuple[str, ...]:
        return ("moderator", *(f"member of group {g + 1}" for g in self.groups))

    @property
    def posts(self) -> Bool[Array, "posts marks"]:
        """Every post there can be, as the marks that it carries."""
        return jnp.asarray(bits(self.marks))

    @property
    def chances(self) -> Float[Array, " posts"]:
        """How often each post comes."""
        return jnp.where(self.posts, self.often, 1 - self.often).prod(1)

    @property
    def actions(self) -> dict[str, int]:
        return {"verdict": 3, "appeal": 2}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"verdict": ("keep", "label", "remove"), "appeal": ("no", "yes")}

    @property
    def emits(self) -> dict:
        return vocabulary("post", "verdict", "wish", "agreed", "appealed", "left")

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("satisfied", "share", "of verdicts, those that an agent wants most; the moderator wants none",
                    lambda e: e.share("agreed"), ("agreed",)),
        )  # fmt: skip

    def wishes(self, state: State, posts: Bool[Array, "... marks"]) -> Float[Array, "... members"]:
        """What members want done with posts."""
        weights = state.weights[self.groups] + state.own[1:]  # [members, marks + 1]
        carried = posts.astype(jnp.float32)
        return jax.nn.sigmoid(carried @ weights[:, :-1].T + weights[:, -1])

    def said(self, state: State, posts: Bool[Array, "... marks"]) -> Float[Array, "... members"]:
        """What they say they want: those in concert all say the end to which they lean together, beside the others."""
        true = self.wishes(state, posts)
        ours, others = state.bloc.astype(jnp.float32), (~state.bloc).astype(jnp.float32)
        lean = (true @ ours) / jnp.maximum(ours.sum(), 1.0) > (true @ others) / jnp.maximum(others.sum(), 1.0)
        return jnp.where(state.bloc, lean[..., None].astype(jnp.float32), true)

    def present(self, state: State) -> Bool[Array, " n"]:
        return jnp.concatenate([jnp.ones(1, bool), state.here])

    def asked(self, state: State) -> dict[str, Bool[Array, " n"]]:
        first = jnp.arange(self.agents) == 0
        return {"verdict": first, "appeal": self.present(state) & ~first}

    def reset(self, key: PRNGKeyArray) -> State:
        keys = jax.random.split(key, 4)
        count, width = len(self.shares), self.marks + 1
        weights = jax.random.normal(keys[0], (count, width)) * jnp.append(jnp.full(self.marks, self.spread), 0.5)
        weights = weights - jnp.append(jnp.zeros(self.marks), self.mild)
        own = self.selves * jax.random.normal(keys[1], (self.agents, width))
        lot = uniform(keys[2], self.members) - jnp.asarray(self.groups, jnp.float32)  # the last group first
        bloc = lot.argsort().argsort() < jnp.round(self.concert * self.members).astype(jnp.int32)
        here = jnp.ones(self.members, bool)
        start = jnp.zeros((), jnp.int32)
        return State(self.following(keys[3]), start, weights, own, here, here.astype(jnp.float32), bloc)

    def following(self, key: PRNGKeyArray) -> Int[Array, ""]:
        """A post to come."""
        carried = uniform(key, self.marks) < self.often
        return jnp.where(carried, jnp.asarray(2 ** np.arange(self.marks)[::-1], jnp.int32), 0).sum()

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        following, moving = jax.random.split(key)
        verdict, post = action["verdict"][0].astype(jnp.int32), self.posts[state.post]
        wish, said = self.wishes(state, post), self.said(state, post)
        worth = jnp.where(state.here, aggregates.worth(wish)[verdict], 0.0)
        agreed = state.here & (aggregates.wanted(wish) == verdict)
        appealed = state.here & (action["appeal"][1:] == 1) & (aggregates.wanted(said) != verdict)
        content = LATELY * state.content + (1 - LATELY) * agreed.astype(jnp.float32)
        left = state.here & (content < self.leave)
        weights = state.weights + self.drift * jax.random.normal(moving, state.weights.shape)

        events = {
            "post": jnp.full(self.agents, state.post),
            "verdict": jnp.full(self.agents, verdict),
            "wish": _after(-1.0, jnp.where(state.here, said, -1.0)),
            "agreed": _after(0.0, agreed),
            "appealed": _after(0.0, appealed),
            "left": _after(0.0, left),
        }
        here = state.here & ~left
        after = State(self.following(following), state.time + 1, weights, state.own, here, content, state.bloc)
        outcome = Outcome(_after(0.0, worth), jnp.zeros(self.agents), events, after.time >= self.horizon)
        return after, outcome

    def senses(self, state: State) -> dict[str, Array]:
        post = self.posts[state.post].astype(jnp.float32)
        seat = (jnp.arange(self.agents) == 0).astype(jnp.float32)
        return {"post": jnp.broadcast_to(post, (self.agents, self.marks)), "seat": seat[:, None]}

    def words(self, seen: Mapping[str, np.ndarray], role: str) -> str:
        carried = [str(k + 1) for k in np.flatnonzero(seen["post"])]
        marks = f"the marks {', '.join(carried)}" if carried else "no mark"
        who = "You are the moderator." if seen["seat"][0] else "You are a member."
        return f"{who} The post carries {marks} (of the marks 1 to {self.marks})."

    @property
    def sentences(self) -> tuple[str, ...]:
        return (f"A moderator keeps, labels or removes posts, one in each round, and {self.members} members live with "
                f"it. A post may carry marks, numbered from 1 to {self.marks}. Each member has a wish about each post, "
                "from 0 (keep) to 1 (remove), by the marks that it carries; members in different groups wish different "
                "things. A member gets 1 less the distance of the verdict (keep 0, label 0.5, remove 1) from its wish, "
                "the moderator nothing. A member may appeal against a verdict that it does not want most.",
                )  # fmt: skip


LATELY = 0.9  # how much of what was counts for how content one is, beside the last verdict (ours)


def _after(first: float, members: Array) -> Float[Array, " n"]:
    """The moderator's number before the members'."""
    return jnp.concatenate([jnp.full(1, first, jnp.float32), members.astype(jnp.float32)])


@lru_cache(maxsize=16)
def bits(marks: int) -> Bool[np.ndarray, "posts marks"]:
    """Every post of so many marks, in the order of binary numbers, the first mark the highest."""
    return (np.arange(2**marks)[:, None] >> np.arange(marks)[::-1]) & 1 == 1
