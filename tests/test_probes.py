"""Probes: staged scenes whose scores are computed by hand for learners that are made by hand."""

import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins

from nomoi.core import govern
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.institutions.sanction import Sanction
from nomoi.institutions.taboo import Taboo
from nomoi.probes.staged import STEPS, probes
from nomoi.situations.berries import Berries
from nomoi.situations.pool import Pool
from nomoi.situations.walkers import AHEAD, STAY, ZAP

_MAP = Path(tempfile.mkdtemp()) / "clearing.txt"
_MAP.write_text("\n".join([" " * 3] * 6))
GROVE = Berries(map=str(_MAP), agents=3, bushes=(5, 5, 5, 3), regrowth=1.0, extent=(6, 6, 6))
STACK = (Taboo(kinds="poison,silly"), Sanction(by="taboo", aware=False))
STAGE, WORLDS, KEY = govern(GROVE, *STACK), 100, jax.random.key(5)


class Handmade(Learner):
    """Does what its mind is: walks ahead, fires, or fires when it sees a mark and never walks onto a silly berry."""

    def act(self, key, mind, situation, seen, carry):
        scene = jax.eval_shape(situation.scene, jax.eval_shape(situation.reset, key))
        plane = lambda name: (seen["view"] >> scene.planes.index(name)) & 1 == 1  # noqa: E731
        move = jnp.where(plane("berry.silly")[:, 5, 6], STAY, AHEAD)
        picky = jnp.where(plane("taboo.marked").any((1, 2)), ZAP, move)
        return {"move": jnp.stack([jnp.full_like(move, AHEAD), jnp.full_like(move, ZAP), picky])[mind]}, carry


WALKS, FIRES, PICKS = range(3)


def scores(mind, stage=STAGE):
    return probes(KEY, stage, Handmade(), jnp.array(mind), WORLDS)


def starts():
    """For each world: cells and facings of agents 0 and 1, and the cell where the berry lies."""
    keys = jax.random.split(KEY, WORLDS)
    body = jax.vmap(lambda k: GROVE.reset(k).body)(keys)
    spot = jax.vmap(lambda k: jax.random.randint(jax.random.fold_in(k, 1), (), 0, len(GROVE.land.sites)))(keys)
    return np.asarray(body.cell), np.asarray(body.facing), GROVE.land.sites[np.asarray(spot)]


def score(step):
    """Of what was done in that step, counted from 1; None is never."""
    return 0.0 if step is None else 1 - step / STEPS


def ahead(cell, facing, berry):
    """The step in which one who walks straight ahead, alone, enters the berry's cell or stays on it at a wall."""
    for step in range(1, STEPS + 1):
        there = twins.spot(GROVE.land, cell, facing, 1, 0)
        cell = cell if GROVE.land.walls[there] else there
        if cell == berry:
            return step
    return None


def blocked():
    """Whether agent 1 stands in the block ahead of agent 0, in each world."""
    cell, facing, _ = starts()
    length, radius = GROVE.beam
    return [
        twins.block(GROVE.land, c[:2], f[:2], [0, 0], length, radius)[0][1] for c, f in zip(cell, facing, strict=True)
    ]


def test_who_walks_straight_ahead_scores_by_the_way_to_the_berry():
    found = scores(WALKS)
    cell, facing, berry = starts()
    expected = [score(ahead(c[0], f[0], b)) for c, f, b in zip(cell, facing, berry, strict=True)]
    assert len(set(expected)) > 3
    assert list(found) == ["poison", "silly", "healthy", "marked", "unmarked"]
    for kind in ("poison", "silly", "healthy"):
        assert found[kind] == pytest.approx(np.mean(expected), abs=1e-6)
    assert found["marked"] == found["unmarked"] == 0


def test_who_always_fires_scores_where_the_other_stands_in_the_block():
    found = scores(FIRES)
    hit = np.mean([score(1 if b else None) for b in blocked()])
    assert 0 < hit < 1
    assert found["marked"] == pytest.approx(hit, abs=1e-6)
    assert found["unmarked"] == pytest.approx(hit, abs=1e-6)
    cell, _, berry = starts()
    eaten = np.mean([score(1 if c[0] == b else None) for c, b in zip(cell, berry, strict=True)])  # never moves
    assert found["poison"] == found["silly"] == found["healthy"] == pytest.approx(eaten, abs=1e-6)
    assert eaten > 0


def test_who_tells_marks_and_berries_apart_shows_it():
    found = scores(PICKS)
    assert found["unmarked"] == 0
    # the window shows the whole clearing, so whoever is marked is fired at from the first step on
    assert found["marked"] == pytest.approx(np.mean([score(1 if b else None) for b in blocked()]), abs=1e-6)
    cell, facing, berry = starts()
    way = [ahead(c[0], f[0], b) for c, f, b in zip(cell, facing, berry, strict=True)]
    assert found["poison"] == found["healthy"] == pytest.approx(np.mean([score(w) for w in way]), abs=1e-6)
    shunned = [score(1 if c[0] == b and w == 1 else None) for c, b, w in zip(cell, berry, way, strict=True)]
    assert found["silly"] == pytest.approx(np.mean(shunned), abs=1e-6)
    assert found["silly"] < found["poison"] / 2


def test_where_no_taboo_is_in_force_nobody_is_seen_to_be_marked():
    free = govern(GROVE, STACK[0].replace(in_force=False), STACK[1].replace(in_force=False))
    found = scores(PICKS, free)
    assert found["marked"] == found["unmarked"] == 0


def test_the_stage_does_not_depend_on_how_much_grows_or_what_a_hit_costs():
    again = govern(GROVE.replace(regrowth=0.0), STACK[0], STACK[1].replace(cost=0.0, exile=0, immunity=5))
    for mind in (WALKS, FIRES):
        assert scores(mind, again) == scores(mind)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (GROVE, r"under a taboo, and this is berries\.$"),
        (govern(GROVE, Sanction(by="")), "and this is berries under sanction"),
        (Pool(), "and this is pool"),
        (govern(GROVE.replace(bushes=(5, 5)), STACK[0]), "3 kinds and two agents, and here are 2 kinds"),
        (govern(GROVE.replace(agents=1), STACK[0]), "two agents, and here are 4 kinds and 1 agents"),
    ],
)
def test_where_the_probes_cannot_be_staged_is_said(stage, said):
    with pytest.raises(Refusal, match=said):
        probes(KEY, stage, Handmade(), jnp.array(0), 2)
