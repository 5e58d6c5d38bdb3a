"""What each institution does, hook by hook."""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import MAP, SITUATIONS, run

from nomoi.core import Outcome, Situation, govern, vocabulary
from nomoi.errors import Refusal
from nomoi.grid import Body, Extent, Land, Scene, distance
from nomoi.institutions.altar import Altar
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.sanction import Sanction
from nomoi.institutions.taboo import Taboo
from nomoi.situations.harvest import Harvest, State

N, FULL = 4, 10.0
RED, BLUE, GREEN, BAN, NEVER = range(5)


class Shelf(Situation):
    """Nothing but stock of three kinds, [3]; what was taken is told to `settle` directly."""

    @property
    def agents(self) -> int:
        return N

    @property
    def horizon(self) -> int:
        return 9

    @property
    def actions(self) -> dict[str, int]:
        return {"take": 4}

    @property
    def emits(self) -> dict[str, Any]:
        return vocabulary("harvest", "kind", "zap", "shot", "sparse")

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("red", "blue", "green")

    def reset(self, key):
        return jnp.full(3, FULL)

    def step(self, key, state, action):
        return state, happened()

    def stock(self, state):
        return state

    def capacity(self):
        return jnp.full(3, FULL)

    def aim(self, state):
        return jnp.zeros((N, N), bool).at[0, 1].set(True).at[2, 3].set(True)

    def remove(self, state, who, steps):
        return state


SHELF = Shelf()


def happened(harvest=(0, 0, 0, 0), kind=(0, 0, 0, 0), hits=(), **more) -> Outcome:
    """An outcome in which agent i took harvest[i] of kind[i] and `hits` are (striker, struck)."""
    zap = np.zeros((N, N), np.float32)
    for striker, struck in hits:
        zap[striker, struck] = 1
    taken = jnp.asarray(harvest, jnp.float32)
    events = {"harvest": taken, "kind": jnp.asarray(kind, jnp.int32), "sparse": taken}
    events |= {"zap": jnp.asarray(zap), "shot": jnp.asarray(zap.any(1), jnp.float32)}
    events |= {k.replace("__", "."): jnp.asarray(v, jnp.float32) for k, v in more.items()}
    return Outcome(jnp.zeros(N), jnp.zeros(N), events, jnp.array(False))


def found(institution, situation, seed=0, state=None):
    return _found(institution, jax.random.key(seed), situation, state)


@eqx.filter_jit
def _found(institution, key, situation, state):
    return institution.found(key, situation, situation.reset(key) if state is None else state)


@eqx.filter_jit
def _settle(institution, key, memory, stock, tried, outcome):
    return institution.settle(key, memory, SHELF, stock, tried, {}, outcome)


@eqx.filter_jit
def settle_there(institution, memory, situation, state):
    return institution.settle(jax.random.key(0), memory, situation, state, {}, {}, happened())


def settle(institution, memory, outcome, stock=(FULL, FULL, FULL), seed=0, **action):
    """Memory, facts by their last word, and the transfer."""
    answers = {f"{institution.name}.{h}": jnp.asarray(a, jnp.int32) for h, a in action.items()}
    memory, _, out = _settle(
        institution, jax.random.key(seed), memory, jnp.asarray(stock, jnp.float32), answers, outcome
    )
    facts = {
        k.split(".")[1]: np.asarray(v) for k, v in out.events.items() if "." in k and k.startswith(institution.name)
    }
    return memory, facts, np.asarray(out.transfer)


# --- levy -----------------------------------------------------------------------------------------------------


def test_levy_burnt_shared_kept():
    units = happened((2, 0, 1, 0))
    fund, facts, burnt = settle(Levy(rate=3.0), jnp.zeros(()), units)
    assert facts["paid"].tolist() == [6, 0, 3, 0]
    assert burnt.tolist() == [-6, 0, -3, 0]
    assert fund == 0
    fund, _, shared = settle(Levy(rate=3.0, proceeds="shared"), jnp.zeros(()), units)
    assert shared.tolist() == [-6 + 2.25, 2.25, -3 + 2.25, 2.25]
    assert fund == 0
    fund, _, kept = settle(Levy(rate=3.0, proceeds="kept"), jnp.array(5.0), units)
    assert kept.tolist() == burnt.tolist()
    assert fund == 14


def test_a_levy_on_what_is_done_to_others_is_paid_by_who_does_it():
    _, facts, paid = settle(Levy(rate=1.0, on="zap"), jnp.zeros(()), happened(hits=[(1, 0), (1, 2), (3, 0)]))
    assert facts["paid"].tolist() == [0, 2, 0, 1]
    assert paid.tolist() == [0, -2, 0, -1]


def test_a_negative_rate_is_a_subsidy():
    assert settle(Levy(rate=-1.0), jnp.zeros(()), happened((1, 0, 0, 0)))[2].tolist() == [1, 0, 0, 0]


