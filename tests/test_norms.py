"""Taboos, altars and sanctions in worlds that are lived in: what they write down, recounted step by step."""

import tempfile
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from hypothesis import given
from hypothesis import strategies as st
from small import SITUATIONS, planes

from nomoi import grid
from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.marks import LONG
from nomoi.institutions.sanction import Sanction
from nomoi.institutions.taboo import Taboo
from nomoi.situations.berries import Berries
from nomoi.situations.harvest import State
from nomoi.situations.walkers import ZAP

_CLEARING = Path(tempfile.mkdtemp()) / "clearing.txt"
_CLEARING.write_text("\n".join([" " * 6] * 5))
GROVE = Berries(map=str(_CLEARING), agents=6, bushes=(8, 8, 6, 4), regrowth=0.3, horizon=40, cooldown=1)
HARVEST = SITUATIONS["harvest"]
SANCTION = {"cost": 3.0, "reward": 7.0, "loss": 2.0, "harm": 5.0, "fire": 0.25, "exile": 2, "immunity": 3}


@eqx.filter_jit
def _live(g, key, steps):
    born, playing, acting = jax.random.split(key, 3)

    def tick(state, t):
        move = jnp.minimum(jax.random.randint(jax.random.fold_in(acting, t), (g.agents,), 0, 11), ZAP)
        after, outcome = g.step(jax.random.fold_in(playing, t), state, {"move": move})
        return after, (state, after, outcome)

    return jax.lax.scan(tick, g.reset(born), jnp.arange(steps))[1]


def live(g, seed):
    """40 steps of random play: states before and after each, and outcomes; not what is seen, which compiles long."""
    return jax.tree.map(np.asarray, _live(g, jax.random.key(seed), 40))


def grove(seed, credit="all", span=4, known=False, **sanction):
    g = govern(
        GROVE, Taboo(kinds="poison,silly", span=span, known=known),
        Sanction(**{"by": "taboo", "credit": credit} | SANCTION | sanction),
    )  # fmt: skip
    return g, live(g, seed)


def commons(seed, credit="all", **sanction):
    g = govern(HARVEST, Altar(span=9), Sanction(**{"by": "altar", "credit": credit} | SANCTION | sanction))
    return g, live(g, seed)


# --- taboo ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("span", [0, 1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_marks_recounted(span, seed):
    """A berry of a forbidden kind marks; a hit clears what was there before it; a mark fades after its span."""
    _, (_, _, outcome) = grove(seed, span=span)
    events, n = outcome.events, GROVE.agents
    age, cleared, same = [LONG] * n, 0, 0
    for t in range(40):
        zap, ate, kind = (events[e][t] for e in ("zap", "harvest", "kind"))
        for i in range(n):
            assert events["taboo.violator"][t, i] == (age[i] <= span)
            if zap[:, i].any():
                cleared += age[i] <= span
                age[i] = LONG
            wrong = ate[i] > 0 and GROVE.kinds[kind[i]] in ("poison", "silly")
            same += bool(wrong and zap[:, i].any())
            age[i] = 0 if wrong else min(age[i] + 1, LONG)
            assert events["taboo.violation"][t, i] == wrong
            assert events["taboo.marked"][t, i] == (age[i] <= span)
    assert cleared + same > 0
    assert events["taboo.violation"].any()


@eqx.filter_jit
def flipped(g, states):
    """[T] What all are told, and [T, n] what they are told when the mark of one of them is another."""

    def other(state, i):
        memory, mine = state.memory[0], jnp.arange(g.agents) == i
        mark = ~memory.guilty(g.institutions[0].span)
        verdict = jnp.where(mine, mark, memory.verdict)
        trace = jnp.where(mine, jnp.where(mark, 1, memory.none), memory.trace)
        age = jnp.where(mine, jnp.where(mark, 2, LONG), memory.age)
        memory = eqx.tree_at(lambda m: (m.verdict, m.trace, m.age), memory, (verdict, trace, age))
        return g.observe(eqx.tree_at(lambda s: s.memory[0], state, memory))

    return jax.vmap(g.observe)(states), jax.vmap(lambda s: jax.vmap(lambda i: other(s, i))(jnp.arange(g.agents)))(
        states
    )


