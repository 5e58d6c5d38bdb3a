"""Taboo: some kinds must not be taken, and whoever takes one is marked (Koster et al. 2022)."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal, nearest
from nomoi.grid import Scene
from nomoi.institutions.marks import Marks, judged, marked


class Taboo(Institution):
    """Taking one of the forbidden `kinds` marks whoever did it, for all others to see.

    An important rule forbids what harms, a silly rule also what does not.  The taboo punishes nobody: it
    classifies, and marks; a sanction may act on the mark.  A hit clears the mark.  A beam strikes those who were
    marked when it was fired: a mark made in the same step is neither found nor cleared by it.

    Pitfall: an agent that sees its own mark learns what is forbidden from the mark alone, without anybody
    punishing; so it does not, unless `known`, which is a control.

    needs     events harvest and kind; scene
    emits     taboo.violation [n] units taken against the rule; taboo.violator [n] was marked when beams struck;
              taboo.marked [n] is marked after the step
    senses    taboo.own [n, 1] the own mark, where `known`, else 0
    layers    taboo.marked on others
    memory    Marks
    """

    kinds: str = size("poison", "the forbidden kinds, with commas", "Koster et al. 2022")
    span: Int[Array, ""] = setting(100, "steps for which a mark lasts", "ours", "steps", 0, 998)
    known: Bool[Array, ""] = setting(False, "whether agents sense their own mark (a control)", "ours")

    @property
    def sentence(self) -> str:
        return f"Whoever takes {self.kinds.replace(',', ' or ')} is marked for {int(self.span)} steps, or until hit."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("harvest", "kind", "scene")

    @property
    def emits(self) -> dict[str, Event]:
        return judged("the taboo", short="taboo")

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (marked(f"the {self.name}", short="marked"),)

    def fits(self, situation: Situation) -> None:
        for name in self._names():
            if name not in situation.kinds:
                raise Refusal(
                    f"taboo.kinds has {name!r}, which is no kind of {situation.name}; "
                    f"{nearest(name, situation.kinds, 'kind')}"
                )

    def _names(self) -> list[str]:
        return [name.strip() for name in self.kinds.split(",")]

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Marks:
        return Marks.blank(situation.agents, len(situation.kinds))

    def settle(
        self, key: PRNGKeyArray, memory: Marks, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Marks, State, Outcome]:  # fmt: skip
        taken, kind = outcome.events["harvest"], outcome.events["kind"]
        forbidden = np.array([name in self._names() for name in situation.kinds])
        wrong = (taken > 0) & jnp.asarray(forbidden)[kind]
        found = memory.guilty(self.span)
        if "zap" in outcome.events:
            memory = memory.clear((outcome.events["zap"] > 0).any(0))
        memory = memory.judge(wrong, wrong, kind, self.span, jnp.array(True))
        facts = {"violation": jnp.where(wrong, taken, 0.0), "violator": found, "marked": memory.guilty(self.span)}
        return memory, state, outcome.note(self, **facts)

    def layers(self, memory: Marks, scene: Scene) -> Scene:
        return scene.add(bodies={f"{self.name}.marked": memory.guilty(self.span)})

    def inform(
        self, memory: Marks, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        own = memory.guilty(self.span) & self.known
        return {"own": own[:, None].astype(jnp.float32)}
