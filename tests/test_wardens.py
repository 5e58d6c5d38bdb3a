"""Wardens: what they choose in staged scenes, and that they bring about what the altar names."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from small import SITUATIONS
from test_allelopathic import PLANT, RED, SMALL, at_a_bush, duel, put

from nomoi import grid
from nomoi.core import govern
from nomoi.core.rollout import rollout
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.sanction import Sanction
from nomoi.runs.regimes import parse
from nomoi.scripts.fixed import Mixed, Random
from nomoi.scripts.wardens import Warden
from nomoi.situations.allelopathic import GREY, Allelopathic
from nomoi.situations.walkers import AHEAD, ZAP

GREEN, BLUE = 1, 2
REGIME = Allelopathic.regimes["altar"].replace("grace=50", "grace=50,content=0")
LAW = govern(SMALL, *parse("", REGIME).institutions)
SURE = Warden(zeal=1.0)


@eqx.filter_jit
def begin(g):
    return g.reset(jax.random.key(0))


@eqx.filter_jit
def act(warden, g, state, clock, seed):
    return warden.act(jax.random.key(seed), (), g, g.observe(state), clock)


def chosen(world, warden=SURE, clock=50, immune=None):
    """The move of agent 0, who stands in `world` under the altar (it names red)."""
    state = eqx.tree_at(lambda p: p.world, begin(LAW), world)
    if immune is not None:
        state = eqx.tree_at(lambda p: p.memory[1].immune, state, jnp.asarray(immune, jnp.int32))
    action, later = act(warden, LAW, state, jnp.asarray(clock, jnp.int32), 0)
    assert int(later) == clock + 1
    return int(action["move"][0])


def worn(of_the_other, own=RED):
    return [own, of_the_other, RED, RED, RED, RED]


@pytest.mark.parametrize("colour", [GREEN, BLUE, GREY])
def test_who_wears_another_colour_or_none_is_struck(colour):
    assert chosen(duel(SMALL, worn=worn(colour))) == ZAP


def test_the_compliant_are_not_struck_nor_anybody_before_the_grace_is_over_nor_while_the_beam_is_not_ready():
    assert chosen(duel(SMALL, worn=worn(RED))) != ZAP
    assert chosen(duel(SMALL, worn=worn(GREY)), clock=49) != ZAP
    assert chosen(duel(SMALL, worn=worn(GREY), cooling=[1] * 6)) != ZAP
    assert chosen(duel(SMALL, worn=worn(GREY)), immune=[0, 9, 0, 0, 0, 0]) != ZAP


def test_nobody_is_struck_while_somebody_compliant_stands_in_the_beam_too():
    state = duel(SMALL, worn=worn(GREY))
    cell, out = np.array(state.body.cell), np.array(state.body.out)
    cell[2], out[2] = twins.spot(SMALL.land, cell[0], grid.NORTH, 1, 1), 0
    both = put(state, cell=cell, out=out)
    assert np.asarray(SMALL.aim(both))[0].tolist() == [False, True, True, False, False, False]
    assert chosen(both) != ZAP
    assert chosen(put(both, worn=[RED, GREY, BLUE, RED, RED, RED])) == ZAP


@pytest.mark.parametrize("steps", [1, 3])
def test_the_colour_of_the_altar_is_planted_on_unripe_bushes_of_another(steps):
    state, site, _ = at_a_bush(SMALL, BLUE, steps=steps)
    assert chosen(state) == PLANT + RED
    assert chosen(put(state, resowing=[1] * 6)) < ZAP
    assert chosen(put(state, ripe=np.arange(90) == site)) < ZAP
    assert chosen(state, Warden(zeal=0.0)) < ZAP
    assert chosen(state, Warden(colour=GREEN, zeal=1.0)) == PLANT + GREEN
    bush = np.array(state.bush)
    bush[site] = RED
    same = put(state, bush=bush)
    assert chosen(same) < ZAP
    renews = Warden(zeal=1.0, renew=True)
    assert chosen(same, renews) == PLANT + RED
    assert chosen(put(same, worn=[RED] * 6), renews) < ZAP


def test_what_stands_behind_somebody_is_not_planted_and_striking_comes_first():
    state, _, way = at_a_bush(SMALL, BLUE, steps=2)
    cell, out = np.array(state.body.cell), np.array(state.body.out)
    cell[1], out[1] = way[0], 0
    there = put(state, cell=cell, out=out, worn=worn(RED))
    assert chosen(there) < ZAP
    cell[1] = SMALL.land.sites[next(s for s in range(90) if SMALL.land.sites[s] == way[0] - 15)]  # on the bush itself
    assert chosen(put(there, cell=cell)) == PLANT + RED
    assert chosen(put(there, cell=cell, worn=worn(GREY))) == ZAP


def test_they_walk_to_a_ripe_berry():
    state, _, _ = at_a_bush(SMALL, RED, ripe=True, steps=3)
    assert chosen(state) == AHEAD


def test_they_make_the_bushes_agree_and_a_mixed_company_knows_its_wardens():
    g = govern(SMALL.replace(horizon=200, repaint=True), *parse("", REGIME).institutions)
    company = Mixed(Random(), Warden(renew=True), 1)
    kept = jax.jit(lambda key: rollout(key, g, company, 199, 4, keep=lambda s: (g.stock(s), s.world.worn)).kept)
    stock, colours = map(np.asarray, kept(jax.random.key(2)))
    assert stock[0].tolist() == [[30, 30, 30]] * 4
    assert (stock[-1, :, RED] > 72).all()  # 80 %
    assert (colours[-1, :, 1:] == RED).mean() > 0.9


def test_who_cannot_read_the_altar_neither_strikes_nor_plants():
    hidden = govern(SMALL, *parse("", REGIME.replace("broadcast", "hidden")).institutions)
    state = eqx.tree_at(lambda p: p.world, begin(hidden), at_a_bush(SMALL, BLUE)[0])
    clock = jnp.asarray(60, jnp.int32)
    assert int(act(SURE, hidden, state, clock, 0)[0]["move"][0]) < ZAP
    assert int(act(Warden(colour=RED, zeal=1.0), hidden, state, clock, 0)[0]["move"][0]) == PLANT + RED


@pytest.mark.parametrize(
    ("situation", "warden", "match"),
    [
        (SITUATIONS["harvest"], Warden(), r"wardens look at 'bush.ripe', which harvest does not show; they live in"),
        (SITUATIONS["pool"], Warden(), r"wardens look at 'agent', which pool does not show"),
        (SMALL, Warden(colour=0), r"look at 'sanction\.aim', which allelopathic does not show"),
        (govern(SMALL, Sanction(by="")), Warden(), r"look at 'altar\.mind', which"),
        (govern(SMALL, Altar(), Sanction()), Warden(colour=3), r"^warden\.colour is 3, and allelopathic has 3 colours"),
    ],
)
def test_where_they_cannot_live_they_say_why(situation, warden, match):
    def one(key):
        return warden.act(key, (), situation, situation.observe(situation.reset(key)), jnp.zeros((), jnp.int32))

    with pytest.raises(Refusal, match=match):
        jax.eval_shape(one, jax.random.key(0))
