"""The laws of governing, tried on every situation with every institution that fits it, and on stacks of them.

Rates of zero, and what is not in force, change nothing.  In one program that is so bit for bit: `in_force` and rates
are leaves, so a stack with them on and one with them off are computed alike.  A situation under no rules at all is
another program, in which sums may be rounded otherwise: numbers are then equal within float dust, and so is all that
is counted, until a comparison falls the other way.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import ALL, PAIRS, SITUATIONS, Run, cases, equal, head, made, planes, run

from nomoi import catalogue
from nomoi.core import Governed, Outcome, govern, options
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.sanction import Sanction

ZERO = {
    "levy": {"rate": 0.0},
    "contract": {"low": 0.0, "high": 0.0},
    "second": {"low": 0.0, "high": 0.0},
    "sanction": {"cost": 0.0, "reward": 0.0, "loss": 0.0, "exile": 0, "immunity": 0},
    "altar": {},
    "shrine": {},
    "fine": {"rate": 0.0},
    "agenda": {"rate": 0.0},
    "gauge": {},
    "gift": {"amount": 0.0},
    "interest": {"share": 1.0},
    "monitor": {"cost": 0.0},
    "principal": {"rates": [0.0]},
    "tax": {"rates": [0.0]},
    "vote": {"rates": [0.0, 0.0, 0.0]},
}
known = pytest.mark.parametrize("name", cases(n for n in ALL if all(i.name in ZERO for i in ALL[n][1])))
every = pytest.mark.parametrize("name", cases(ALL))
convening = pytest.mark.parametrize("name", cases(n for n in ALL if "contract" in n))


@lru_cache
def base(where: str, seed: int = 1) -> Run:
    """The situation under no rules."""
    return run(SITUATIONS[where], seed)


def nothing_paid(outcome: Outcome) -> None:
    """To nobody, by nobody."""
    assert not any(x.any() for x in (outcome.transfer, outcome.moved, outcome.made, outcome.burnt))


def lived(got: Run, events: Iterable[str]) -> Any:
    """States, material rewards, ends and the events that the world emits, over the steps of play."""
    played = got.of_play()
    out = played.outcome
    return played.world("before"), played.world("after"), out.reward, out.done, {e: out.events[e] for e in events}


def same_world(governed: Run, plain: Run) -> None:
    """The world lives as it does in another program, under no rules: numbers within float dust, all else exactly."""
    a, b = lived(governed, plain.outcome.events), lived(plain, plain.outcome.events)
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.dtype == y.dtype
        if x.dtype.kind == "f":
            np.testing.assert_allclose(x, y[: len(x)], rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(x, y[: len(x)])


# --- composing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", SITUATIONS)
def test_govern_by_nothing_is_the_situation_itself(where):
    s = SITUATIONS[where]
    assert govern(s) is s


def test_govern_a_governed_one_by_nothing_is_itself():
    for name in PAIRS:
        g = made(name)
        assert govern(g) == g or eqx.tree_equal(govern(g), g)


@pytest.mark.parametrize(
    "name", cases(n for n in ALL if len(ALL[n][1]) > 1 and ALL[n][0] in ("harvest", "pool", "matrix"))
)
def test_governing_is_associative(name):
    where, stack = ALL[name]
    whole = govern(SITUATIONS[where], *stack)
    for cut in range(1, len(stack)):
        parts = govern(govern(SITUATIONS[where], *stack[:cut]), *stack[cut:])
        assert jax.tree.structure(parts) == jax.tree.structure(whole)
        equal(parts, whole)
        equal(run(parts, 1), run(whole, 1))


@every
def test_a_governed_situation_is_a_situation(name):
    g, s = made(name), SITUATIONS[ALL[name][0]]
    assert (g.agents, g.horizon, g.name, g.kinds) == (s.agents, s.horizon, s.name, s.kinds)
    assert set(s.actions) <= set(g.actions)
    assert set(g.emits) == set(run(g, 1).outcome.events)
    assert g.offers >= s.offers | set(g.emits)
    assert set(run(g, 1).asked) == set(g.actions)


def refusal(situation, institution):
    """What is said where it does not fit, else nothing."""
    try:
        govern(situation, institution)
    except Refusal as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("where", SITUATIONS)
def test_what_does_not_fit_is_refused_in_a_sentence_that_names_both(where):
    s = SITUATIONS[where]
    said = {word: refusal(s, cls()) for word, cls in catalogue.institutions().items()}
    assert any(said.values())
    for word, sentence in said.items():
        assert not sentence or (word in sentence and s.name in sentence)


def test_a_need_may_be_met_by_an_institution_before_but_not_after():
    s = SITUATIONS["harvest"]
    govern(s, Altar(), Sanction())
    with pytest.raises(Refusal, match=r"sanction needs 'altar.violator'.*harvest"):
        govern(s, Sanction(), Altar())
    with pytest.raises(Refusal, match=r"levy needs 'harvst', .*levy\(on=harvest\) would be right"):
        govern(s, Levy(on="harvst"))


def test_two_of_one_name_are_refused_and_a_title_helps():
    s = SITUATIONS["matrix"]
    with pytest.raises(Refusal, match="two institutions are called 'levy'"):
        govern(s, Levy(on="defect"), Levy(on="defect"))
    with pytest.raises(Refusal, match="'levy'"):
        govern(govern(s, Levy(on="defect")), Levy(on="defect"))
    g = govern(s, Levy(on="defect"), Levy(on="defect", title="tithe"))
    assert {"levy.paid", "tithe.paid"} <= set(g.emits)


@pytest.mark.parametrize("on", ["kind", "stock"])
@pytest.mark.parametrize("cls", [Levy, Contract])
def test_only_amounts_can_be_charged_for(cls, on):
    with pytest.raises(Refusal, match="charged by the unit"):
        run(govern(SITUATIONS["pool"], cls(on=on)), 0)


# --- identities -----------------------------------------------------------------------------------------------


@known
@pytest.mark.parametrize("seed", [1, 2])
def test_a_rate_of_zero_is_the_identity_step_for_step(name, seed):
    """Beside nothing in force in the same program, bit for bit; beside no rules at all, within float dust."""
    where, stack = ALL[name]
    zero, none = made(name, **ZERO), made(name, **{i.name: {"in_force": False} for i in stack})
    assert jax.tree.structure(zero) == jax.tree.structure(none)  # so they are one program
    got, off = run(zero, seed), run(none, seed)
    events = SITUATIONS[where].emits
    equal(lived(got, events), head(lived(off, events), int((~got.held).sum())))
    same_world(got, base(where, seed))
    nothing_paid(got.outcome)


@convening
def test_an_unsigned_contract_is_the_identity(name):
    only = {k: v for k, v in ZERO.items() if k not in ("contract", "second")}
    for answers in ({"propose": 0}, {"propose": 2, "sign": 0}):
        got = run(made(name, **only), 1, **answers)
        same_world(got, base(ALL[name][0]))
        nothing_paid(got.outcome)


@every
def test_out_of_force_is_the_identity(name):
    where, stack = ALL[name]
    g = made(name, **{i.name: {"in_force": False} for i in stack})
    got, plain = run(g, 1), base(where)
    same_world(got, plain)
    assert not got.held.any()
    nothing_paid(got.outcome)
    equal(got.before.memory, got.after.memory)
    assert not any(got.outcome.events[e].any() for e in got.outcome.events if "." in e)
    equal({h: got.asked[h] for h in plain.asked}, plain.asked)
    assert not any(got.asked[h].any() for h in got.asked if "." in h)
    told = {k: v for k, v in got.seen.items() if k != "view"}
    for k in (k for k in plain.seen if k != "view"):
        np.testing.assert_allclose(
            told[k], plain.seen[k], rtol=1e-5, atol=1e-6
        )  # in another program: within float dust
    assert not any(v.any() for k, v in told.items() if "." in k)
    new, old = planes(g), planes(SITUATIONS[where])
    for plane in new:
        bit = got.seen["view"] >> new.index(plane) & 1
        assert (bit == (plain.seen["view"] >> old.index(plane) & 1 if plane in old else 0)).all(), plane


@every
def test_the_material_reward_is_the_worlds(name):
    """Institutions pay transfers only, which are accounted for; what the world gave for the same step stays."""
    got = run(made(name), 1)
    np.testing.assert_allclose(got.outcome.transfer.sum(1), got.outcome.made - got.outcome.burnt, rtol=1e-5, atol=1e-4)
    s = SITUATIONS[ALL[name][0]]
    if s.kinds and "harvest" in s.emits and s.name in ("harvest", "pool"):
        np.testing.assert_array_equal(got.outcome.reward, got.outcome.events["harvest"])
    assert not got.outcome.reward[got.held].any()


# --- pairing and timing ---------------------------------------------------------------------------------------


@known
def test_the_world_gets_the_same_key_governed_or_not(name):
    """Whatever is paid, a world on which the institutions do not act lives through the same episode."""
    got = run(made(name, sanction={"exile": 0}), 2, propose=2, sign=1)
    same_world(got, base(ALL[name][0], 2))


def test_what_an_institution_draws_is_paired_whether_or_not_another_convened_before():
    s = SITUATIONS["harvest"].replace(regrowth=(0.0, 0.0, 0.0, 0.0))
    altar, drawn = Altar(threshold=0.6, recovery=0.7, display="distractor"), 0
    for seed in range(6):
        convened = run(govern(s, Contract(), altar, Sanction(exile=0)), seed).of_play().after.memory[1:]
        alone = head(run(govern(s, altar, Sanction(exile=0)), seed).after.memory, len(convened[0].content))
        equal(convened, alone)
        drawn += len(set(alone[0].decoy.tolist())) + len(set(alone[0].content.tolist()) - {3}) - 2
    assert drawn > 3  # the law is not empty: contents and decoys were drawn anew


def test_institutions_draw_with_keys_of_their_own():
    """Two of a kind draw different voters."""
    shown = {"display": "distractor"}
    _, a, b, _ = run(made("harvest, levy+two altars+sanction alone", altar=shown, shrine=shown), 3).after.memory
    assert (a.decoy != b.decoy).any()


@convening
def test_while_one_convenes_the_world_stands_still(name):
    g = made(name)
    got = run(g, 1, propose=2, sign=1)
    assert got.held.tolist() == [True, True] + [False] * 24
    held = jax.tree.map(lambda x: x[got.held], got)
    equal(held.world("before"), held.world("after"))
    assert not held.outcome.reward.any()
    assert not held.outcome.transfer.any()
    assert not held.outcome.done.any()
    assert not any(e.any() for e in held.outcome.events.values())
    for place, i in enumerate(g.institutions):
        if type(i) is Contract:
            assert got.after.sittings[-1] == 2
            continue
        equal(held.before.memory[place], held.after.memory[place])


@convening
def test_only_those_who_convene_are_asked_and_then_only_the_world(name):
    got = run(made(name), 1)
    for t in range(4):
        asked = {h for h, who in got.asked.items() if who[t].any()}
        own = {h for h in asked if "." not in h}
        verb = {h.split(".")[1] for h in asked - own}
        assert (own, verb) == ((set(), {"propose"}), (set(), {"sign"}), (own, set()), (own, set()))[t]
        assert bool(own) == (t > 1)
    assert (
        got.asked[next(h for h in got.asked if h.endswith("propose"))][0]
        == (np.arange(got.outcome.reward.shape[1]) == 0)
    ).all()


def test_convening_on_and_off_is_a_matter_of_force():
    got = run(made("matrix, levy+two contracts", contract={"in_force": False}), 1)
    assert got.held.tolist() == [True, True] + [False] * 24
    asked = {h for h, who in got.asked.items() if who[:2].any()}
    assert asked == {"second.propose", "second.sign"}


# --- what is paid ---------------------------------------------------------------------------------------------


SHARED = ("levy", "contract", "second", "gift", "interest", "tax", "vote")


@pytest.mark.parametrize("name", cases(n for n in ALL if all(i.name in SHARED for i in ALL[n][1])))
@given(rate=st.floats(0, 10, width=32), seed=st.integers(0, 2**30))
def test_a_shared_transfer_sums_to_zero(name, rate, seed):
    settings = {"levy": {"rate": rate, "proceeds": "shared"}, "gift": {"amount": rate}}
    settings |= {"contract": {"high": rate}, "second": {"high": rate}}
    settings |= {"interest": {"share": rate / 10}, "tax": {"rates": [rate / 10], "period": 3}}
    settings |= {"vote": {"rates": [0.0, rate, 2 * rate], "period": 3}}
    got = run(made(name, **settings), seed, propose=5, sign=1).outcome
    np.testing.assert_allclose(got.transfer.sum(1), 0, atol=1e-5)
    # accounts leave out what is within rounding of nothing beside what is at stake
    np.testing.assert_allclose(got.moved, np.maximum(got.transfer, 0).sum(1), atol=1e-4)
    assert not got.made.any()
    assert not got.burnt.any()


@given(a=st.floats(-5, 5, width=32), b=st.floats(-5, 5, width=32), seed=st.integers(0, 2**30))
def test_disjoint_levies_commute(a, b, seed):
    one, two = Levy(rate=a, on="harvest", proceeds="shared"), Levy(title="duty", rate=b, on="request")
    ab = run(govern(SITUATIONS["pool"], one, two), seed)
    ba = run(govern(SITUATIONS["pool"], two, one), seed)
    np.testing.assert_allclose(ab.outcome.transfer, ba.outcome.transfer, atol=1e-5)
    equal(ab.world(), ba.world())
    equal(ab.after.memory, ba.after.memory[::-1])


@pytest.mark.parametrize("name", cases(n for n in ALL if "altar" in n and "+" not in n))
def test_an_altar_pays_and_punishes_nobody(name):
    for seed in range(3):
        got = run(made(name, altar={"threshold": 0.9, "recovery": 1.0}), seed)
        assert got.outcome.events["altar.violation"].any()
        nothing_paid(got.outcome)
        same_world(got, base(ALL[name][0], seed))


# --- impersonality --------------------------------------------------------------------------------------------


def permuted(tree, turn):
    """The same with agents renumbered: every axis as long as there are agents."""

    def move(x):
        for axis, length in enumerate(np.shape(x)):
            x = jnp.take(x, turn, axis) if length == len(turn) else x
        return x

    return jax.tree.map(move, tree)


def within(roles, order):
    """A permutation of agents that leaves each role to those who have it, from any permutation."""
    turn = np.arange(len(roles))
    for role in set(roles):
        turn[[i for i, r in enumerate(roles) if r == role]] = [i for i in order if roles[i] == role]
    return turn


@eqx.filter_jit
def step(situation, key, state, action):
    return situation.step(key, state, action)


LOTS = ("wardens", "court")  # who draws for each agent, by its number; swapped agents would have each other's luck


@pytest.mark.parametrize(
    "name", cases(n for n in ALL if ALL[n][0] in ("pool", "matrix") and not any(i.name in LOTS for i in ALL[n][1]))
)
@given(turn=st.permutations(range(3)), at=st.integers(0, 25), seed=st.integers(0, 5))
def test_permuting_agents_of_one_role_commutes_with_governing(name, turn, at, seed):
    g = made(name)
    turn = within(g.roles, turn)
    got = run(g, seed, propose=2, sign=1)
    state, action = (jax.tree.map(lambda x: jnp.asarray(x[at]), part) for part in (got.before, got.action))
    key = jax.random.key(seed)
    after, outcome = permuted(step(g, key, state, action), turn)
    swapped = step(g, key, permuted(state, turn), permuted(action, turn))
    for x, y in zip(jax.tree.leaves((after, outcome)), jax.tree.leaves(swapped), strict=True):
        if g.name == "matrix" and "tax" not in name:
            np.testing.assert_array_equal(x, y)  # whole numbers: exact; a tax takes tenths
        else:
            np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


@eqx.filter_jit
def settle(institution, key, memory, situation, state, tried, outcome):
    return institution.settle(key, memory, situation, state, tried, {h: tried[h] for h in situation.actions}, outcome)


HELD, ALONE = "harvest, contract+altar+sanction", "harvest, levy+two altars+sanction alone"


@pytest.mark.parametrize(("name", "place"), [(ALONE, 0), (HELD, 0), (HELD, 1), (ALONE, 3)])
@given(turn=st.permutations(range(4)), at=st.integers(3, 25), hits=st.lists(st.integers(-1, 3), min_size=4, max_size=4))
def test_settling_is_impersonal_in_space_too(name, place, turn, at, hits):
    """Where agents move in a random order the world is not a function of who is who, but what is settled is."""
    g, s = made(name), SITUATIONS["harvest"]
    turn = within(g.roles, turn)
    i = g.institutions[place]
    got = run(g, 1, propose=2, sign=1)
    state, action, outcome = (
        jax.tree.map(lambda x: jnp.asarray(x[at]), p) for p in (got.before, got.action, got.outcome)
    )
    # at most one striker for each target, so that no lot is drawn between them
    zap = jnp.asarray((np.array(hits) == np.arange(4)[:, None]) & ~np.eye(4, dtype=bool), jnp.float32)
    outcome = Outcome(
        outcome.reward, outcome.transfer * 0, {e: outcome.events[e] for e in s.emits} | {"zap": zap}, outcome.done
    )
    key, memory = jax.random.key(at), state.memory[place]
    a = permuted(settle(i, key, memory, s, state.world, action, outcome), turn)
    rest = (permuted(x, turn) for x in (memory, state.world, action, outcome))
    memory, world, action, outcome = rest
    b = settle(i, key, memory, s, world, action, outcome)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-6)


# --- conservation ---------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**30))
def test_an_apple_that_is_eaten_leaves_the_ground(seed):
    s = SITUATIONS["harvest"].replace(regrowth=(0.0, 0.0, 0.0, 0.0))
    got = run(s, seed)
    eaten = got.before.apples & ~got.after.apples
    assert not (got.after.apples & ~got.before.apples).any()
    np.testing.assert_array_equal(eaten.sum(1), got.outcome.events["harvest"].sum(1))
    took, kind = got.outcome.events["harvest"] > 0, got.outcome.events["kind"]
    kinds = np.array(["RBG".index(letter) for letter in s.land.letter])
    for k in range(3):
        np.testing.assert_array_equal((eaten & (kinds == k)).sum(1), (took & (kind == k)).sum(1))
    # and it was taken by whoever stands there
    standing = got.after.body.cell[..., None] == s.land.sites
    np.testing.assert_array_equal((standing & eaten[:, None]).any(2), took)


@every
def test_nobody_takes_more_than_there_is(name):
    got, s = run(made(name), 1), SITUATIONS[ALL[name][0]]
    if not s.kinds or "harvest" not in s.emits:
        pytest.skip("no stock that is taken")
    stock = jax.vmap(s.stock)
    before, after = np.asarray(stock(got.world("before"))), np.asarray(stock(got.world("after")))
    taken = got.outcome.events["harvest"].sum(1)
    assert (taken <= before.sum(1) * (1 + 1e-6)).all()
    assert (after >= 0).all()
    assert (after <= np.asarray(s.capacity()) * (1 + 1e-6)).all()


@given(seed=st.integers(0, 2**30), growth=st.floats(0, 2, width=32))
def test_fish_that_are_left_grow_and_no_others(seed, growth):
    s = SITUATIONS["pool"].replace(growth=growth)
    got = run(s, seed)
    left = got.before.stock - got.outcome.events["harvest"].sum(1)
    want = np.minimum(1.0, left + growth * left * (1 - left))
    np.testing.assert_allclose(got.after.stock, want, rtol=1e-4, atol=1e-5)


# --- moments of training --------------------------------------------------------------------------------------


@given(warmup=st.floats(0.0625, 1, width=32), progress=st.floats(0, 1, width=32, allow_subnormal=False))
def test_the_cost_of_a_sanction_may_rise_from_nothing(warmup, progress):
    g = govern(SITUATIONS["harvest"], Sanction(by="", cost=8.0, warmup=warmup))
    cost = g.at(jnp.asarray(progress)).institutions[0].cost
    np.testing.assert_allclose(cost, 8.0 * min(progress / warmup, 1.0), rtol=1e-5)
    assert g.at(jnp.asarray(progress)).institutions[0].reward == 20.0
    assert Sanction(by="", cost=8.0).at(jnp.asarray(progress)).cost == 8.0


@every
def test_at_the_end_of_training_everything_is_as_it_was_made(name):
    g = made(name)
    assert isinstance(g, Governed)
    equal(g.at(jnp.array(1.0)), g)


@every
def test_changing_a_setting_compiles_nothing(name):
    """Settings are leaves: two worlds that differ in them have one structure."""
    g = made(name)
    for i in g.institutions:
        for option, about in options(type(i)).items():
            if about.kind == "setting" and np.ndim(getattr(i, option)) == 0 and option != "in_force":
                near = 0.9 * np.asarray(getattr(i, option)).item() + 0.1 * max(about.low, 0.5)
                other = made(name, **{i.name: {option: near if np.isfinite(near) else 0.5}})
                assert jax.tree.structure(other) == jax.tree.structure(g)
