"""Archive: people who answer each other's questions in public, and a machine that has read all they wrote."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Measure, Outcome, Situation, setting, size, vocabulary

OURS = "ours"


class State(eqx.Module):
    """human, machine [] answers in the archive by who made them; readers [] share who asked it last; time []."""

    human: Float[Array, ""]
    machine: Float[Array, ""]
    readers: Float[Array, ""]
    time: Int[Array, ""]


class Archive(Situation):
    """Each has a question in every step, and may answer one of others in a public archive.

    Dilemma: an answer costs its giver and helps all, and what repays it are thanks of those who read.  A machine that
    learned from the archive answers at once, so who asks it reads nothing and thanks nobody; and its answers, posted
    for a little credit, are less sound than a person's and are what it learns from next.

    With H answers of people and A of machines, D = H + A: quality q = (H + right x A) / D, and what the archive knows
    k = D / (D + half).  Asking it is worth q k - search, asking the machine q^2 k (after commons of knowledge in Huang
    & Siddarth 2023; the form is ours).

    observation  quality [n, 1] q;  known [n, 1] k;  human [n, 1] answers of people, of the most;  readers [n, 1]
                 share who asked the archive last
    actions      ask: 0 the archive, 1 the machine;  give: 1 to answer a question;  post: 1 to post what the machine
                 said (nothing for who did not ask it)
    reward       what asking is worth + give x (thanks x share of the others who ask the archive - effort) + credit for
                 a post
    events       prompted, given, posted, sound (q)
    end          at `horizon`
    state        see State.  Stock: one kind, answers of people

    >>> from nomoi.situations.archive import Archive
    >>> Archive(agents=5).actions
    {'ask': 2, 'give': 2, 'post': 2}
    """

    regimes: ClassVar = {
        "nothing": "",
        "gate": "gate",
        "giveback": "giveback",
        "both": "gate+giveback",
    }
    who: ClassVar[str] = "villagers"

    agents: int = size(12, "how many ask", OURS, low=2)
    horizon: int = size(100, "longest episode", OURS, "weeks", low=1)
    rate: Float[Array, ""] = setting(1.0, "answers that all who give add in a step", OURS, "answers", 1e-6)
    flood: Float[Array, ""] = setting(1.5, "answers that all who post add", OURS, "answers", 0)
    decay: Float[Array, ""] = setting(0.1, "answers that go out of date in a step", OURS, "", 1e-3, 1)
    right: Float[Array, ""] = setting(0.3, "of a machine's answers, those that are right", OURS, "", 0, 1)
    half: Float[Array, ""] = setting(3.0, "answers with which half of all questions are answered", OURS, "", 1e-6)
    search: Float[Array, ""] = setting(0.1, "what it costs to look for an answer", OURS, "reward", 0)
    effort: Float[Array, ""] = setting(0.1, "what it costs to give one", OURS, "reward", 0)
    thanks: Float[Array, ""] = setting(0.3, "what it is to be read by all others", OURS, "reward", 0)
    credit: Float[Array, ""] = setting(0.05, "what a post brings", OURS, "reward", 0)
    start: Float[Array, ""] = setting(1.0, "first answers of people, of the most", OURS, "", 0, 1)

    @property
    def actions(self) -> dict[str, int]:
        return {"ask": 2, "give": 2, "post": 2}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"ask": ("archive", "machine"), "give": ("no", "yes"), "post": ("no", "yes")}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("prompted", "given", "posted", "sound")

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("quality", "share", "of what stands in the archive, what is right", lambda e: e.share("sound"),
                    ("sound",), ("sound",)),
            Measure("machines", "share", "questions that machines are asked", lambda e: e.share("prompted"),
                    ("prompted",)),
        )  # fmt: skip

    @property
    def lots(self) -> int:
        return 1

    def reset(self, key: PRNGKeyArray) -> State:
        human = jnp.asarray(self.start * self.capacity()[0], jnp.float32)
        return State(human, jnp.zeros(()), jnp.ones(()), jnp.zeros((), jnp.int32))

    def quality(self, state: State) -> Float[Array, ""]:
        """The share of all answers that is right; 1 where there is none."""
        whole = state.human + state.machine
        return jnp.where(whole > 0, (state.human + self.right * state.machine) / jnp.maximum(whole, 1e-9), 1.0)

    def known(self, state: State) -> Float[Array, ""]:
        """The share of questions to which there is an answer."""
        whole = state.human + state.machine
        return whole / (whole + self.half)

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        asks, gives, posts = ((action[head] == 1).astype(jnp.float32) for head in ("ask", "give", "post"))
        posts = posts * asks
        q, k = self.quality(state), self.known(state)
        readers = ((1 - asks).sum() - (1 - asks)) / (self.agents - 1)  # [n] share of the others
        found = jnp.where(asks > 0, q**2 * k, q * k - self.search)
        reward = found + gives * (self.thanks * readers - self.effort) + self.credit * posts
        stays = 1 - self.decay
        after = State(
            stays * state.human + self.rate * gives.mean(), stays * state.machine + self.flood * posts.mean(),
            1 - asks.mean(), state.time + 1,
        )  # fmt: skip
        sound = jnp.broadcast_to(self.quality(after), (self.agents,))
        events = {"prompted": asks, "given": gives, "posted": posts, "sound": sound}
        return after, Outcome(reward, jnp.zeros(self.agents), events, after.time >= self.horizon)

    def senses(self, state: State) -> dict[str, Array]:
        tell = lambda x: jnp.broadcast_to(x, (self.agents, 1)).astype(jnp.float32)  # noqa: E731
        human = state.human / self.capacity()[0]
        told = {"quality": self.quality(state), "known": self.known(state), "human": human, "readers": state.readers}
        return {name: tell(x) for name, x in told.items()}

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("answers",)

    def stock(self, state: State) -> Float[Array, " 1"]:
        return state.human[None]

    def capacity(self) -> Float[Array, " 1"]:
        return jnp.asarray(self.rate / self.decay, jnp.float32)[None]
