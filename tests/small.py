"""Small worlds in which much happens, and a run of them that can be compared from one set of rules to another."""

import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi import catalogue
from nomoi.core import Governed, Institution, Situation, govern, outline
from nomoi.core.worlds import step
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.sanction import Sanction
from nomoi.institutions.taboo import Taboo
from nomoi.situations.allelopathic import Allelopathic
from nomoi.situations.cleanup import Cleanup
from nomoi.situations.harvest import Harvest
from nomoi.situations.laboratory import Laboratory
from nomoi.situations.matrix import Matrix
from nomoi.situations.mushrooms import Mushrooms
from nomoi.situations.pool import Pool

MAP = Path(tempfile.mkdtemp()) / "tiny.txt"
MAP.write_text("""
WWWWWWWWW
WRPBBP GW
WPRRBHGPW
WRPB PBGW
WWWWWWWWW
""")

RIVER = MAP.with_name("river.txt")
RIVER.write_text("""
WWWWWWWWW
WDSDHPAAW
WSDSPPAAW
WDSDPPAAW
WWWWWWWWW
""")

WOOD = MAP.with_name("wood.txt")
WOOD.write_text("""
WWWWWWWWW
W R B G W
WGRBHO RW
W B R G W
WWWWWWWWW
""")

POND = MAP.with_name("pond.txt")
POND.write_text("""
RG.BR.
.HB.GB
G.RRB.
B.GW.R
RB.G.G
.RBGR.
""")

THREE = [[[4, 2], [2, 0]], [[6, 3], [3, 1]]]  # what one gets by the own choice and the others' two
SITUATIONS: dict[str, Situation] = {
    "harvest": Harvest(
        map=str(MAP), agents=4, horizon=30, extent=(2, 1, 2), beam=(4, 2), regrowth=(0.1, 0.2, 0.3, 0.3)
    ),
    "cleanup": Cleanup(
        map=str(RIVER), agents=4, horizon=30, extent=(2, 1, 2), growth=0.5, depletion=0.9, calm=3, exile=4, credit=3
    ),
    "mushrooms": Mushrooms(
        map=str(WOOD), agents=4, horizon=30, extent=(2, 1, 2), digestion=(0, 1, 2, 1), stun=2, recovery=6, exile=3
    ),
    "allelopathic": Allelopathic(
        map=str(POND), agents=4, horizon=30, extent=(2, 1, 2), beam=(2, 1), tempo=200, rest=2, graduated=True
    ),
    "laboratory": Laboratory(side=5, agents=3, horizon=30, extent=(2, 1, 2), beam=(3, 1), growth=0.5, diagonals=True),
    "matrix": Matrix(payoff=[THREE, np.swapaxes(THREE, 0, 1).tolist(), np.moveaxis(THREE, 0, 2).tolist()], horizon=8),
    "pool": Pool(agents=3, horizon=20, most=0.15),
}
for _name, _class in catalogue.situations().items():
    SITUATIONS.setdefault(_name, _class())


def doings(situation: Situation) -> list[str]:
    """Events that can be paid for by the unit."""
    return [name for name, event in situation.emits.items() if event.good and event.shape == "[n]"]


def fitting(cls: type[Institution], situation: Situation) -> tuple[Institution, ...] | None:
    """The default institution with what must stand before it, told what it is `on` where it asks; None: misfit."""
    on = {"on": doings(situation)[0]} if hasattr(cls, "on") and doings(situation) else {}
    for before in ((), (Altar(),)):
        for settings in ({}, on) if on else ({},):
            try:
                govern(situation, *before, cls(**settings))
                return *before, cls(**settings)
            except Refusal:
                continue
    return None


# Each pair is a program to compile, so what only asks and pays, as levy and contract do, meets two worlds only.
ALIKE = (
    "agenda",
    "deed",
    "fine",
    "gauge",
    "gift",
    "interest",
    "mediator",
    "monitor",
    "permits",
    "principal",
    "tax",
    "treaty",
    "vote",
)
COMMONERS = ("assembly", "challenged", "court", "notice", "quota", "survey", "wardens")
THERE = dict.fromkeys(ALIKE, ("pool", "matrix")) | dict.fromkeys(COMMONERS, ("pool",))
BOTTOM = {"contribution", "reservations", "lobster", "technique", "archive", "lake"}  # tried in test_bottom, test_lake
WORLDS = tuple(set(SITUATIONS) - {"commons", "errand", "irrigation", "laboratory", "lemons", "offswitch"} - BOTTOM)
THERE["rotation"] = ("pool", "irrigation")
THERE |= (
    {"contract": WORLDS, "levy": WORLDS}
    | {"peers": ("contribution",), "deposit": ("reservations",)}
    | dict.fromkeys(("slot", "notch"), ("lobster",))
)
THERE |= dict.fromkeys(("season", "traps"), ("pool",)) | dict.fromkeys(("gate", "giveback"), ("archive",))
PAIRS: dict[str, tuple[str, tuple[Institution, ...]]] = {}
for _name, _situation in SITUATIONS.items():
    for _class in catalogue.institutions().values():
        if _name not in THERE.get(_class.__name__.lower(), set(SITUATIONS) - BOTTOM):
            continue
        if _stack := fitting(_class, _situation):
            PAIRS[f"{_name}, {'+'.join(i.name for i in _stack)}"] = (_name, _stack)
