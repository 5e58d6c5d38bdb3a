"""Charter: a legal system that classifies what agents do, and may be amended while they do it (Hart 1961)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, counted, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.institutions.marks import Marks, judged, marked
from nomoi.law.samples import charter, text
from nomoi.law.system import LegalSystem, replay

NOTHING = "nothing"  # the kind of an act where the situation has no kinds


class Record(eqx.Module):
    """marks of what was last judged of each agent; reads [n, n], whom (column) each (row) takes to have done wrong in
    the last step; time [] steps so far."""

    marks: Marks
    reads: Bool[Array, "n n"]
    time: Int[Array, ""]


class Charter(Institution):
    """What its primary rules forbid is a violation; who may change them, and how, its secondary rules say.

    An act is an event that the rules name, done by an agent, to a kind where the situation has kinds.  Every act is
    adjudicated by the rules as the log has them at that step, so an amendment dated in the log takes effect then, and
    a rule made later reaches back to nobody.  Agents are the members in the order of their names.  The charter
    punishes nobody: it classifies, and who carries a violation bears a mark for `span` steps or until hit.

    needs     the events that the primary rules name; kind, where a rule asks for it
    emits     charter.violation [n] units done against the rules; charter.violator [n] carried a violation when beams
              struck; charter.marked [n] carries one after the step
    senses    charter.law [n, A K] which acts on which kinds are forbidden to one now, where `public`, else 0
              charter.reads [n, n - 1] who did wrong in the last step, as one reads it, the next agent first
    layers    charter.marked on others
    memory    see Record
    """

    # The text of a file is kept, not its path, so that records of one charter are never taken for those of another.
    law: str = size(
        "thin", "a charter that comes along (nomoi.law.samples), the path of one, or its text", "ours", converter=text
    )
    span: Int[Array, ""] = setting(
        20, "steps for which a violation can be punished", "ours, the altar's", "steps", 0, 98
    )
    public: Bool[Array, ""] = setting(True, "whether agents are told what is forbidden to them now (promulgation)")
    misreads: Float[Array, ""] = setting(
        0.0, "chance that a reader takes right for wrong, or wrong for right", "ours", "", 0, 1
    )

    @property
    def sentence(self) -> str:
        system = charter(self.law)
        count = sum(r.kind == "primary" and r.in_force(system.time) for r in system.rules)
        changes = len(system.log) - 1
        amended = f", amended {changes} time{'s' if changes > 1 else ''}" if changes else ""
        return f"A charter of {count} primary rule{'' if count == 1 else 's'} says what is wrong{amended}."

    @property
    def needs(self) -> tuple[str, ...]:
        kinded = any(field == "kind" for r in _primary(charter(self.law)) for field, _, _ in r.condition.clauses)
        return (*acts(charter(self.law)), *(("kind",) if kinded else ()))

    def fits(self, situation: Situation) -> None:
        system = charter(self.law)
        for act in acts(system):
            event = situation.emits.get(act)
            if event is not None and not event.good:
                raise Refusal(f"{self.name} judges {act!r}, which in {situation.name} is a label and no act.")
        for r in _primary(system):
            asked = {field for field, _, _ in r.condition.clauses}
            for field in ("amount", "target"):
                if field in asked:
                    raise Refusal(f"rule {r.id!r} of the {self.name} asks for the {field}, which {situation.name} does "
                                  "not tell; act, kind, actor and role can be judged.")  # fmt: skip

    @property
    def emits(self) -> dict[str, Event]:
        return judged("the charter", counted(*acts(charter(self.law))))

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (marked(f"the {self.name}"),)

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Record:
        n = situation.agents
        marks = Marks.blank(n, max(len(situation.kinds), 1))
        return Record(marks, jnp.zeros((n, n), bool), jnp.zeros((), jnp.int32))

    def settle(
        self, key: PRNGKeyArray, memory: Record, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Record, State, Outcome]:  # fmt: skip
        n, system = situation.agents, charter(self.law)
        amount = jnp.stack([outcome.units(act) for act in acts(system)])  # [A, n]
        kind = outcome.events["kind"] if "kind" in outcome.events else jnp.zeros(n, jnp.int32)
        forbidden = self._forbidden(situation, memory.time)[:, kind, np.arange(n)]  # [A, n]
        wrong = jnp.where(forbidden, amount, 0.0).sum(0)
        marks = memory.marks.judge((amount > 0).any(0), wrong > 0, kind, self.span, jnp.array(True))
        violator = marks.guilty(self.span)
        if "zap" in outcome.events:
            marks = marks.clear((outcome.events["zap"] > 0).any(0))
        flips = jax.random.uniform(key, (n, n)) < self.misreads
        reads = jnp.broadcast_to(wrong > 0, (n, n)) ^ flips
        facts = {"violation": wrong, "violator": violator, "marked": marks.guilty(self.span)}
        return Record(marks, reads, memory.time + 1), state, outcome.note(self, **facts)

    def _forbidden(self, situation: Situation, time: Int[Array, ""]) -> Bool[Array, "A K n"]:
        """What is forbidden to whom at a step."""
        since, table = code(charter(self.law), tuple(situation.kinds), situation.agents)
        return jnp.asarray(table)[(time >= jnp.asarray(since)).sum() - 1]

    def layers(self, memory: Record, scene: Scene) -> Scene:
        return scene.add(bodies={f"{self.name}.marked": memory.marks.guilty(self.span)})

    def inform(
        self, memory: Record, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        n = situation.agents
        law = jnp.moveaxis(self._forbidden(situation, memory.time), -1, 0).reshape(n, -1) & self.public
        others = (np.arange(n)[:, None] + np.arange(1, n)) % n
        reads = jnp.take_along_axis(memory.reads, jnp.asarray(others), 1)
        return {"law": law.astype(jnp.float32), "reads": reads.astype(jnp.float32)}

    def words(self, situation: Situation, seen: Mapping[str, np.ndarray]) -> str:
        names, kinds = acts(charter(self.law)), situation.kinds
        law = np.asarray(seen["law"]).reshape(len(names), -1) > 0
        alone = lambda k: f" of {kinds[k]}" if len(kinds) > 1 else ""  # noqa: E731
        wrong = [name if law[a].all() else f"{name}{alone(k)}" for a, name in enumerate(names)
                 for k in range(law.shape[1]) if law[a, k] and (k == 0 or not law[a].all())]  # fmt: skip
        told = f"By the charter this is forbidden to you now: {', '.join(wrong) or 'nothing'}." if self.public else ""
        seen_wrong = int(np.asarray(seen["reads"]).sum())
        return f"{told} Of the others {seen_wrong} did wrong in the last step, as you read it.".strip()


def _primary(system: LegalSystem) -> list:
    return [r for r in system.rules if r.kind == "primary"]


def acts(system: LegalSystem) -> tuple[str, ...]:
    """The acts that any version of its primary rules names, which are all that can be judged."""
    found: dict[str, None] = {}
    for r in _primary(system):
        named = [v for field, test, values in r.condition.clauses if (field, test) == ("act", "is") for v in values]
        if not named:
            raise Refusal(f'rule {r.id!r} names no act; something like {{"act": "harvest"}} would be right.')
        found |= dict.fromkeys(map(str, named))
    if not found:
        raise Refusal("the charter has no primary rule, so there is nothing that it could judge.")
    return tuple(found)


@lru_cache(maxsize=64)
def code(system: LegalSystem, kinds: tuple[str, ...], agents: int) -> tuple[np.ndarray, np.ndarray]:
    """since [E], the steps from which each of E states of the law holds (the first from 0), and what is then forbidden
    [E, acts, kinds, agents]: the charter's own adjudication of every case, by the log as it is at that step."""
    edges = {e.time for e in system.log} | {t for r in system.rules for t in (r.begins, r.end) if t is not None}
    since = sorted({0} | edges)
    people = list(system.members)[:agents] + [(f"agent {k}", "") for k in range(len(system.members), agents)]
    table = np.zeros((len(since), len(acts(system)), max(len(kinds), 1), agents), bool)
    for e, time in enumerate(since):
        known = [entry for entry in system.log if entry.time <= time] or [system.log[0]]
        then = replay(known)
        for a, act in enumerate(acts(system)):
            for k, kind in enumerate(kinds or (NOTHING,)):
                for i, (name, role) in enumerate(people):
                    case = {"actor": name, "role": role, "act": act, "kind": kind}
                    table[e, a, k, i] = not then.adjudicate(case, time).rightful
    return np.array(since, np.int32), table