# --- contract -------------------------------------------------------------------------------------------------

DONE = happened((3, 0, 0, 1))


def agree(contract, offers, votes, seed=0):
    """Memory after proposing and signing; then what a step of play moves."""
    memory = found(contract, SHELF, seed)
    assert memory.stage == 0
    assert contract.holds(memory)
    memory, _, moved = settle(contract, memory, DONE, propose=offers, sign=[1] * N)
    assert not moved.any()
    assert contract.holds(memory)
    memory, _, moved = settle(contract, memory, DONE, propose=[5] * N, sign=votes)
    assert not moved.any()
    assert not contract.holds(memory)
    after, facts, moved = settle(contract, memory, DONE, propose=[3] * N, sign=[0] * N)
    for a, b in zip(jax.tree.leaves(memory), jax.tree.leaves(after), strict=True):
        assert (a == b).all()  # what is agreed stays agreed
    return memory, facts, moved


def test_contract_moves_theta_from_who_does_it_to_the_others_evenly():
    memory, facts, moved = agree(Contract(on="harvest", low=0.0, high=10.0, levels=5), [2, 5, 5, 5], [0, 1, 1, 1])
    assert memory.theta == 2.5
    assert facts["paid"].tolist() == [7.5, 0, 0, 2.5]
    np.testing.assert_allclose(moved, [2.5 / 3 - 7.5, 10 / 3, 10 / 3, 2.5 - 2.5], atol=1e-6)
    assert facts["bound"].tolist() == [1] * N


@pytest.mark.parametrize("offer", range(1, 6))
def test_thetas_run_from_low_to_high(offer):
    memory, _, _ = agree(Contract(low=1.0, high=9.0, levels=5), [offer, 0, 0, 0], [1] * N)
    assert memory.theta == [1, 3, 5, 7, 9][offer - 1]


def test_a_single_level_is_the_lowest_theta():
    assert agree(Contract(low=4.0, high=4.0, levels=1), [1, 0, 0, 0], [1] * N)[0].theta == 4


def test_the_null_contract_is_not_the_lowest_theta():
    _, null, moved = agree(Contract(low=0.0), [0, 5, 5, 5], [1] * N)
    assert null["bound"].tolist() == [0] * N
    assert not moved.any()
    _, lowest, moved = agree(Contract(low=0.0), [1, 5, 5, 5], [1] * N)
    assert lowest["bound"].tolist() == [1] * N
    assert not moved.any()


@pytest.mark.parametrize("voters", [0, 1, 2, 3, 9])
def test_all_the_drawn_voters_must_sign_and_nobody_else(voters):
    contract = Contract(on="harvest", voters=voters)
    drawn = np.asarray(found(contract, SHELF, 3).voters)
    assert drawn.sum() == (min(voters, N - 1) if voters else N - 1)
    assert not drawn[0]
    assert agree(contract, [3] * N, drawn.astype(int).tolist(), 3)[0].bound
    for dissenter in range(1, N):
        votes = np.ones(N, int)
        votes[dissenter] = 0
        memory, facts, moved = agree(contract, [3] * N, votes.tolist(), 3)
        assert bool(memory.bound) == (not drawn[dissenter])
        assert bool(facts["bound"].any()) == bool(memory.bound) == bool(moved.any())
        assert bool(memory.theta) == bool(memory.bound)


def test_each_other_agent_is_drawn_to_vote_equally_often():
    keys = jax.random.split(jax.random.key(0), 3000)
    drawn = jax.jit(jax.vmap(lambda k: Contract(voters=2).found(k, SHELF, jnp.zeros(3)).voters))(keys)
    np.testing.assert_allclose(drawn.mean(0), [0, 2 / 3, 2 / 3, 2 / 3], atol=0.04)


def test_lots_are_drawn_as_often_as_said_each_contract_equally_and_null_whatever_the_lot():
    """As many lots as `imposed`, of which `null` are null, and the others take all the levels alike."""
    keys, contract = jax.random.split(jax.random.key(0), 4000), Contract(levels=4, imposed=0.375, null=0.25)
    drawn = jax.jit(jax.vmap(lambda k: contract.found(k, SHELF, jnp.zeros(3))))(keys)
    assert drawn.lot.mean() == pytest.approx(0.375, abs=0.03)
    lots = np.asarray(drawn.drawn)[np.asarray(drawn.lot)]
    np.testing.assert_allclose(np.bincount(lots, minlength=5) / len(lots), [0.25] + [0.75 / 4] * 4, atol=0.05)
    first = np.asarray(drawn.voters)[:, 1]
    assert drawn.lot[first].mean() == pytest.approx(0.375, abs=0.04)  # nor has who votes to do with it