@pytest.mark.parametrize("known", [False, True])
def test_nothing_that_one_is_told_depends_on_the_own_mark_unless_it_is_known(known):
    g, (_, after, _) = grove(1, known=known)
    told, changed = jax.tree.map(np.asarray, flipped(g, after))
    assert set(told) == {"view", "ready", "taboo.own", "sanction.aim"}
    for name in told:
        differs = (
            (told[name][:, None] != changed[name]).reshape(40, g.agents, g.agents, -1).any(-1)
        )  # whose, in whose eyes
        own = differs.diagonal(axis1=1, axis2=2)
        assert own.all() if known and name == "taboo.own" else not own.any(), name
        # the test is not empty: others do see the mark, and when they aim at it they sense it
        assert differs.sum() > own.sum() + 20 or name in ("ready", "taboo.own")
    # the mark has a plane of its own, on others
    bit, body = (told["view"] >> planes(g).index(plane) & 1 for plane in ("taboo.marked", "agent"))
    assert (bit <= body).all()
    assert bit.any()
    assert (bit < body).any()
    assert not bit[~np.asarray(after.memory[0].verdict).any(1)].any()


def test_a_taboo_names_the_situation_and_itself_when_a_kind_is_unknown():
    with pytest.raises(Refusal, match=r"taboo.*'helthy'.*berries.*did you mean 'healthy'"):
        govern(GROVE, Taboo(kinds="poison, helthy"))
    with pytest.raises(Refusal, match=r"taboo.*'plenty'.*berries"):
        govern(GROVE.replace(bushes=(5, 5)), Taboo(kinds="plenty"))
    govern(GROVE, Taboo(kinds=" poison ,plenty"))  # spaces are no part of a name


# --- sanction -------------------------------------------------------------------------------------------------


def aimed(g, world, t):
    """[n][n] whom each would hit in step t, by the slow twins."""
    body, cooling = world.body, world.cooling[t]
    where = (g.situation.land, body.cell[t], body.facing[t], body.out[t], *g.situation.beam)
    hits = twins.block(*where) if g.name == "berries" else twins.reach(*where)
    return np.array(hits) & (cooling == 0)[:, None]


@pytest.mark.parametrize("immunity", [0, 3])
@pytest.mark.parametrize("credit", ["one", "all"])
@pytest.mark.parametrize("place", [grove, commons])
def test_sanctions_recounted(place, credit, immunity):
    seen = dict.fromkeys(("correct", "wrong", "struck", "ripe", "seized", "idle", "strayed", "many", "spared"), 0)
    for seed in range(4):
        g, (before, _, outcome) = place(seed, credit, immunity=immunity)
        events, n, by = outcome.events, g.agents, g.institutions[0].name
        world, memory = before.world, before.memory[1]
        immune = np.zeros(n, int)
        for t in range(40):
            fact = {word: events[f"sanction.{word}"][t] for word in seen if f"sanction.{word}" in events}
            guilty, shot = events[f"{by}.violator"][t] > 0, events["shot"][t]
            assert memory.immune[t].tolist() == immune.tolist()
            landed = (events["zap"][t] > 0) & (immune == 0)
            struck = landed.any(0)
            assert fact["struck"].tolist() == struck.tolist()
            if credit == "all":
                assert fact["correct"].tolist() == (landed & guilty).sum(1).tolist()
                assert fact["wrong"].tolist() == (landed & ~guilty).sum(1).tolist()
            else:  # one striker for each who is struck
                assert fact["correct"].sum() == (struck & guilty).sum()
                assert fact["wrong"].sum() == (struck & ~guilty).sum()
                assert (fact["correct"] <= (landed & guilty).sum(1)).all()
                assert (fact["wrong"] <= (landed & ~guilty).sum(1)).all()
            paid = 7 * fact["correct"] - 3 * (fact["correct"] + fact["wrong"]) - 0.25 * shot
            np.testing.assert_allclose(outcome.transfer[t], paid - 5 * struck - 2 * (struck & guilty), atol=1e-5)
            # chances are those that the step began with
            target = aimed(g, world, t) & (immune == 0) if t else np.zeros((n, n), bool)
            marked = events[f"{by}.marked"][t - 1] > 0
            ripe = (target & marked).any(1)
            idle = target.any(1) & ~ripe
            told = {"ripe": ripe, "seized": ripe & (shot > 0), "idle": idle, "strayed": idle & (shot > 0)}
            for word, value in told.items():
                assert fact[word].tolist() == value.tolist(), word
            seen["many"] += int((landed.sum(0) > 1).sum())
            seen["spared"] += int(((events["zap"][t] > 0).any(0) & (immune > 0)).sum())
            seen |= {word: seen[word] + int(value.sum()) for word, value in fact.items()}
            immune = np.where(struck, 2 + immunity, np.maximum(immune - 1, 0)) * (immunity > 0)
    assert all(count or (word == "spared" and not immunity) for word, count in seen.items()), str(seen)


