"""Unfolding: the same tensors as a slow enumeration; laws of governing; what is refused, and why."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi import govern
from nomoi.core import Institution
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.treaty import Treaty
from nomoi.situations.harvest import Harvest
from nomoi.situations.matrix import Matrix, symmetric
from nomoi.situations.pool import Pool
from nomoi.solve.markov import ENDS
from nomoi.solve.unfold import normal_form, repaid, tabular
from nomoi.testing.common import ask
from nomoi.testing.situation import Bench

KEY = jax.random.key(0)
THREE = np.arange(24.0).reshape(3, 2, 2, 2).tolist()
POOL = Pool(points=5, levels=3, horizon=3)


def name(state):
    leaves = [np.asarray(x) for x in jax.tree.leaves(state)]
    return tuple((x + x.dtype.type(0) if x.dtype.kind == "f" else x).tobytes() for x in leaves)


def enumerated(situation):
    """{state: [(payoff [n], material [n], {next state: probability})]} in the order of joint choices; plain Python."""
    step = eqx.filter_jit(lambda lot, state, action: situation.by_lot(lot, state, action))
    odds = eqx.filter_jit(lambda state, action: situation.odds(state, action))
    n, todo, out = situation.agents, [situation.reset(KEY)], {}
    while todo:
        state = todo.pop()
        if name(state) in out:
            continue
        asked = {h: np.asarray(a) for h, a in situation.asked(state).items()}
        own = [
            list(itertools.product(*(range(k) if asked[h][i] else (0,) for h, k in situation.actions.items())))
            for i in range(n)
        ]
        rows = []
        for joint in itertools.product(*own):
            action = {h: jnp.array([joint[i][j] for i in range(n)], jnp.int32)
                      for j, h in enumerate(situation.actions)}  # fmt: skip
            payoff, material, goes = np.zeros(n), np.zeros(n), {}
            for lot, p in enumerate(np.asarray(odds(state, action), float)):
                after, outcome = step(jnp.int32(lot), state, action)
                payoff += p * np.asarray(outcome.payoff, float)
                material += p * np.asarray(outcome.reward, float)
                if p > 0 and not outcome.done:
                    goes[name(after)] = goes.get(name(after), 0) + p
                    todo.append(after)
            rows.append((payoff, material, goes))
        out[name(state)] = rows
    return out


SMALL = {
    "matrix twice": Matrix(horizon=2),
    "levy": govern(Matrix(), Levy(on="defect", proceeds="kept")),
    "contract": govern(Matrix(horizon=2), Contract(on="defect", levels=2, high=4.0)),
    "treaty": govern(
        Matrix(payoff=np.arange(24.0).reshape(3, 2, 2, 2).tolist()), Treaty(on="defect", fines=2, lumps=1)
    ),
    "pool": POOL,
    "pool, levy": govern(POOL, Levy(on="request", proceeds="shared", rate=0.5)),
}


@pytest.mark.parametrize("label", SMALL)
def test_equals_the_slow_enumeration(label):
    situation = SMALL[label]
    markov, twin = tabular(situation), enumerated(situation)
    names = [name(jax.tree.map(lambda x, s=s: x[s], markov.states)) for s in range(markov.size)]
    assert names[0] == name(situation.reset(KEY))
    assert set(names) == set(twin)
    assert len(set(names)) == markov.size
    assert markov.first[-1] == len(markov.next) == sum(map(len, twin.values()))
    for s, state in enumerate(names):
        assert markov.first[s + 1] - markov.first[s] == len(twin[state]) == markov.choices[s].prod()
        for row, (payoff, material, goes) in zip(range(*markov.first[s : s + 2]), twin[state], strict=True):
            np.testing.assert_allclose(markov.payoff[:, row], payoff, atol=1e-6)
            np.testing.assert_allclose(markov.material[:, row], material, atol=1e-6)
            found = {}
            for to, p in zip(markov.next[row], markov.prob[row], strict=True):
                if to != ENDS:
                    found[names[to]] = found.get(names[to], 0) + p
            assert found == pytest.approx(goes, abs=1e-6)


def test_rows_say_what_agents_answer():
    situation = SMALL["contract"]
    markov = tabular(situation)
    for row in range(len(markov.owner)):
        state = jax.tree.map(lambda x, s=markov.owner[row]: jnp.asarray(x[s]), markov.states)
        action = {h: jnp.asarray(a[0]) for h, a in markov.answers(np.array([row])).items()}
        after, outcome = situation.step(KEY, state, action)
        np.testing.assert_allclose(markov.payoff[:, row], outcome.payoff, atol=1e-6)
        if not outcome.done:
            assert name(after) == name(jax.tree.map(lambda x, s=markov.next[row, 0]: x[s], markov.states))
    asked = [markov.choices[0].tolist(), markov.choices[1].tolist(), markov.choices[-1].tolist()]
    assert asked == [[3, 1], [1, 2], [2, 2]]
    assert markov.held.tolist() == [c != [2, 2] for c in markov.choices.tolist()]


def same(a, b):
    for what in ("choices", "next", "prob", "payoff", "material"):
        np.testing.assert_array_equal(getattr(a, what), getattr(b, what))


@pytest.mark.parametrize("base", [Matrix(horizon=2), POOL])
def test_a_rate_of_zero_and_an_institution_out_of_force_unfold_to_the_same(base):
    event = "defect" if isinstance(base, Matrix) else "request"
    plain = tabular(base)
    same(tabular(govern(base, Levy(on=event, rate=0.0))), plain)
    same(tabular(govern(base, Levy(on=event, rate=3.0, in_force=jnp.array(False)))), plain)
    same(tabular(govern(base, Levy(on=event, rate=0.5), Levy(on=event, rate=-0.5, title="back"))), plain)


def test_payoffs_of_a_levy_are_those_of_the_formula():
    made = normal_form(govern(Matrix(), Levy(on="defect", rate=1.5, proceeds="shared")))
    base, due = np.array(Matrix().payoff, float), 1.5 * np.indices((2, 2))
    np.testing.assert_allclose(made.payoff, base - due + due.mean(0), atol=1e-6)
    assert made.players == ("agent 0", "agent 1")
    assert made.actions == (("A", "B"), ("A", "B"))


@given(st.integers(2, 3), st.integers(2, 3), st.integers(0, 2**16))
def test_normal_form_of_a_matrix_game_is_its_matrix(n, a, seed):
    payoff = np.random.default_rng(seed).integers(-9, 10, (n, *[a] * n)).astype(float)
    np.testing.assert_array_equal(normal_form(Matrix(payoff=payoff.tolist())).payoff, payoff)


def test_labels_name_every_head_where_several_are_asked():
    class Poll(Institution):
        """Asks for a colour.

        heads  poll.colour
        """

        def chance(self, situation):
            return ""

        def heads(self, situation):
            return {"colour": 3}

    made = normal_form(govern(Matrix(), Poll()))
    assert made.shape == (6, 6)
    assert made.actions[0][:2] == ("choose A, poll.colour 0", "choose A, poll.colour 1")
    np.testing.assert_array_equal(made.payoff[:, ::3, ::3], normal_form(Matrix()).payoff)


def test_expected_payoffs_of_a_chancy_step():
    made = normal_form(Pool(points=4, levels=2, horizon=1, start=1.0))
    np.testing.assert_allclose(made.payoff[0], [[0, 0], [0.5, 0.5]], atol=1e-6)


def test_symmetric_rows_are_those_of_the_full_unfolding():
    full, some = tabular(POOL), tabular(POOL, symmetric=True)
    assert some.symmetric
    assert some.agents == 2
    assert some.payoff.shape[0] == 1
    same_states = {name(jax.tree.map(lambda x, s=s: x[s], full.states)): s for s in range(full.size)}
    for s in range(some.size):
        at = same_states[name(jax.tree.map(lambda x, s=s: x[s], some.states))]
        np.testing.assert_allclose(some.payoff[0, some.first[s] : some.first[s + 1]],
                                   full.payoff[0, full.first[at] : full.first[at + 1]])  # fmt: skip


def test_symmetric_profiles_let_one_depart_from_all_others():
    some = tabular(Pool(agents=4, points=5, levels=3, horizon=1), symmetric=True)
    request = some.answers(np.arange(9))["request"]
    assert request.tolist() == [[a, b, b, b] for a in range(3) for b in range(3)]


def test_another_rate_on_the_same_moves():
    rated = lambda rate: govern(POOL, Levy(on="request", proceeds="shared", rate=rate))  # noqa: E731
    for symmetric_ in (False, True):
        markov = tabular(rated(0.0), symmetric=symmetric_)
        again, anew = repaid(markov, rated(0.7)), tabular(rated(0.7), symmetric=symmetric_)
        np.testing.assert_allclose(again.payoff, anew.payoff, atol=1e-6)
        np.testing.assert_allclose(again.material, anew.material, atol=1e-6)
        with pytest.raises(Refusal, match="does not move as"):
            repaid(markov, govern(POOL.replace(growth=0.3), Levy(on="request", proceeds="shared", rate=0.0)))


class Coin(Institution):
    """Gives a random sum, and does not say so."""

    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory, state, outcome.pay(jax.random.uniform(key, (situation.agents,)))


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        (Harvest(), "harvest does not declare what a step leaves to chance"),
        (govern(Harvest(), Levy()), "harvest does not declare"),
        (govern(Matrix(), Coin()), "coin leaves to chance what it does not declare"),
        (govern(Matrix(), Contract(on="defect", imposed=0.5)), "contract is drawn by lot"),
        (govern(Pool(agents=4, points=5), Contract(on="request")), "who must sign"),
        (Pool(), "more than 5,000,000 joint choices"),
        (Pool(agents=8, points=41), "too many to unfold"),
    ],
)
def test_what_cannot_be_unfolded_is_refused(situation, words):
    with pytest.raises(Refusal, match=words):
        tabular(situation)


def test_limits_and_wrong_forms_are_refused():
    with pytest.raises(Refusal, match="more than 10 joint choices"):
        tabular(POOL, limit=10)
    for many in (Matrix(horizon=2), govern(Matrix(), Contract(on="defect"))):
        with pytest.raises(Refusal, match="does not end with its first step"):
            normal_form(many)
    with pytest.raises(Refusal, match="treats its agents differently"):
        tabular(Matrix(payoff=[[[1, 2], [3, 4]], [[0, 0], [0, 1]]]), symmetric=True)
    with pytest.raises(Refusal, match="does not ask all agents the same"):
        tabular(govern(Matrix(), Contract(on="defect")), symmetric=True)
    assert tabular(Matrix(payoff=symmetric(3, 0, 4, 1)), symmetric=True).size == 1


def test_voters_that_are_everybody_need_no_lot():
    assert govern(Matrix(), Contract(on="defect")).lots == 1  # of two, the other must sign
    assert govern(Pool(agents=4, points=5), Contract(on="request", voters=0)).lots == 2
    assert govern(Pool(agents=4, points=5), Contract(on="request", voters=3)).lots == 2
    assert govern(Pool(agents=4, points=5), Contract(on="request", voters=2)).lots == 0
    pair = Levy(on="request"), Contract(on="request", voters=2)  # one that leaves something to chance is enough
    assert govern(Pool(agents=4, points=5), *pair).lots == govern(Pool(agents=4, points=5), *pair[::-1]).lots == 0


class Liar(Matrix):
    """Draws its payoffs, and says that it leaves nothing to chance."""

    def step(self, key, state, action):
        after, outcome = super().step(key, state, action)
        return after, eqx.tree_at(lambda o: o.reward, outcome, outcome.reward * jax.random.uniform(key))


def test_conformance_finds_chance_that_is_not_declared():
    said = ask("chance", Bench(Liar()).questions()["chance"])
    assert said.passed is False
    assert "none of its declared lots" in said.sentence
    assert ask("chance", Bench(POOL).questions()["chance"]).passed


@given(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2), st.floats(0, 2))
def test_a_stock_on_points_moves_on_average_as_the_stock_does(place, a, b, growth):
    pool = Pool(points=5, levels=3, growth=growth)
    state = eqx.tree_at(lambda s: s.stock, pool.reset(KEY), jnp.float32(place / 4))
    action = {"request": jnp.array([a, b], jnp.int32)}
    odds = np.asarray(pool.odds(state, action))
    lots = [pool.by_lot(jnp.int32(lot), state, action) for lot in range(2)]
    free = Pool(levels=3, growth=growth).step(KEY, state, action)
    assert odds.sum() == pytest.approx(1)
    assert (odds >= 0).all()
    assert odds @ [float(s.stock) for s, _ in lots] == pytest.approx(float(free[0].stock), abs=1e-6)
    assert all(float(s.stock) * 4 == round(float(s.stock) * 4) for s, _ in lots)
    for _, outcome in lots:
        np.testing.assert_array_equal(outcome.reward, free[1].reward)
    drawn = pool.step(jax.random.key(place), state, action)[0]
    assert float(drawn.stock) in [float(s.stock) for s, _ in lots]


@given(st.floats(0, 1), st.lists(st.integers(0, 12), min_size=3, max_size=3))
def test_a_free_stock_still_follows_the_formula_bit_for_bit(stock, asked):
    pool = Pool(agents=3)
    state = eqx.tree_at(lambda s: s.stock, pool.reset(KEY), jnp.float32(stock))
    after, outcome = pool.step(KEY, state, {"request": jnp.array(asked, jnp.int32)})
    request = pool.most * jnp.array(asked, jnp.int32).astype(jnp.float32) / 12
    wanted = request.sum()
    share = jnp.where(wanted > state.stock, state.stock / jnp.maximum(wanted, 1e-12), 1.0)
    left = jnp.where(wanted >= state.stock, 0.0, state.stock - wanted)
    assert float(after.stock) == float(jnp.minimum(pool.limit, left + pool.growth * left * (1 - left / pool.limit)))
    np.testing.assert_array_equal(outcome.reward, request * share)


def test_a_stock_off_its_points_is_refused():
    with pytest.raises(Refusal, match=r"pool.start is 0.3, which is not one of the 5 points"):
        Pool(points=5, start=0.3)
    with pytest.raises(Refusal, match="at least two"):
        Pool(points=1)
    assert float(Pool(points=5, start=0.75, limit=2.0).reset(KEY).stock) == 1.5