@pytest.mark.parametrize("term", range(6))
def test_what_was_drawn_is_what_binds_whatever_is_said(term):
    contract = Contract(on="harvest", low=1.0, high=9.0, levels=5)
    memory = found(contract, SHELF)
    memory = eqx.tree_at(lambda m: (m.lot, m.drawn), memory, (jnp.array(True), jnp.array(term, jnp.int32)))
    assert not any(asked.any() for asked in contract.asked(memory, jnp.ones(N, bool)).values())
    for _ in range(2):
        memory, _, moved = settle(contract, memory, DONE, propose=[2] * N, sign=[0] * N)
        assert not moved.any()
        assert not any(asked.any() for asked in contract.asked(memory, jnp.ones(N, bool)).values())
    _, facts, _ = settle(contract, memory, DONE, propose=[2] * N, sign=[0] * N)
    theta = [0, 1, 3, 5, 7, 9][term]
    assert facts["paid"].tolist() == [3 * theta, 0, 0, theta]
    assert facts["bound"].tolist() == [float(term > 0)] * N


def test_contracts_by_lot_end_with_the_rehearsal():
    contract = Contract(rehearsal=0.25, imposed=0.1)
    for progress, share in ((0.0, 1.0), (0.2, 1.0), (0.25, 0.1), (1.0, 0.1)):
        assert float(contract.at(jnp.array(progress)).imposed) == pytest.approx(share)


def test_only_the_proposer_is_asked_then_only_the_voters():
    contract, here = Contract(voters=1), jnp.ones(N, bool)
    memory = found(contract, SHELF, 1)
    asked = contract.asked(memory, here)
    assert asked["propose"].tolist() == [True, False, False, False]
    assert not asked["sign"].any()
    memory, _, _ = settle(contract, memory, DONE, propose=[3] * N, sign=[1] * N)
    asked = contract.asked(memory, here)
    assert not asked["propose"].any()
    assert (asked["sign"] == memory.voters).all()
    assert asked["sign"].sum() == 1


def test_terms_are_known_to_all():
    contract = Contract(on="harvest", high=8.0, levels=3)
    memory, _, _ = agree(contract, [2, 0, 0, 0], [1] * N)
    terms = contract.inform(memory, SHELF, jnp.zeros(3), None, {})["terms"]
    assert terms.tolist() == [[0, 0, 1, 0.5, 1, float(i == 0)] for i in range(N)]


def test_low_above_high_is_refused():
    with pytest.raises(Refusal, match=r"contract.low is 5.*contract.high"):
        Contract(low=5.0, high=1.0)


# --- altar ----------------------------------------------------------------------------------------------------


def altar(content=RED, **settings):
    """An altar that permits `content`, and its memory."""
    a = Altar(**settings)
    memory = found(a, SHELF)
    return a, eqx.tree_at(lambda m: (m.content, m.decoy), memory, (jnp.asarray(content),) * 2)


def live(a, memory, *steps, seed=0):
    """Facts of several steps, each a dict of arguments of `settle`."""
    out = []
    for t, step in enumerate(steps):
        step = dict(step)
        memory, facts, moved = settle(a, memory, step.pop("outcome", happened()), seed=seed + t, **step)
        assert not moved.any()  # an altar changes no payoff ever
        out.append(facts)
    return memory, out


def eats(*kinds, hits=()):
    """Agent i takes one unit of kinds[i] (None: nothing)."""
    kinds = (*kinds, *[None] * (N - len(kinds)))
    return {"outcome": happened([k is not None for k in kinds], [k or 0 for k in kinds], hits)}


IDLE: dict[str, Any] = {}


def test_only_what_is_not_permitted_is_a_violation():
    _, (facts,) = live(*altar(BLUE), eats(RED, BLUE, GREEN, None))
    assert facts["violation"].tolist() == [1, 0, 1, 0]
    assert facts["violator"].tolist() == [1, 0, 1, 0]
    assert facts["ban"].tolist() == [0] * N


def test_where_nothing_bears_a_kind_an_altar_marks_nothing_on_the_land():
    a, memory = altar()
    body = Body(jnp.arange(4, dtype=jnp.int32), jnp.zeros(4, jnp.int32), jnp.zeros(4, jnp.int32))
    scene = Scene(Land("    ", "A", " WA"), Extent(1, 1, 1), body, {})
    assert a.layers(memory, scene) is scene


def test_a_violation_counts_units():
    a, memory = altar(BLUE)
    assert settle(a, memory, happened((0.5, 2, 0, 0), (0, 2, 0, 0)))[1]["violation"].tolist() == [0.5, 2, 0, 0]


def test_a_violation_is_carried_for_span_steps():
    _, facts = live(*altar(span=3), eats(BLUE), *[IDLE] * 5)
    assert [f["violator"][0] for f in facts] == [1, 1, 1, 1, 0, 0]
    assert [f["violation"][0] for f in facts] == [1, 0, 0, 0, 0, 0]


def test_a_new_violation_is_carried_anew():
    _, facts = live(*altar(span=2), eats(BLUE), IDLE, eats(GREEN), IDLE, IDLE, IDLE)
    assert [f["violator"][0] for f in facts] == [1, 1, 1, 1, 1, 0]