def test_in_berries_every_chance_that_is_taken_is_a_hit():
    """Beams strike first, so what was at hand when the step began is what a shot hits."""
    for seed in range(4):
        got = grove(seed, "all", immunity=0)[1][2].events
        correct, wrong = got["sanction.correct"] > 0, got["sanction.wrong"] > 0
        later = slice(1, None)  # nobody has counted chances before the first step
        np.testing.assert_array_equal(correct[later], got["sanction.seized"][later] > 0)
        assert (wrong[later] >= (got["sanction.strayed"][later] > 0)).all()
        np.testing.assert_array_equal(
            (correct | wrong)[later], ((got["sanction.seized"] + got["sanction.strayed"]) > 0)[later]
        )


# --- altar ----------------------------------------------------------------------------------------------------

RED, BLUE, GREEN, BAN, NEVER = range(5)
WORDS = ("permitted", "prohibited", "unknown")


def standing(*cells, facing=0):
    n, land = len(cells), HARVEST.land
    body = grid.Body(jnp.asarray(cells, jnp.int32), jnp.full(n, facing, jnp.int32), jnp.zeros(n, jnp.int32))
    return State(body, jnp.zeros(n, jnp.int32), jnp.ones(len(land.sites), bool), jnp.zeros((), jnp.int32))


@eqx.filter_jit
def _senses(g, states):
    return jax.vmap(g.senses)(states)


@eqx.filter_jit
def _looks(altar, read, trace, age):
    state = standing(*HARVEST.land.find("P")[:4])
    memory = altar.found(jax.random.key(0), HARVEST, state)
    memory = eqx.tree_at(lambda m: (m.read, m.marks.trace, m.marks.age), memory, (read, trace, age))
    scene = altar.layers(memory, HARVEST.scene(state))
    return scene, scene.view(), altar.inform(memory, HARVEST, state, scene, {})


def looks(altar, read, trace, age):
    """The planes that four agents see, and what they are told, by what they read and did."""
    scene, view, told = _looks(altar, *(jnp.asarray(x, jnp.int32) for x in (read, trace, age)))
    bits = {p: np.asarray(view >> scene.planes.index(p) & 1).astype(bool) for p in scene.planes}
    return scene, bits, np.asarray(told["mind"])


