"""Mediator: agents may let it act for them (Monderer & Tennenholtz 2009; learned, Ivanov et al. 2023)."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.institutions.sittings import Sittings


class Mandate(eqx.Module):
    """committed [n]; sittings, when agents convene to commit."""

    committed: Bool[Array, " n"]
    sittings: Sittings


class Mediator(Institution):
    """Each agent commits or does not; the mediator then acts for those who did, and only for them.

    It answers `head` with `together` where enough have committed (`quorum`), else with `otherwise`.  In a dilemma it
    cooperates iff all have committed and else defects: then to commit costs nothing whatever the others do, all commit
    in equilibrium, and nobody was forced or paid.  Agents commit before play, while the world stands still, and know of
    nobody's commitment but their own; with `period` they commit anew every so many steps, by what they answered in
    the last of them.

    needs     a head of the situation to answer; by default its first
    heads     mediator.commit (0 no, 1 yes)
    emits     mediator.acted [n], steps in which the mediator acted for one; mediator.whole [n], those of them in which
              enough had committed
    senses    mediator.bound [n, 2]: whether one has committed, and whether all convene to commit
    memory    see Mandate

    >>> from nomoi import govern
    >>> from nomoi.institutions.mediator import Mediator
    >>> from nomoi.situations.matrix import Matrix
    >>> govern(Matrix(), Mediator()).actions
    {'choose': 2, 'mediator.commit': 2}
    """

    head: str = size("", "the head that it answers; empty is the situation's first")
    together: Int[Array, ""] = setting(
        0, "its answer where enough have committed", "ours, after Ivanov et al. 2023 (cooperate)", "choice", 0
    )
    otherwise: Int[Array, ""] = setting(
        1, "its answer where too few have", "ours, after Ivanov et al. 2023 (defect)", "choice", 0
    )
    quorum: Int[Array, ""] = setting(
        0, "how many must commit; 0 is all", "ours, after Ivanov et al. 2023 (all)", "agents", 0
    )
    period: Int[Array, ""] = setting(0, "steps after which agents commit anew; 0 is never", "ours", "steps", 0)

    @property
    def sentence(self) -> str:
        enough = f"{int(self.quorum)} do" if int(self.quorum) else "all do"
        return (
            f"Who commits lets a mediator act: it chooses {int(self.together)} where {enough}, "
            f"else {int(self.otherwise)}."
        )

    def fits(self, situation: Situation) -> None:
        heads = situation.bare.actions  # what others ask is theirs
        choices = heads.get(self.head) if self.head else next(iter(heads.values()))
        if choices is None:
            raise Refusal(f"{self.name}.head is {self.head!r}, and the heads of {situation.name} are {sorted(heads)}.")
        for option, answer in (("together", self.together), ("otherwise", self.otherwise)):
            if int(answer) >= choices:
                raise Refusal(f"{self.name}.{option} is {int(answer)}, and {situation.name} has {choices} choices.")

    def answered(self, situation: Situation, head: str, label: str) -> str:
        return "commits, so that the mediator acts for it" if label == "yes" else "does not commit"

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"commit": 2}

    def chance(self, situation: Situation) -> str:
        return ""

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "acted": Event("acted", "[n]", "steps", "the mediator acted for one", True),
            "whole": Event("whole", "[n]", "steps", "the mediator acted for one, and enough had committed", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("mediated", "share", f"agent-time in which the {self.name} acted", lambda e: e.share("acted"),
                    ("acted",), ("acted",), short="mediated"),
            Measure("whole", "share", f"agent-time in which the {self.name} acted for enough",
                    lambda e: e.share("whole"), ("whole",)),
        )  # fmt: skip

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Mandate:
        return Mandate(jnp.zeros(situation.agents, bool), Sittings.first())

    def holds(self, memory: Mandate) -> Bool[Array, ""]:
        return memory.sittings.open

    def asked(self, memory: Mandate, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        return {"commit": present & memory.sittings.due(self.period)}

    def permit(self, memory: Mandate, situation: Situation, state: State, action: Action) -> Action:
        head = self.head or next(iter(action))
        answer = jnp.where(self._whole(memory), self.together, self.otherwise)
        return action | {head: jnp.where(memory.committed, answer, action[head])}

    def inform(
        self, memory: Mandate, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        bound = jnp.stack([memory.committed, jnp.broadcast_to(memory.sittings.open, memory.committed.shape)], -1)
        return {"bound": bound.astype(jnp.float32)}

    def settle(
        self, key: PRNGKeyArray, memory: Mandate, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Mandate, State, Outcome]:  # fmt: skip
        acted = memory.committed & ~memory.sittings.open
        facts = {"acted": acted, "whole": acted & self._whole(memory)}
        committed = jnp.where(memory.sittings.due(self.period), self.said(tried, "commit") == 1, memory.committed)
        return Mandate(committed, memory.sittings.after(self.period)), state, outcome.note(self, **facts)

    def _whole(self, memory: Mandate) -> Bool[Array, ""]:
        """Whether enough have committed."""
        needed = jnp.where(self.quorum == 0, len(memory.committed), self.quorum)
        return memory.committed.sum() >= needed