def test_a_legal_taking_does_not_launder_a_sticky_violation():
    _, facts = live(*altar(span=3), eats(BLUE), eats(RED), *[IDLE] * 3)
    assert [f["violator"][0] for f in facts] == [1, 1, 1, 1, 0]
    _, facts = live(*altar(span=3, sticky=False), eats(BLUE), eats(RED), *[IDLE] * 3)
    assert [f["violator"][0] for f in facts] == [1, 0, 0, 0, 0]


def test_when_a_violation_has_worn_off_a_legal_taking_counts_again():
    a, memory = altar(span=1)
    memory, facts = live(a, memory, eats(BLUE), IDLE, eats(RED))
    assert [f["violator"][0] for f in facts] == [1, 1, 0]
    assert (memory.marks.trace[0], memory.marks.age[0]) == (RED, 0)


def test_a_hit_clears_what_is_carried():
    _, facts = live(*altar(), eats(BLUE, BLUE), {"outcome": happened(hits=[(2, 0)])}, IDLE)
    assert [f["violator"].tolist()[:2] for f in facts] == [[1, 1], [1, 1], [0, 1]]


def test_the_verdict_is_given_at_the_time_of_taking():
    """Red was right when it was taken; when red is locked later nobody becomes guilty, nor does anyone innocent."""
    low = {"stock": (1, FULL, 0)}  # red is locked, green is gone: blue is next
    for amnesty in (True, False):
        memory, facts = live(*altar(RED, amnesty=amnesty), eats(RED, BLUE), low, IDLE)
        assert memory.content == BLUE
        assert [f["violator"][0] for f in facts] == [0, 0, 0]
        assert [f["violator"][1] for f in facts] == [1, 1, 0 if amnesty else 1]
    _, facts = live(*altar(RED), low, eats(RED, BLUE))
    assert facts[1]["violation"].tolist()[:2] == [1, 0]


@pytest.mark.parametrize(("wait", "heard"), [(0, 1), (1, 1), (50, 1), (51, 0)])
def test_a_change_is_told_once_and_heard_once_if_somebody_reads_it_soon(wait, heard):
    hidden, memory = altar(RED, display="hidden")
    shown, told = altar(RED)[0], []
    for t in range(wait + 3):
        memory, facts, _ = settle(hidden if t < wait else shown, memory, happened(), stock=(1, FULL, 0))
        told.append((facts["switch"].tolist(), facts["heard"].tolist()))
    assert [switch for switch, _ in told] == [[1.0] * N] + [[0.0] * N] * (wait + 2)
    assert [heard for _, heard in told] == [[0.0] * N] * wait + [[float(heard)] * N] + [[0.0] * N] * 2


def test_a_change_that_nobody_could_read_is_not_heard():
    class Away(Shelf):
        def present(self, state):
            return jnp.zeros(N, bool)

    a, memory = altar(RED)
    there = eqx.filter_jit(lambda m, stock: a.settle(jax.random.key(0), m, Away(), stock, {}, {}, happened())[2].events)
    told = there(memory, jnp.array([1.0, FULL, 0.0]))
    found = [(told["altar.switch"], told["altar.heard"])]
    for display in ("distractor", "stale"):
        facts = settle(*altar(RED, display=display), happened(), stock=(1, FULL, 0))[1]
        found.append((facts["switch"], facts["heard"]))
    assert all((switch == 1).all() and not heard.any() for switch, heard in found)


def test_taking_in_the_step_of_the_switch_is_judged_by_the_old_rule():
    memory, (facts,) = live(*altar(RED), eats(RED, BLUE) | {"stock": (1, FULL, 0)})
    assert facts["violation"].tolist()[:2] == [0, 1]
    assert memory.content == BLUE


def test_a_kind_is_locked_below_the_threshold_and_free_again_at_recovery():
    a, memory = altar(RED, threshold=0.4, recovery=0.6)
    for share, locked in (
        (0.41, False),
        (0.39, True),
        (0.5, True),
        (0.59, True),
        (0.6, False),
        (0.5, False),
        (0.4, False),
    ):
        memory, _, _ = settle(a, memory, happened(), stock=(FULL, share * FULL, FULL))
        assert bool(memory.locked[BLUE]) == locked, share
        assert memory.content == RED  # its own stock is full, so it stays


@given(stock=st.tuples(*[st.integers(0, 10)] * 3), content=st.integers(0, 3), seed=st.integers(0, 99))
def test_the_next_content_is_never_a_locked_kind(stock, content, seed):
    a, memory = altar(content)
    memory, _, _ = settle(a, memory, happened(), stock=stock, seed=seed)
    low = np.array(stock) < 4
    if content < 3 and not low[content]:
        assert memory.content == content
    elif low.all():
        assert memory.content == BAN
    else:
        assert not low[int(memory.content)]