@given(
    read=st.lists(st.integers(0, NEVER), min_size=4, max_size=4),
    trace=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    age=st.lists(st.sampled_from([0, 7, 20, 21, LONG]), min_size=4, max_size=4),
    names=st.sampled_from(["permitted", "forbidden"]),
)
def test_in_a_viewers_eyes_everything_is_one_of_permitted_prohibited_unknown(read, trace, age, names):
    """By the content that the viewer read, whether the altar names the kind that may or that may not be taken."""

    def word(content, kind):
        if content == NEVER:
            return "unknown"
        if content == BAN:
            return "prohibited"
        return "permitted" if (content == kind) == (names == "permitted") else "prohibited"

    scene, bits, mind = looks(Altar(names=names), read, trace, age)
    for i in range(4):
        assert mind[i, :5].tolist() == [float(k == read[i]) for k in range(5)]
        fresh = age[i] <= 20 and trace[i] < 3
        assert mind[i, 8:11].tolist() == [float(fresh and w == word(read[i], trace[i])) for w in WORDS]
        for w in WORDS:
            label = np.broadcast_to(scene.labels[f"altar.{w}"], (4, 3))[i]
            assert label.tolist() == [w == word(read[i], kind) for kind in range(3)]
            worn = np.broadcast_to(scene.bodies[f"altar.trace.{w}"], (4, 4))[i]
            assert worn.tolist() == [age[j] <= 20 and trace[j] < 3 and w == word(read[i], trace[j]) for j in range(4)]
    assert (sum(bits[f"altar.{w}"].astype(int) for w in WORDS) == bits["apple"]).all()


def test_raw_sight_shows_the_kinds_themselves_whatever_one_has_read():
    read, trace, age = [RED, BAN, NEVER, BLUE], [BLUE, RED, GREEN, 3], [0, 20, 21, 0]
    scene, bits, mind = looks(Altar(sight="raw"), read, trace, age)
    other, _, _ = looks(Altar(sight="raw"), [NEVER] * 4, trace, age)
    kinds = [f"altar.kind.{k}" for k in range(3)]
    assert not any(w in p for p in scene.planes for w in WORDS)
    assert (sum(bits[k].astype(int) for k in kinds) == bits["apple"]).all()
    for k, name in enumerate(kinds):
        assert bits[name].any()
        shown = np.zeros(HARVEST.land.cells, bool)
        shown[HARVEST.land.sites[HARVEST.land.letter == "RBG"[k]]] = True
        np.testing.assert_array_equal(scene.layer(name), shown)
        worn = np.broadcast_to(scene.bodies[f"altar.trace.{k}"], (4, 4))
        assert worn.tolist() == [[(BLUE, RED, None, None)[j] == k for j in range(4)]] * 4
        np.testing.assert_array_equal(scene.bodies[f"altar.trace.{k}"], other.bodies[f"altar.trace.{k}"])
        np.testing.assert_array_equal(scene.labels[name], other.labels[name])
    # the own trace is its kind, while it is fresh
    assert mind[:, 8:11].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert mind.shape == (4, 13)


