"""Dilemmas, dominance, Schelling's kinds, crowds and basins."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.solve import basins, crowds, dilemma, dominance, games, taxonomy
from nomoi.solve.game import NormalForm, bimatrix, symmetric
from nomoi.solve.games import diagonal, named, rstp
from nomoi.solve.pure import pure
from nomoi.studies import dilemmas

whole = st.integers(-5, 5)
FIVE = {
    "TRPS": "prisoners_dilemma", "TRSP": "chicken", "RTPS": "stag_hunt", "RPTS": "assurance", "RPST": "coordination",
}  # fmt: skip


def _order(order):
    value = {letter: 4 - k for k, letter in enumerate(order)}
    return dilemma.classify(*(value[letter] for letter in "RSTP"))


def test_exactly_five_of_the_24_orders_are_dilemmas():
    """Counted over all orders."""
    found = {"".join(o): _order(o) for o in itertools.permutations("RSTP")}
    assert {o: d.name for o, d in found.items() if d.dilemma} == FIVE
    assert all((d.name is None) == (not d.dilemma) for d in found.values())


@pytest.mark.parametrize(
    ("name", "kind", "turns", "edges"),
    [
        ("pd_intro", "prisoners_dilemma", False, ("2R = T + S",)),
        ("pd", "prisoners_dilemma", True, ()),
        ("chicken", "chicken", True, ()),
        ("stag_hunt", "stag_hunt", True, ("R - T = P - S",)),
        ("aumann_chicken", "chicken", True, ()),
    ],
)
def test_the_tutorials_games(name, kind, turns, edges):
    found = dilemma.best_labelling(named(name))
    assert found.cooperate == (0, 0)
    assert found.name == kind
    for view in found.views:
        assert view.dilemma
        assert view.turns_lose == view.strict == turns
        assert view.knife_edges == edges


def test_strengths():
    found = dilemma.classify(3, 0, 5, 1)
    assert (found.greed_strength, found.fear_strength, found.k_index) == (2, 1, 2 / 5)
    assert np.isnan(dilemma.classify(3, 1, 1, 0).k_index)


@given(whole, whole, whole, whole)
def test_whole_numbers_are_compared_exactly(r, s, t, p):
    found = dilemma.classify(r, s, t, p)
    assert found.coop_beats_defect == (r > p)
    assert found.coop_beats_sucker == (r > s)
    assert found.greed == (t > r)
    assert found.fear == (p > s)
    assert found.turns_lose == (2 * r > t + s)
    assert found.dilemma == (r > p and r > s and (t > r or p > s))
    assert found.strict == (found.dilemma and 2 * r > t + s)
    four = {"R": r, "S": s, "T": t, "P": p}
    ties = {f"{a} = {b}" for a, b in itertools.combinations("RSTP", 2) if four[a] == four[b]}
    assert ties <= set(found.knife_edges)
    assert ("2R = T + S" in found.knife_edges) == (2 * r == t + s)
    assert ("R - T = P - S" in found.knife_edges) == (r - t == p - s > 0)


@given(st.permutations([0.1, 0.2, 0.3, 0.4]), st.floats(1e-3, 1e6), st.floats(-1e3, 1e3))
def test_scale_and_shift_change_nothing(four, scale, shift):
    base, moved = dilemma.classify(*four), dilemma.classify(*(v * scale + shift for v in four))
    for flag in ("name", "dilemma", "greed", "fear", "turns_lose"):
        assert getattr(base, flag) == getattr(moved, flag)


def test_dust_is_a_tie():
    assert "R = T" in dilemma.classify(0.1 + 0.2, 0, 0.3, 0.1).knife_edges
    assert not dilemma.classify(0.3, 0, 0.1 + 0.2, 0.1).greed


def test_payoffs_that_are_no_numbers_are_refused():
    with pytest.raises(Refusal, match="T is nan"):
        dilemma.classify(1, 2, np.nan, 0)
    with pytest.raises(Refusal, match="2 x 2"):
        dilemma.labellings(named("coord3"))


def test_a_dilemma_under_other_names_is_found():
    row, column = named("pd").payoff
    turned = bimatrix(row[::-1], column[::-1])  # the row player's first action is now to defect
    assert not dilemma.labellings(turned)[0].dilemma
    found = dilemma.best_labelling(turned)
    assert found.cooperate == (1, 0)
    assert found.name == "prisoners_dilemma"
    assert sum(one.dilemma for one in dilemma.labellings(turned)) == 1


def test_each_player_has_a_view_of_its_own():
    game = bimatrix([[3, 0], [4, 1]], [[4, 3], [0, 1]])  # a prisoner's dilemma for the row player only
    first = dilemma.labellings(game)[0]
    assert [v.name for v in first.views] == ["prisoners_dilemma", "stag_hunt"]
    assert first.dilemma
    assert first.name is None


def test_the_column_players_view_is_the_row_players_of_the_game_turned():
    rng = np.random.default_rng(0)
    row, column = rng.random((2, 2, 2))
    here, there = dilemma.labellings(bimatrix(row, column)), dilemma.labellings(bimatrix(column.T, row.T))
    for one in here:
        other = next(o for o in there if o.cooperate == one.cooperate[::-1])
        assert one.views == other.views[::-1]


def test_symmetry():
    assert dilemma.symmetric(named("rock_paper_scissors"))
    assert not dilemma.symmetric(named("bos"))
    assert not dilemma.symmetric(bimatrix(np.zeros((2, 3)), np.zeros((2, 3))))
    assert dilemma.best_labelling(rstp(1, 4, 0, 3)).cooperate == (1, 1)  # deadlock turned: no dilemma, but R > P


# --- dominance


def test_risk_dominance_of_the_tutorials_games():
    """The stag hunt and Bach or Stravinsky are ties; payoffs of 2 or 5 in place of 1 or 4 break the first."""
    (tie,) = dominance.risk_dominance(named("stag_hunt"))
    assert tie.losses == (1, 1)
    assert tie.winner is None
    (tie,) = dominance.risk_dominance(named("bos"))
    assert tie.losses == (6, 6)
    assert tie.winner is None
    assert dominance.risk_dominance(rstp(4, 0, 3, 2))[0].winner == (1, 1)
    assert dominance.risk_dominance(rstp(5, 0, 3, 1))[0].winner == (0, 0)
    assert dominance.risk_dominance(named("pd")) == ()
    assert {d.winner for d in dominance.risk_dominance(diagonal(1, 2, 3))} == {(1, 1), (2, 2)}


def test_p_dominance():
    assert dominance.p_dominance(named("stag_hunt"), (0, 0)) == 0.5
    assert [dominance.p_dominance(diagonal(1, 2, 3), (k, k)) for k in range(3)] == pytest.approx([3 / 4, 3 / 5, 2 / 5])
    assert dominance.p_dominance(named("pd"), (1, 1)) == 0
    with pytest.raises(Refusal, match="no strict equilibrium"):
        dominance.p_dominance(named("pd"), (0, 0))
    with pytest.raises(Refusal, match="for two"):
        dominance.risk_dominance(NormalForm(np.zeros((3, 2, 2, 2))))


@given(st.integers(0, 2**31).map(np.random.default_rng))
def test_p_dominance_is_where_the_action_stops_being_best(rng):
    game = bimatrix(*rng.random((2, 3, 3)))
    for a in pure(game):
        p = dominance.p_dominance(game, a)
        for share, holds in ((p + 1e-6, True), (p - 1e-6, False)):
            if 0 <= share <= 1:
                safe = True
                for payoff, mine, theirs in ((game.payoff[0], *a), (game.payoff[1].T, *a[::-1])):
                    for worst in set(range(3)) - {theirs}:  # beliefs are extreme where they are worst
                        belief = share * np.eye(3)[theirs] + (1 - share) * np.eye(3)[worst]
                        safe &= bool((payoff @ belief).argmax() == mine)
                assert safe == holds


@given(st.floats(0.1, 5), st.floats(0.1, 5), st.floats(-2, 2))
def test_in_symmetric_games_who_risk_dominates_is_p_dominant_below_a_half(a, b, c):
    game = rstp(c + a, c, c, c + b)
    (duel,) = dominance.risk_dominance(game)
    p = [dominance.p_dominance(game, (k, k)) for k in range(2)]
    assert sum(p) == pytest.approx(1)
    if duel.winner:
        assert p[duel.winner[0]] < 0.5


def test_payoff_dominance():
    assert dominance.payoff_dominant(np.array([[4, 4], [1, 1], [2, 2.0]])) == [0]
    assert dominance.payoff_dominant(np.array([[3, 2], [2, 3], [1.2, 1.2]])) == [0, 1]
    assert dominance.payoff_dominant(np.array([[1, 1], [1, 1.0]])) == [0, 1]
    assert dominance.payoff_dominant(np.array([[1, 1], [1, 2.0]])) == [1]
    assert dominance.payoff_dominant(np.zeros((0, 2))) == []


# --- Schelling's kinds


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pd", taxonomy.MIXED), ("pd_intro", taxonomy.MIXED), ("bos", taxonomy.MIXED), ("stag_hunt", taxonomy.MIXED),
        ("coord3", taxonomy.COMMON), ("coord123", taxonomy.COMMON),
        ("matching_pennies", taxonomy.CONFLICT), ("rock_paper_scissors", taxonomy.CONFLICT),
    ],
)  # fmt: skip
def test_the_kinds_of_known_games(name, kind):
    found = taxonomy.kind(named(name))
    assert found.name == kind
    assert -1 <= found.harmony <= 1


@given(st.integers(0, 2**31).map(np.random.default_rng), st.integers(2, 4))
def test_rho_is_the_mean_of_pearsons_r(rng, n):
    game = NormalForm(rng.random((n, *rng.integers(2, 4, n))))
    flat = game.payoff.reshape(n, -1)
    pairs = np.corrcoef(flat)[np.triu_indices(n, 1)]
    found = taxonomy.kind(game)
    assert found.rho == pytest.approx(pairs.mean())
    assert found.name == taxonomy.MIXED
    common = NormalForm(np.stack([flat[0].reshape(game.shape) * (i + 1) - i for i in range(n)]))
    assert taxonomy.kind(common).name == taxonomy.COMMON
    assert taxonomy.kind(common).harmony == pytest.approx(1)


def test_pure_conflict_of_three():
    rng = np.random.default_rng(1)
    own = rng.random((3, 8))
    own -= own.mean(1, keepdims=True)
    own, _ = np.linalg.qr(own.T)
    corners = np.array([[1, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])  # three equal shares of a fixed sum
    game = NormalForm((corners @ own[:, :2].T).reshape(3, 2, 2, 2))
    found = taxonomy.kind(game)
    assert found.rho == pytest.approx(-0.5)
    assert found.harmony == pytest.approx(-1)
    assert found.name == taxonomy.CONFLICT


def test_payoffs_that_never_change():
    still = np.ones((2, 2))
    nothing = taxonomy.kind(bimatrix(still, still * 3))
    assert (nothing.name, nothing.indifferent) == (taxonomy.IDLE, ("P1", "P2"))
    one = taxonomy.kind(bimatrix([[1, 2], [3, 4]], still))
    assert (one.name, one.indifferent, one.harmony) == (taxonomy.COMMON, ("P2",), 1)
    assert np.isnan(one.rho)
    assert taxonomy.kind(bimatrix(still * 0, still * 0)).name == taxonomy.IDLE


# --- crowds


def test_two_in_a_crowd_are_a_2x2_game():
    for r in (1.2, 1.9):
        crowd = crowds.public_goods(2, r)
        both, alone, tempted, neither = crowd.cooperate[1], crowd.cooperate[0], crowd.defect[1], crowd.defect[0]
        assert np.allclose(crowd.normal_form().payoff, rstp(both, alone, tempted, neither).payoff)
        view, test = dilemma.classify(both, alone, tempted, neither), crowds.test(crowd)
        assert (test.greed, test.fear, test.dilemma) == (view.greed, view.fear, view.dilemma)


CROWDS = {
    "public goods": crowds.public_goods(4, 1.6), "threshold": crowds.threshold(5, 3, 2, 1),
    "stag hunt": crowds.stag_hunt(4, 3, 3), "snowdrift": crowds.snowdrift(4, 3, 2),
    "volunteer": crowds.volunteer(5, 3, 1), "roads": crowds.pigou(4),
}  # fmt: skip


@pytest.mark.parametrize("name", CROWDS)
def test_a_crowds_normal_form_equilibria_and_welfare(name):
    crowd = CROWDS[name]
    game = crowd.normal_form()
    n, welfare = crowd.n, {}
    for a in np.ndindex(game.shape):
        k = a.count(0)
        for i in range(n):
            others = k - (a[i] == 0)
            assert game.payoff[(i, *a)] == (crowd.defect if a[i] else crowd.cooperate)[others]
        welfare[k] = game.payoff[(slice(None), *a)].sum()
    assert np.allclose(crowd.welfare(), [welfare[k] for k in range(n + 1)])
    assert crowd.equilibria() == sorted({a.count(0) for a in pure(game)})


def test_crowds_are_read_from_normal_forms():
    for crowd in CROWDS.values():
        again = crowds.read(crowd.normal_form())
        assert again
        assert np.array_equal(again.cooperate, crowd.cooperate)
        assert np.array_equal(again.defect, crowd.defect)
    assert crowds.read(named("bos")) is None
    assert crowds.read(named("coord3")) is None


@pytest.mark.parametrize("r", [0.8, 1.6, 3.9, 4.5])
def test_public_goods_are_a_dilemma_between_1_and_n(r):
    found = crowds.test(crowds.public_goods(4, r))
    assert found.dilemma == (1 < r < 4)
    assert found.equilibria == ((4,) if r > 4 else (0,))
    assert found.optimum == (4 if r > 1 else 0)
    assert found.loss == pytest.approx(4 * (r - 1) if 1 < r < 4 else 0)


def test_equilibria_of_crowds():
    """Threshold: none, or just enough; snowdrift b=3, c=2, n=4: Rc(k) = 3 - 2/(k+1) against 3 past the first."""
    assert crowds.test(crowds.threshold(5, 3, 2, 1)).equilibria == (0, 3)
    assert crowds.test(crowds.volunteer(5, 3, 1)).equilibria == (1,)
    assert crowds.test(crowds.snowdrift(4, 3, 2)).equilibria == (1,)
    hunt = crowds.test(crowds.stag_hunt(4, 3, 2.5))
    assert hunt.equilibria == (0, 3)  # at 3 hunters a further one would pay 1 for 2.5/4
    assert hunt.fear
    assert hunt.greed


def test_the_price_of_anarchy():
    roads = crowds.test(crowds.pigou(10))
    assert roads.anarchy == pytest.approx(4 / 3)  # Pigou (Roughgarden and Tardos 2002)
    assert set(roads.equilibria) == {0, 1}
    assert not roads.dilemma
    both = crowds.test(crowds.Crowd(np.array([2.0, 3.0]), np.array([1.0, 2.0])))
    assert (both.anarchy, both.loss) == (1, 0)
    assert np.isnan(crowds.test(crowds.public_goods(4, 1.6)).anarchy)  # the equilibrium is worth 0


@pytest.mark.parametrize("n", [2, 3, 5, 12])
def test_symmetric_mixed_equilibria_of_crowds(n):
    """Volunteers stay away with chance (c/b)^(1/(n-1)) (Diekmann 1985)."""
    assert crowds.mixed(crowds.volunteer(n, 3, 1)) == pytest.approx([1 - (1 / 3) ** (1 / (n - 1))])
    assert crowds.mixed(crowds.public_goods(n, 0.9 * n)) == []
    assert crowds.mixed(crowds.Crowd(np.ones(n), np.ones(n))) == []
    hunt = crowds.stag_hunt(max(n, 3), 2, 2.9)
    for x in crowds.mixed(hunt):
        if n < 8:
            game = hunt.normal_form()
            assert game.regret((np.array([x, 1 - x]),) * game.n) < 1e-10
    assert len(crowds.mixed(hunt)) in (0, 2)


def test_congestion_counts_who_is_on_the_road():
    crowd = crowds.congestion([5, 6, 7], [1, 4, 9])
    assert crowd.cooperate.tolist() == [-5, -6, -7]
    assert crowd.defect.tolist() == [-9, -4, -1]
    assert crowds.test(crowd).equilibria == (1,)


BAD = {
    "two or more": lambda: crowds.public_goods(1, 2),
    "whole number": lambda: crowds._others(2.5, "roads"),
    "positive number": lambda: crowds.public_goods(3, np.nan),
    "between 1 and 3": lambda: crowds.threshold(3, 4, 1, 1),
    "cost of the snowdrift": lambda: crowds.snowdrift(3, 1, -1),
    "at least 2": lambda: crowds.Crowd(np.ones(1), np.ones(1)),
    "both need one": lambda: crowds.Crowd(np.ones(2), np.ones(1)),
    "finite": lambda: crowds.Crowd(np.array([1, np.inf]), np.ones(2)),
    "must be numbers": lambda: crowds.Crowd(np.array(["1", "x"]), np.ones(2)),
    "use its Rc": lambda: crowds.public_goods(30, 2).normal_form(),
}


@pytest.mark.parametrize("part", BAD)
def test_crowds_that_cannot_be(part):
    with pytest.raises(Refusal, match=part):
        BAD[part]()


# --- basins


def test_basins_of_one_population():
    assert basins.one_population(named("stag_hunt")) == {"all C": 0.5, "all D": 0.5}
    assert basins.one_population(rstp(4, 0, 3, 2)) == pytest.approx({"all C": 1 / 3, "all D": 2 / 3})
    assert basins.one_population(named("pd")) == {"all D": 1}
    assert basins.one_population(rstp(5, 3, 4, 3)) == {"all C": 1}  # a tie where all defect
    assert list(basins.one_population(named("chicken"))) == ["0.5 C, the rest D"]
    assert basins.one_population(rstp(1, 1, 1, 1)) == {}
    with pytest.raises(Refusal, match="no single population"):
        basins.one_population(named("bos"))


def test_basins_of_two_populations():
    assert basins.two_populations(named("stag_hunt")) == pytest.approx({"C, C": 0.5, "D, D": 0.5}, abs=1e-6)
    assert basins.two_populations(named("bos"))["Bach, Bach"] == pytest.approx(0.5, abs=1e-5)
    assert basins.two_populations(named("chicken")) == pytest.approx({"C, D": 0.5, "D, C": 0.5}, abs=1e-6)
    assert basins.two_populations(named("pd")) == {"D, D": 1}
    assert basins.two_populations(named("matching_pennies")) == {}
    assert basins.two_populations(rstp(1, 1, 1, 1)) == {}
    half = bimatrix([[3, 0], [4, 1]], [[4, 0], [0, 1]])  # the row player defects, and the other then does too
    assert basins.two_populations(half) == {"2, 2": 1}
    with pytest.raises(Refusal, match="no 2 x 2"):
        basins.two_populations(named("coord3"))


@pytest.mark.parametrize("seed", range(4))
def test_basins_are_where_the_replicator_goes(seed):
    """The closed form against plain integration from a grid of starts; games with two strict equilibria."""
    rng = np.random.default_rng(seed)
    a, b = (np.diag(rng.uniform(0.3, 3, 2)) + rng.uniform(-1, 1, 2) for _ in range(2))
    game = bimatrix(a, b.T)
    if seed % 2:  # as chicken is
        game = bimatrix(a[:, ::-1], b.T[:, ::-1])
    side = (np.arange(40) + 0.5) / 40
    x, y = (z.ravel() for z in np.meshgrid(side, side))
    (row, column), step = game.payoff, 0.05
    for _ in range(3000):
        f = (row[0] - row[1]) @ np.stack([y, 1 - y])
        g = (column[:, 0] - column[:, 1]) @ np.stack([x, 1 - x])
        x, y = x + step * x * (1 - x) * f, y + step * y * (1 - y) * g
    ends = {f"{i + 1}, {j + 1}": float(((x < 0.5) == i)[(y < 0.5) == j].sum()) / len(x) for i, j in pure(game)}
    assert basins.two_populations(game) == pytest.approx(ends, abs=0.03)


def test_every_known_game_has_a_source():
    for name, entry in games.GAMES.items():
        assert entry.source, name
        assert entry.game.title
    assert named("pd_intro").payoff.tolist() == [[[2, 0], [4, 1]], [[2, 4], [0, 1]]]
    np.testing.assert_array_equal(np.moveaxis(dilemmas.INTRODUCTION, -1, 0), named("pd_intro").payoff)
    with pytest.raises(Refusal, match="did you mean 'stag_hunt'"):
        named("stag_hnt")
    for bad in ([[1, 2, 3], [4, 5, 6]], [[[1, 2], [3, 4]]]):
        with pytest.raises(Refusal, match=r"payoffs of (shape|3)"):
            symmetric(bad)
