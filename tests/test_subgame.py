"""Subgame-perfect answers: against a slow twin, closed forms, the fishery's table, and their own certificates."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi import govern
from nomoi.core import Outcome, Situation
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.treaty import Treaty
from nomoi.situations.matrix import Matrix, symmetric
from nomoi.situations.pool import Pool
from nomoi.solve.stage import _pure
from nomoi.solve.subgame import _certified, _departing, backward, backwards, markov_perfect, planner
from nomoi.solve.unfold import tabular
from nomoi.studies import contracts, fishery

KEY = jax.random.key(0)


def random_matrix(seed, horizon=2, actions=2):
    payoff = np.random.default_rng(seed).integers(0, 10, (2, actions, actions)).astype(float)
    return Matrix(payoff=payoff.tolist(), horizon=horizon)


def solved(markov, discount, sign):
    """Values by recursion, with the same rule of selection; plain Python.  None where a stage has no pure solution."""

    def value(s):
        if s < 0:
            return np.zeros(markov.agents)
        shape = tuple(markov.choices[s])
        brings = {}
        for row, joint in zip(range(*markov.first[s : s + 2]), itertools.product(*map(range, shape)), strict=True):
            later = sum(p * value(int(t)) for t, p in zip(markov.next[row], markov.prob[row], strict=True))
            brings[joint] = markov.payoff[:, row] + (1 if markov.held[s] else discount) * later
        stable = [
            joint
            for joint, got in brings.items()
            if all(
                got[i] >= brings[(*joint[:i], other, *joint[i + 1 :])][i] - 1e-5
                for i in range(markov.agents)
                for other in range(shape[i])
            )
        ]
        if not stable:
            raise LookupError
        most = max(sign * brings[j].sum() for j in stable)
        among = [j for j in stable if sign * brings[j].sum() >= most - 1e-5]
        return brings[min(among, key=lambda j: (round(float(np.ptp(brings[j])), 4), j))]

    try:
        return value(0)
    except LookupError:
        return None


@given(st.integers(0, 2**16), st.sampled_from(["best", "worst"]), st.sampled_from([1.0, 0.5]))
def test_equals_the_slow_twin(seed, select, discount):
    world = govern(random_matrix(seed), Contract(on="defect", levels=2, high=3.0))
    markov = tabular(world)
    twin = solved(markov, discount, 1 if select == "best" else -1)
    found = backward(markov, discount, select)
    assert found.deviation < 1e-4
    if twin is not None:
        np.testing.assert_allclose(found.start, twin, atol=1e-4)


@pytest.mark.parametrize(("select", "discount"), [("best", 1.0), ("worst", 0.5)])
def test_games_side_by_side_are_solved_as_each_alone(select, discount):
    """Payoffs are drawn, so that stages have mixed equilibria, too; what is material is not what is paid."""
    markov = tabular(govern(random_matrix(0), Contract(on="defect", levels=2, high=3.0)))
    rng = np.random.default_rng(1)
    games = [markov.with_payoffs(*rng.integers(0, 9, (2, *markov.payoff.shape)).astype(float)) for _ in range(4)]
    for game, found in zip(games, backwards(games, discount, select), strict=True):
        alone = backward(game, discount, select)
        for part in ("weight", "value", "material"):
            np.testing.assert_array_equal(getattr(found, part), getattr(alone, part))
        factor, ends = np.where(game.held[game.owner], 1.0, discount), np.pad(alone.value, ((0, 0), (0, 1)))
        twin = _certified(game, factor, alone.weight, ends)
        np.testing.assert_allclose(alone.material, twin.material, atol=1e-9)
        assert found.deviation == alone.deviation == pytest.approx(twin.deviation, abs=1e-12)
    other = tabular(govern(random_matrix(0), Contract(on="defect", levels=2, high=3.0)))
    with pytest.raises(Refusal, match="do not share their moves"):
        backwards([markov, other])


def test_who_gains_most_by_departing_may_be_anybody():
    ahead, played = np.zeros((2, 1, 1, 4)), np.array([[[1.0, 0.0, 0.0, 0.0]]])
    group = np.array([0]), np.arange(4)[None], (2, 2)
    for agent, cell in ((0, 2), (1, 1)):
        tempting = ahead.copy()
        tempting[agent, ..., cell] = 3.0
        assert _departing(group, tempting, played, np.zeros((2, 1, 2))).tolist() == [3.0]


def test_sums_of_large_payoffs_are_alike_within_what_the_payoffs_are_rounded_to():
    """0.10002 of 2,000 is no more than 0.1 as far as can be told, so the more equal one is played."""
    values = np.array([[[1000.0, -5000.0], [-5000.0, 1000.1]], [[-999.9, -5000.0], [-5000.0, -999.99998]]])
    np.testing.assert_array_equal(_pure("g", values[:, None], 1.0)[0], [[1, 0], [0, 0]])


@given(st.integers(0, 2**16))
def test_welfare_is_what_the_path_brings(seed):
    markov = tabular(govern(random_matrix(seed, 2), Treaty(on="defect", fines=2, lumps=3)))
    found = backward(markov)
    np.testing.assert_allclose(found.value.sum(0), found.material.sum(0), atol=1e-4)  # transfers sum to zero
    weights = [found.weight[a:b].sum() for a, b in itertools.pairwise(markov.first)]
    np.testing.assert_allclose(weights, 1)


def test_the_certificate_finds_a_strategy_that_is_not_an_equilibrium():
    markov = tabular(Matrix())
    weight = np.array([1.0, 0, 0, 0])  # both cooperate
    value = np.array([[2.0, 0], [2.0, 0]])
    assert _certified(markov, np.ones(4), weight, value).deviation == 2.0
    assert backward(markov).deviation == 0.0


def test_games_without_a_pure_equilibrium():
    pennies = Matrix(payoff=[[[3, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    found = backward(tabular(pennies))
    p = found.weight.reshape(2, 2)
    np.testing.assert_allclose(p.sum(1), [0.5, 0.5], atol=1e-6)  # makes the second indifferent
    np.testing.assert_allclose(p.sum(0), [1 / 3, 2 / 3], atol=1e-6)  # makes the first indifferent
    assert found.deviation < 1e-6
    rock = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    found = backward(tabular(Matrix(payoff=[rock.tolist(), (-rock).tolist()])))
    np.testing.assert_allclose(found.weight, 1 / 9, atol=1e-6)
    assert found.deviation < 1e-6
    chase = np.zeros((3, 2, 2, 2))  # whoever the third is, the first wants to match the second, who does not
    chase[0], chase[1] = np.eye(2)[:, :, None], 1 - np.eye(2)[:, :, None]
    chase[2, ..., 0], chase[2, ..., 1] = 0.5 * np.eye(2), 0.5 * (1 - np.eye(2))
    with pytest.raises(Refusal, match=r"stage game \(2 x 2 x 2\) without a pure equilibrium"):
        backward(tabular(Matrix(payoff=chase.tolist())))
    with pytest.raises(Refusal, match="without a symmetric pure"):
        backward(tabular(Matrix(payoff=[[[0, 2], [1, 0]], [[0, 1], [2, 0]]]), symmetric=True))


@pytest.mark.parametrize(("select", "welfare"), [("best", 4.0), ("worst", -4.0)])
def test_of_several_mixed_equilibria_the_one_asked_for_is_played(select, welfare):
    """Matching pennies for more or for less, and nobody wants to be alone in either: two mixed equilibria of two."""
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    first, second = np.full((4, 4), -20.0), np.full((4, 4), -20.0)
    for block, level in ((slice(0, 2), 2.0), (slice(2, 4), -2.0)):
        first[block, block], second[block, block] = level + pennies, level - pennies
    found = backward(tabular(Matrix(payoff=[first.tolist(), second.tolist()])), select=select)
    assert found.deviation < 1e-5
    if select == "best":
        np.testing.assert_allclose(found.welfare, welfare, atol=1e-5)
    else:  # mixing over both blocks is worse still
        assert found.welfare <= welfare + 1e-5


def test_a_contract_rescues_the_dilemma_only_when_signed_before_play():
    world = govern(Matrix(), Contract(on="defect", high=4.0))
    found = backward(tabular(world))
    propose, sign, play = found.path()
    assert propose["contract.propose"][0] == 3  # the lowest of 0, 1, 2, 3, 4 that makes cooperation a best reply: 2
    assert sign["contract.sign"][1] == 1
    assert play["choose"].tolist() == [0, 0]
    np.testing.assert_allclose(found.start, [2, 2])
    assert found.welfare == 4.0
    assert backward(tabular(Matrix())).welfare == 2.0
    assert backward(tabular(Matrix(horizon=5))).welfare == 10.0
    assert contracts.plain(None, "useless event")["welfare"] == 2.0  # on what nobody does, it is no help


@pytest.mark.parametrize("actions", [2, 3])
def test_defection_begins_with_a_choice_that_there_is(actions):
    """Else a levy or a contract on it would stand and do nothing."""
    payoff = np.zeros((2, actions, actions)).tolist()
    for defect in (actions, 9):
        with pytest.raises(Refusal, match=f"defect is {defect}; the game has choices 0 to {actions - 1}"):
            Matrix(payoff=payoff, defect=defect)
    assert Matrix(payoff=payoff, defect=actions - 1).defect == actions - 1


def test_convening_is_not_discounted():
    world = govern(Matrix(), Contract(on="defect", high=4.0))
    assert backward(tabular(world), 0.5).welfare == 4.0
    assert backward(tabular(Matrix(horizon=2)), 0.5).welfare == 3.0


def test_selection():
    chicken = tabular(Matrix(payoff=symmetric(3, 1, 4, 0)))
    assert backward(chicken).path()[0]["choose"].tolist() == [0, 1]  # the first of two that are equally good
    stag = tabular(Matrix(payoff=symmetric(4, 0, 3, 1)))
    assert [backward(stag, select=s).welfare for s in ("best", "worst", "first")] == [8, 2, 8]
    even = tabular(Matrix(payoff=[[[1, 0], [0, 2]], [[3, 0], [0, 2]]]))
    assert backward(even).start.tolist() == [2, 2]  # equally good, more equal
    assert backward(even, select="first").start.tolist() == [1, 3]
    with pytest.raises(Refusal, match="no rule 'bset' to select an equilibrium by; did you mean 'best'"):
        backward(stag, select="bset")


class Pasture(Situation):
    """Two herders on a pasture that never ends: poor (0) or rich (1).

    Whoever grazes hard (1) gets more now; if anybody does, a rich pasture turns poor; rested, it comes back half the
    time.
    """

    agents = 2
    horizon = 1000

    @property
    def actions(self):
        return {"graze": 2}

    @property
    def emits(self):
        return {}

    @property
    def lots(self):
        return 2

    def reset(self, key):
        return jnp.array(1, jnp.int32)

    def odds(self, state, action):
        return jnp.array([0.5, 0.5])

    def by_lot(self, lot, state, action):
        hard = action["graze"].any()
        after = jnp.where(hard, 0, jnp.where(state == 1, 1, lot)).astype(jnp.int32)
        reward = jnp.where(state == 1, 2.0, 0.25) * (1.0 + action["graze"].astype(jnp.float32))
        return after, Outcome(reward, jnp.zeros(2), {}, jnp.array(False))

    def step(self, key, state, action):
        return self.by_lot(jax.random.bernoulli(key).astype(jnp.int32), state, action)


def test_a_game_without_end_is_solved_with_a_discount():
    markov = tabular(Pasture())
    assert markov.size == 2
    with pytest.raises(Refusal, match="may come back to a state it was in"):
        backward(markov)
    with pytest.raises(Refusal, match="from 0 to below 1"):
        markov_perfect(markov, 1.0)
    found = markov_perfect(markov, 0.5)
    # impatient, they graze a rich pasture (4 + 2 / 2) and let a poor one come back: v = 1/4 + (5 + v) / 4
    np.testing.assert_allclose(found.value, [[5, 2]] * 2, rtol=1e-6)
    np.testing.assert_allclose(found.material, found.value, rtol=1e-6)
    assert found.deviation < 1e-6
    # patient, they rest both: 2 / .1 = 20, and v = 1/4 + .9 (20 + v) / 2
    patient = markov_perfect(markov, 0.9)
    np.testing.assert_allclose(patient.value, [[20, 9.25 / 0.55]] * 2, rtol=1e-6)
    assert patient.deviation < 1e-6


def test_the_planner_finds_the_best_of_all_plans():
    pool = Pool(points=5, levels=3, horizon=3)
    markov = tabular(pool)

    def best(s):
        if s < 0:
            return 0.0
        rows = range(*markov.first[s : s + 2])
        return max(
            markov.material[:, r].sum()
            + 0.9 * sum(p * best(int(t)) for t, p in zip(markov.next[r], markov.prob[r], strict=True))
            for r in rows
        )

    assert planner(markov, 0.9) == pytest.approx(best(0), abs=1e-9)
    assert planner(tabular(pool, symmetric=True), 0.9) <= planner(markov, 0.9) + 1e-9
    assert backward(markov, 0.9, "first").welfare <= planner(markov, 0.9) + 1e-9


def test_a_symmetric_answer_is_an_equilibrium_of_the_full_game():
    pool = govern(Pool(points=11, levels=4, horizon=6), Levy(on="request", proceeds="shared", rate=1.0))
    some = backward(tabular(pool, symmetric=True), 0.95, "first", slack=0.05)
    full = backward(tabular(pool), 0.95)
    assert some.welfare == pytest.approx(full.welfare, rel=0.02)
    with pytest.raises(Refusal, match=r"departing gains at least .* allow for that by `slack`"):
        backward(tabular(fishery.fishery(2, 0.5, 11, 30), symmetric=True), 0.95)


@pytest.mark.parametrize("agents", [2, 4])
def test_the_table_of_the_fishery(agents):
    found = fishery.taxed(None, agents, "first", tuple(fishery.TABLE[agents]))
    for theta, welfare in fishery.TABLE[agents].items():
        assert found[f"welfare at {theta:g}"] == pytest.approx(welfare, rel=0.001)
    owner = fishery.owned(None, agents)["welfare"]
    assert owner == pytest.approx(fishery.OPTIMUM, rel=0.001)
    assert found[f"welfare at {(agents - 1) / agents:g}"] / owner > 0.99
    assert found["welfare at 0"] / owner == pytest.approx(0.24, abs=0.01)


def test_a_signed_contract_and_the_levy_are_the_same_tax():
    pool, theta = Pool(points=6, levels=3, horizon=4), 0.5
    rate = jnp.float32(theta * 2)
    levied = tabular(govern(pool, Levy(on="request", proceeds="shared", rate=rate)))
    signed = tabular(govern(pool, Contract(on="request", low=theta, high=theta, levels=1)))
    bound = [
        s for s in range(signed.size) if signed.states.memory[0].stage[s] == 2 and signed.states.memory[0].bound[s]
    ]
    for s in bound:
        at = [getattr(signed.states.world, leaf)[s] == getattr(levied.states.world, leaf) for leaf in ("stock", "time")]
        twin = int(np.flatnonzero(at[0] & at[1])[0])
        own, other = (slice(*m.first[k : k + 2]) for m, k in ((signed, s), (levied, twin)))
        np.testing.assert_allclose(signed.payoff[:, own], levied.payoff[:, other], atol=1e-6)


def test_the_great_fish_war_is_an_equilibrium():
    from scipy.optimize import minimize_scalar

    alpha, beta = 0.9, 0.95
    found = fishery.fish_war(None, [1, 2, 4, 8], alpha, beta)
    for n in (1, 2, 4, 8):
        left = found[f"left in the water, N = {n}"]
        own, b = (1 - left) / n, 1 / (1 - alpha * beta)  # each takes `own` of a stock of 1; value A + B log x
        rest = 1 - (n - 1) * own
        loss = lambda c, rest=rest, b=b: -(np.log(c) + beta * b * alpha * np.log(rest - c))  # noqa: E731
        assert minimize_scalar(loss, bounds=(1e-6, rest - 1e-6), method="bounded").x == pytest.approx(own, abs=1e-4)
        stock = found[f"steady stock, N = {n}"]
        assert (left * stock) ** alpha == pytest.approx(stock, rel=1e-9)


def test_settings_of_a_solved_game_are_leaves():
    """One compilation serves all rates: the structure of governed situations does not change with the rate."""
    one, other = (fishery.fishery(2, t) for t in (0.1, 0.2))
    assert jax.tree.structure(one) == jax.tree.structure(other)
    assert eqx.tree_equal(one, one)