def test_the_next_content_is_drawn_in_proportion_to_what_is_left():
    a, memory = altar(RED)
    keys, stock = jax.random.split(jax.random.key(0), 4000), jnp.array([1.0, 4.0, 8.0])
    drawn = jax.jit(jax.vmap(lambda k: a.settle(k, memory, SHELF, stock, {}, {}, happened())[0].content))(keys)
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 4000, [0, 1 / 3, 2 / 3, 0], atol=0.03)


def test_when_all_is_locked_all_is_forbidden_until_something_recovers():
    bare = {"stock": (1, 1, 1)}
    memory, facts = live(
        *altar(RED), bare, eats(RED, BLUE, GREEN) | {"stock": (1, 1, 5)}, {"stock": (1, 1, 6)}, eats(GREEN)
    )
    assert [f["ban"][0] for f in facts] == [1, 1, 0, 0]
    assert facts[1]["violation"].tolist() == [1, 1, 1, 0]
    assert memory.content == GREEN
    assert not facts[3]["violation"].any()


def minds(display, seed=0, steps=80, **settings):
    """What agent 0 holds in mind over some steps in which red is locked after ten."""
    a, memory = altar(RED, display=display, **settings)
    memory = eqx.tree_at(lambda m: m.read, memory, jnp.full(N, NEVER))
    read, true = [], []
    for t in range(steps):
        stock = (FULL, FULL, FULL) if t < 10 else (1, FULL, 0)
        memory, facts, _ = settle(a, memory, happened(), stock=stock, seed=seed + t)
        assert (facts["right"] == (np.asarray(memory.read) == int(memory.content))).all()
        read.append(int(memory.read[0]))
        true.append(int(memory.content))
    assert true == [RED] * 10 + [BLUE] * (steps - 10)
    return read


def test_who_knows_the_content_depends_on_its_display():
    assert minds("hidden") == [NEVER] * 80
    assert minds("broadcast") == [RED] * 10 + [BLUE] * 70
    assert minds("place") == [RED] * 10 + [BLUE] * 70  # where there is no land all stand at the altar
    assert minds("stale") == [RED] * 80
    false = minds("distractor", steps=400)
    switches = sum(a != b for a, b in itertools.pairwise(false))
    assert set(false) == {RED, BLUE, GREEN}
    assert 8 < switches < 32  # redrawn among three about every 15 steps: 18 changes are expected


def body(*cells):
    n = len(cells)
    return Body(jnp.asarray(cells, jnp.int32), jnp.zeros(n, jnp.int32), jnp.zeros(n, jnp.int32))


def standing(s, *cells):
    return State(
        body(*cells), jnp.zeros(len(cells), jnp.int32), jnp.ones(len(s.land.sites), bool), jnp.zeros((), jnp.int32)
    )


@pytest.mark.parametrize("distance", [0, 1, 2, 3])
def test_a_place_is_read_from_near_by(distance):
    s = SITUATIONS["harvest"]
    h = int(s.land.find("H")[0])  # row 2, column 5
    cells = (h, h - s.land.width + 1, h - 2, h - 3)  # 0, 1 (a diagonal), 2 and 3 king's moves away
    memory = found(Altar(distance=distance), s, 0, standing(s, *cells))
    assert memory.here.tolist() == [k <= distance for k in range(4)]
    known = [k <= distance for k in range(4)]
    assert (memory.read == memory.content).tolist() == known
    assert (memory.since == 0).tolist() == known
    gone = found(Altar(distance=9, display="hidden"), s, 0, standing(s, *cells))
    assert (gone.read == NEVER).all()
    everybody = found(Altar(distance=0, display="broadcast"), s, 0, standing(s, *cells))
    assert (everybody.read == everybody.content).all()