def test_several_altars_stand_side_by_side_each_with_its_place_and_its_rule():
    """The second has its place where agents start, and forbids what it names; the third judges what it found wrong."""
    shrine = Altar(title="shrine", place="P", content=BLUE, names="forbidden", distance=0)
    court = Altar(title="court", on="shrine.violation", term=4, sight="raw")
    g = govern(HARVEST, Altar(content=RED, distance=1, threshold=0.0), shrine, court, Sanction(by="shrine", exile=0))
    (before, after, outcome), land = live(g, 3), HARVEST.land
    events, memory = outcome.events, after.memory
    assert {"altar", "shrine", "altar.permitted", "shrine.permitted", "court.kind.0"} <= set(planes(g))
    ate, kind = events["harvest"] > 0, events["kind"]
    content = [m.content[:, None] for m in before.memory[:3]]
    assert (content[0] == RED).all()
    assert len(set(content[2].ravel().tolist())) > 1
    wrong = {
        "altar": ate & (kind != content[0]),
        "shrine": ate & ((kind == content[1]) | (content[1] == BAN)),
    }
    wrong["court"] = wrong["shrine"] & (kind != content[2])
    for name, value in wrong.items():
        np.testing.assert_array_equal(events[f"{name}.violation"] > 0, value)
        assert value.any()
    body, told = after.world.body, jax.tree.map(np.asarray, _senses(g, after))
    for which, name, letter, reach in ((0, "altar", "H", 1), (1, "shrine", "P", 0)):
        at = np.argwhere(land.mask(letter).reshape(land.height, land.width))
        steps = np.array([np.abs(at - divmod(c, land.width)).max(1).min() for c in body.cell.ravel()])
        near = steps.reshape(body.cell.shape) <= reach
        np.testing.assert_array_equal(memory[which].here, near)
        assert near.any()
        assert not near.all()
        for t, i in np.ndindex(40, 4):
            way = at.mean(0) - divmod(int(body.cell[t, i]), land.width)
            facing = int(body.facing[t, i])
            ahead, right = way @ twins.FORWARD[facing], way @ twins.RIGHTWARD[facing]
            np.testing.assert_allclose(told[f"{name}.bearing"][t, i], [ahead / 10, right / 10], atol=1e-6)
    # strikers are paid by the shrine's verdicts, not by the altar's
    hit, guilty = events["zap"] > 0, events["shrine.violator"] > 0
    assert hit.any()
    np.testing.assert_array_equal(events["sanction.correct"].sum(1), (hit.any(1) & guilty).sum(1))


def test_what_a_false_altar_shows_at_its_place_is_not_the_rule():
    """A stale one shows its first content to whoever comes, though the rule has changed."""
    h = int(HARVEST.land.find("H")[0])
    state = standing(h, h - 3, h - 3 + HARVEST.land.width, h - 4)
    altar = Altar(display="stale", content=RED, term=1, distance=1)
    memory = altar.found(jax.random.key(0), HARVEST, state)
    none = dict.fromkeys(HARVEST.emits, jnp.zeros(4)) | {"kind": jnp.zeros(4, jnp.int32), "zap": jnp.zeros((4, 4))}
    settle = eqx.filter_jit(lambda a, m, key: _settled(a, m, key, state, none))
    true = []
    for t in range(12):
        memory = settle(altar, memory, jax.random.key(t))
        true.append(int(memory.content))
        assert memory.read.tolist() == [RED, NEVER, NEVER, NEVER]
    assert len(set(true)) == 3


def _settled(altar, memory, key, state, events):
    from nomoi.core import Outcome

    outcome = Outcome(jnp.zeros(4), jnp.zeros(4), events, jnp.array(False))
    return altar.settle(key, memory, HARVEST, state, {}, {}, outcome)[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"on": "hravest"}, r"altar needs 'hravest', which harvest .*altar\(on=harvest\) would be right"),
        ({"of": "knd"}, r"altar needs 'knd', which harvest"),
        ({"on": "zap"}, r"altar.on is 'zap'.*harvest.*an amount"),
        ({"on": "kind"}, r"altar.on is 'kind'.*harvest.*an amount"),
        ({"of": "shot"}, r"altar.of is 'shot'.*harvest.*kind a thing"),
        ({"place": "X"}, r"altar needs a place drawn X .*harvest"),
        ({"place": ""}, r"altar.place is ''"),
        ({"place": "HP"}, r"altar.place is 'HP'"),
        ({"sight": "blurred"}, r"altar.sight is 'blurred'"),
        ({"content": 3}, r"altar.content is 3, and harvest has the kinds 0 red, 1 blue, 2 green"),
    ],
)
def test_what_an_altar_cannot_be_is_refused(changes, said):
    with pytest.raises(Refusal, match=said):
        govern(HARVEST, Altar(**changes))


def test_what_an_altar_is_is_said_in_words():
    assert "may be taken" in Altar().sentence
    assert "stock runs low" in Altar().sentence
    other = Altar(names="forbidden", term=9, display="stale").sentence
    assert "is forbidden" in other
    assert "every 9 steps" in other
    assert "the first one for ever" in other