STACKS: dict[str, tuple[str, tuple[Institution, ...]]] = {
    "harvest, levy+two altars+sanction alone": ("harvest", (Levy(), Altar(), Altar(title="shrine"), Sanction(by=""))),
    "harvest, contract+altar+sanction": ("harvest", (Contract(), Altar(), Sanction())),
    "cleanup, subsidy+altar+sanction": (
        "cleanup",
        (Levy(on="clean", rate=-0.5), Altar(on="freeride", names="forbidden", content=0, threshold=0), Sanction()),
    ),
    "mushrooms, levy+taboo+sanction": (
        "mushrooms",
        (Levy(on="externality", rate=-1.0), Taboo(kinds="red"), Sanction(by="taboo", exile=5)),
    ),
    "pool, levy+contract": ("pool", (Levy(on="harvest", proceeds="shared"), Contract(on="request"))),
    "pool, altar+contract+levy": ("pool", (Altar(), Contract(on="altar.violation"), Levy(on="altar.ban"))),
}
STACKS["matrix, levy+two contracts"] = (
    "matrix",
    (Levy(on="defect"), Contract(on="defect"), Contract(title="second", on="defect")),
)
ALL = PAIRS | STACKS


def _daily() -> frozenset[str]:
    """The fewest pairs in which each institution and each situation stands, the situation perhaps in a stack; stacks.

    What goes with many situations is left out first, and once for all of them it stays.
    """
    parts = {name: (where, stack[-1].name) for name, (where, stack) in PAIRS.items()}
    often = Counter(word for _, word in parts.values())
    left = Counter(part for both in parts.values() for part in both) + Counter(where for where, _ in STACKS.values())
    kept = set(ALL)
    for name in sorted(parts, key=lambda n: -often[parts[n][1]]):
        if all(left[part] > 1 for part in parts[name]):
            left.subtract(parts[name])
            kept.remove(name)
    return frozenset(kept)


DAILY = _daily()


def cases(names: Iterable[str]) -> list[Any]:
    """Of these the daily ones; the others are run by name, with the slow tests."""
    return [name if name in DAILY else pytest.param(name, marks=pytest.mark.slow) for name in names]


def made(name: str, **places: dict[str, Any]) -> Governed:
    """The governed situation of a pair, with some options of its institutions changed."""
    where, stack = ALL[name]
    return govern(SITUATIONS[where], *(i.replace(**places.get(i.name, {})) for i in stack))


class Run(eqx.Module):
    """[T] of everything: state before and after each step, seen before it, action, outcome, held before it."""

    before: Any
    after: Any
    seen: Any
    action: Any
    asked: Any
    held: Any
    outcome: Any

    def world(self, which: str = "after") -> Any:
        state = getattr(self, which)
        return getattr(state, "world", state)

    def of_play(self) -> "Run":
        """Only the steps that the world made."""
        return jax.tree.map(lambda x: x[~self.held], self)


@eqx.filter_jit
def _run(situation: Situation, key: Any, answers: dict[str, Any], steps: int) -> Run:
    born, playing, acting = jax.random.split(key, 3)

    def tick(carry: Any, t: Any) -> tuple[Any, Run]:
        state, clock = carry
        held = situation.held(state)
        action = {}
        for head, k in situation.actions.items():
            # by clock and head, so that the world's own heads are answered alike under all rules
            own = jax.random.fold_in(jax.random.fold_in(acting, clock), zlib.crc32(head.encode()))
            action[head] = jax.random.randint(own, (situation.agents,), 0, k)
            if head in answers:
                action[head] = jnp.where(answers[head] < 0, action[head], answers[head])
        seen, asked = situation.observe(state), situation.asked(state)
        after, later, outcome = step(situation, playing, clock, state, action)
        return (after, later), Run(state, after, seen, action, asked, held, outcome)

    return jax.lax.scan(tick, (situation.reset(born), jnp.zeros((), jnp.int32)), jnp.arange(steps))[1]


def run(situation: Situation, seed: int = 0, **answers: int) -> Run:
    """26 steps of random play on NumPy arrays; `answers` fixes what all say to an institution's head (-1 random).

    Compiled once for each structure: settings and answers may change freely.
    """
    heads = [h for h in situation.actions if "." in h]
    given = {h: jnp.asarray(answers.get(h.split(".")[1], -1), jnp.int32) for h in heads}
    return jax.tree.map(np.asarray, _run(situation, jax.random.key(seed), given, 26))


def planes(situation: Situation) -> tuple[str, ...]:
    return outline(situation).planes


def equal(a: Any, b: Any) -> None:
    """Bit for bit."""
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


def head(tree: Any, steps: int) -> Any:
    """The first steps of a run."""
    return jax.tree.map(lambda x: x[:steps], tree)