def test_a_visit_is_an_arrival():
    s, a = SITUATIONS["harvest"], Altar(distance=0)
    h = int(s.land.find("H")[0])
    memory = found(a, s, 0, standing(s, h, h - 1, h - 2, h - 3))
    seen = []
    for cells in ((h, h - 1, h - 2, h - 3), (h + 1, h, h - 2, h - 3), (h, h - 1, h - 2, h - 3)):
        memory, _, out = settle_there(a, memory, s, standing(s, *cells))
        seen.append(out.events["altar.visit"].tolist())
    assert seen == [[0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]


def test_kings_moves():
    art = "WWWWWWW\nW     W\nW H   W\nW    HW\nW     W\nWWWWWWW"
    for torus in (False, True):
        land = Land(art, "A", " WH", torus=torus)
        for cell, found in enumerate(distance(land, "H")):
            gaps = [abs(np.array(divmod(cell, 7)) - at) for at in ((2, 2), (3, 5))]
            want = min(max(np.minimum(gap, (6, 7) - gap) if torus else gap) for gap in gaps)
            assert found == want


def test_a_map_without_a_place_is_refused(tmp_path):
    drawn = tmp_path / "bare.txt"
    drawn.write_text(MAP.read_text().replace("H", " "))
    with pytest.raises(Refusal, match="place drawn H"):
        run(govern(Harvest(map=str(drawn), agents=2), Altar()))


def test_what_a_viewer_sees_depends_on_what_it_last_read():
    s, a = SITUATIONS["harvest"], Altar()
    state = standing(s, *s.land.find("P")[:4])
    memory = found(a, s, 0, state)
    read, trace, age = jnp.array([RED, BAN, NEVER, BLUE]), jnp.array([BLUE, RED, 3, RED]), jnp.array([0, 0, 99, 21])
    memory = eqx.tree_at(lambda m: (m.read, m.marks.trace, m.marks.age), memory, (read, trace, age))
    scene = eqx.filter_jit(lambda memory: a.layers(memory, s.scene(state)))(memory)
    view, planes = np.asarray(eqx.filter_jit(lambda scene: scene.view())(scene)), scene.planes
    bit = {p: (view >> planes.index(p) & 1).astype(bool) for p in planes}
    apple = bit["apple"]
    words = ("permitted", "prohibited", "unknown")
    assert (sum(bit[f"altar.{w}"].astype(int) for w in words) == apple).all()
    for agent, (some, none) in enumerate(
        (("prohibited", "unknown"), ("prohibited", "permitted"), ("unknown", "permitted"), ("prohibited", "unknown"))
    ):
        assert bit[f"altar.{none}"][agent].sum() == 0
        assert bit[f"altar.{some}"][agent].any() or not apple[agent].any()
    assert (bit["altar.unknown"][2] == apple[2]).all()
    # traces, as the row's agent sees the column's: agents 2 (nothing taken) and 3 (worn off) bear none
    trace = {w: np.broadcast_to(scene.bodies[f"altar.trace.{w}"], (4, 4)) for w in words}
    assert not any(t[:, 2:].any() for t in trace.values())
    assert trace["permitted"][:, :2].tolist() == [[False, True], [False, False], [False, False], [True, False]]
    assert trace["prohibited"][:, :2].tolist() == [[True, False], [True, True], [False, False], [False, True]]
    assert trace["unknown"][:, :2].tolist() == [[False, False], [False, False], [True, True], [False, False]]


def test_a_view_may_tell_the_kind_of_goods_alone_or_of_deeds_alone():
    s = SITUATIONS["harvest"]
    for sight, kinds in (("relative", ("permitted", "prohibited")), ("raw", ("0", "1", "2"))):
        seen = {}
        for labels in ("both", "goods", "deeds"):
            a = Altar(labels=labels, sight=sight)
            state = standing(s, *s.land.find("P")[:4])
            memory = found(a, s, 0, state)
            read, trace = jnp.array([RED, BLUE, RED, NEVER]), jnp.array([BLUE, RED, 3, RED])
            memory = eqx.tree_at(lambda m: (m.read, m.marks.trace, m.marks.age), memory, (read, trace, jnp.arange(4)))
            scene = a.layers(memory, s.scene(state))
            part = "" if sight == "relative" else "kind."
            goods = {k: np.asarray(scene.labels[f"altar.{part}{k}"]) for k in kinds}
            deeds = {k: v for k, v in scene.bodies.items() if ".trace." in k}
            seen[labels] = goods, {k: np.asarray(v) for k, v in deeds.items()}
            if sight == "relative":
                unknown = np.broadcast_to(scene.labels["altar.unknown"], (4, 3))
                assert unknown.all(1).tolist() == ([False] * 3 + [True] if labels != "deeds" else [True] * 4)
        both, goods, deeds = (seen[k] for k in ("both", "goods", "deeds"))
        assert all(any(v.any() for v in told.values()) for told in both)
        for k in kinds:
            np.testing.assert_array_equal(goods[0][k], both[0][k])
            assert not deeds[0][k].any()
        for k, v in both[1].items():
            np.testing.assert_array_equal(deeds[1][k], v)
            assert not goods[1][k].any()


def test_a_kind_may_be_named_as_the_forbidden_one():
    a, memory = altar(BLUE, names="forbidden")
    _, (facts,) = live(a, memory, eats(RED, BLUE, GREEN, None))
    assert facts["violation"].tolist() == [0, 1, 0, 0]
    _, (facts,) = live(*altar(BAN, names="forbidden"), eats(RED, BLUE, GREEN, None))
    assert facts["violation"].tolist() == [1, 1, 1, 0]


def test_an_altar_judges_the_event_that_it_is_told_to():
    outcome = happened((1, 1, 1, 0), (RED, BLUE, BLUE, RED))
    outcome.events["sparse"] = jnp.array([0.0, 0.5, 0, 0])
    _, facts, _ = settle(*altar(RED, on="sparse"), outcome)
    assert facts["violation"].tolist() == [0, 0.5, 0, 0]
    assert facts["marked"].tolist() == [0, 1, 0, 0]
    outcome.events["tribe"] = jnp.array([BLUE, RED, BLUE, BLUE])
    assert settle(*altar(RED, of="tribe"), outcome)[1]["violation"].tolist() == [1, 0, 1, 0]


def test_with_a_term_the_content_changes_by_the_clock_alone():
    a, memory = altar(RED, term=5)
    seen = []
    for t in range(60):
        memory, _, _ = settle(a, memory, happened(), stock=(0, 0, 0), seed=t)
        seen.append(int(memory.content))
    blocks = np.array([RED, *seen[:-1]]).reshape(12, 5)
    assert (blocks == blocks[:, :1]).all()  # five steps each, though nothing is in stock
    assert set(blocks[:, 0].tolist()) == {RED, BLUE, GREEN}


def test_nothing_is_judged_in_the_days_of_grace():
    _, facts = live(*altar(BLUE, grace=2, span=1), *[eats(RED)] * 3)
    assert [f["violation"][0] for f in facts] == [0, 0, 1]


def test_a_first_content_can_be_given():
    assert {int(found(Altar(content=GREEN), SHELF, seed).content) for seed in range(8)} == {GREEN}
    assert len({int(found(Altar(), SHELF, seed).content) for seed in range(12)}) == 3
    with pytest.raises(Refusal, match=r"altar.content is 3, and shelf has the kinds 0 red, 1 blue, 2 green"):
        govern(SHELF, Altar(content=3))


# --- taboo ----------------------------------------------------------------------------------------------------


def test_only_the_forbidden_kinds_mark_and_only_those_who_take_them():
    taboo = Taboo(kinds="blue, green", span=3)
    _, facts = live(taboo, found(taboo, SHELF), eats(RED, BLUE, GREEN, None), IDLE)
    assert facts[0]["violation"].tolist() == [0, 1, 1, 0]
    assert facts[0]["marked"].tolist() == facts[1]["marked"].tolist() == [0, 1, 1, 0]
    assert facts[0]["violator"].tolist() == [0] * N  # beams struck before anybody was marked
    assert facts[1]["violator"].tolist() == [0, 1, 1, 0]


def test_a_mark_lasts_its_span_or_until_a_hit_and_no_legal_taking_launders_it():
    taboo = Taboo(kinds="blue", span=2)
    hit = {"outcome": happened(hits=[(0, 1)])}
    _, facts = live(taboo, found(taboo, SHELF), eats(BLUE, BLUE), eats(RED), hit, IDLE)
    assert [f["marked"].tolist()[:2] for f in facts] == [[1, 1], [1, 1], [1, 0], [0, 0]]


def test_a_mark_of_the_step_of_a_hit_stays():
    taboo = Taboo(kinds="blue")
    _, facts = live(taboo, found(taboo, SHELF), eats(None, BLUE, hits=[(0, 1)]), IDLE)
    assert facts[0]["violator"][1] == 0
    assert facts[1]["violator"][1] == 1


def test_nobody_sees_the_own_mark_unless_it_is_known():
    for known in (False, True):
        taboo = Taboo(kinds="blue", known=known)
        memory, _ = live(taboo, found(taboo, SHELF), eats(BLUE))
        own = taboo.inform(memory, SHELF, jnp.zeros(3), None, {})["own"]
        assert own.tolist() == [[float(known)], [0], [0], [0]]


def test_a_kind_that_does_not_exist_cannot_be_taboo():
    with pytest.raises(Refusal, match=r"taboo.kinds has 'bleu'.*blue"):
        govern(SITUATIONS["harvest"], Taboo(kinds="bleu"))


# --- sanction -------------------------------------------------------------------------------------------------


def strike(hits, violators=(), memory=None, seed=0, **settings):
    sanction = Sanction(**({"by": "altar", "cost": 3.0, "reward": 7.0, "loss": 2.0, "exile": 4} | settings))
    guilty = [float(i in violators) for i in range(N)]
    memory = found(sanction, SHELF) if memory is None else memory
    return settle(sanction, memory, happened(hits=hits, altar__violator=guilty, altar__marked=guilty), seed=seed)


def test_who_hits_pays_and_gains_if_it_was_deserved():
    _, facts, moved = strike([(0, 1), (0, 2), (3, 0)], violators=[1])
    assert moved.tolist() == [7 - 3 - 3, -2, 0, -3]
    assert facts["correct"].tolist() == [1, 0, 0, 0]
    assert facts["wrong"].tolist() == [1, 0, 0, 1]
    assert facts["struck"].tolist() == [1, 1, 1, 0]


def test_without_a_classifier_no_hit_is_deserved():
    _, facts, moved = strike([(0, 1)], violators=[1], by="")
    assert moved.tolist() == [-3, 0, 0, 0]
    assert not facts["correct"].any()


def test_nothing_happens_where_nobody_is_hit():
    memory, facts, moved = strike([], violators=[0, 1], immunity=3)
    assert not moved.any()
    assert not memory.immune.any()
    assert not any(f.any() for f in facts.values())


def test_of_several_who_strike_one_target_one_is_drawn():
    """Each of the strikers equally often, and the targets do not hang together in whether they are struck."""
    hits = [(0, 3), (1, 3), (2, 3), (1, 0)]
    wins = np.zeros(3)
    for seed in range(300):
        _, facts, moved = strike(hits, violators=[3], seed=seed)
        assert facts["correct"].sum() == 1
        assert facts["struck"].tolist() == [1, 0, 0, 1]
        assert facts["wrong"].tolist() == [0, 1, 0, 0]
        np.testing.assert_allclose(moved.sum(), 7 - 3 - 2 - 3)
        wins += facts["correct"][:3]
    assert (wins > 70).all(), wins  # 100 each expected; 70 is 3.7 standard deviations below


def test_immunity_counts_from_the_hit_and_spans_the_exile():
    memory, safe = None, []
    for t in range(9):
        memory, facts, _ = strike([(0, 1)], memory=memory, immunity=2, exile=4)
        safe.append(int(facts["struck"][1]))
        assert memory.immune[1] == [6, 5, 4, 3, 2, 1, 0, 6, 5][t]
    assert safe == [1, 0, 0, 0, 0, 0, 0, 1, 0]


def test_without_immunity_every_hit_counts():
    memory, _, _ = strike([(0, 1)])
    assert not memory.immune.any()
    assert strike([(0, 1)], memory=memory)[1]["struck"][1] == 1


def test_where_credit_goes_to_all_each_striker_counts_and_the_target_suffers_once():
    hits = [(0, 3), (1, 3), (2, 3)]
    _, facts, moved = strike(hits, violators=[3], credit="all", harm=5.0, fire=0.5)
    assert facts["correct"].tolist() == [1, 1, 1, 0]
    assert facts["struck"].tolist() == [0, 0, 0, 1]
    assert moved.tolist() == [7 - 3 - 0.5] * 3 + [-5 - 2]


def test_harm_falls_on_the_innocent_too_and_a_shot_costs_though_it_misses():
    sanction = Sanction(by="altar", cost=3.0, harm=5.0, loss=2.0, fire=0.5)
    nobody = jnp.zeros(N)
    shot = happened(hits=[(0, 1)], altar__violator=nobody, altar__marked=nobody)
    shot.events["shot"] = jnp.array([1.0, 0, 1, 0])
    _, _, moved = settle(sanction, found(sanction, SHELF), shot)
    assert moved.tolist() == [-3.5, -5, -0.5, 0]


def test_chances_to_punish_are_those_of_the_step_before():
    """On the shelf agent 0 always aims at 1, and 2 at 3; 1 is marked from the first step on."""
    memory, facts, _ = strike([], violators=[1])
    assert not facts["ripe"].any()
    assert not facts["idle"].any()
    _, facts, _ = strike([(0, 1), (2, 3)], violators=[1], memory=memory)
    assert facts["ripe"].tolist() == facts["seized"].tolist() == [1, 0, 0, 0]
    assert facts["idle"].tolist() == facts["strayed"].tolist() == [0, 0, 1, 0]
    _, facts, _ = strike([(2, 3)], violators=[1], memory=memory)
    assert facts["ripe"].tolist() == [1, 0, 0, 0]
    assert not facts["seized"].any()


def test_agents_that_are_not_aware_sense_nothing_of_their_aim():
    assert Sanction(aware=False).inform(found(Sanction(), SHELF), SHELF, jnp.zeros(3), None, {}) == {}


@pytest.mark.parametrize("exile", [0, 1, 5])
def test_whoever_is_hit_is_out_for_the_length_of_the_exile(exile):
    for seed in range(6):
        got = run(govern(SITUATIONS["harvest"], Sanction(by="", exile=exile)), seed)
        struck, out = got.outcome.events["sanction.struck"] > 0, got.world().body.out
        for t, who in zip(*np.nonzero(struck), strict=True):
            assert out[t, who] == exile
            assert (out[t : t + exile, who] == np.arange(exile, 0, -1)[: len(out) - t]).all()
            assert not got.outcome.events["harvest"][t + 1 : t + 1 + exile, who].any()
        assert exile or not out.any()


def test_the_aim_shows_whether_a_hit_would_land_and_on_whom():
    s = SITUATIONS["harvest"]
    g = govern(s, Altar(), Sanction())
    got = run(g, 1)
    aim = got.seen["sanction.aim"]
    target = jax.vmap(s.aim)(got.world("before"))
    assert (aim[..., 0] == np.asarray(target).any(-1)).all()
    assert aim[..., 0].any()
    assert aim.shape[-1] == 1 + 4  # the others' bodies, and three words for their traces
    assert (aim[..., 1] == aim[..., 0]).all()
    assert (aim[..., 2:].sum(-1) <= N).all()
