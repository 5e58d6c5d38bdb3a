"""What `nomoi solve` says of a table and of what institutions make of it: dominance, welfare reached, names, words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.core.settings import changed
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.treaty import Treaty
from nomoi.report import solution
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.solve import late, nash, price
from nomoi.solve.analysis import analyse
from nomoi.solve.elimination import eliminate
from nomoi.solve.game import NormalForm, bimatrix, symmetric

TRADE = """,free,low,high
free,"6,6","3,7","1,5"
low,"7,3","4,4","2,4.5"
high,"5,1","4.5,2","2.5,2.5"
"""
TARIFFS = symmetric([[6, 3, 1], [7, 4, 2], [5, 4.5, 2.5]], "tariffs", ("free", "low", "high"))


def effort(n=3):
    """Who works pays 1 and brings everybody 2 / 3: to shirk is dominant."""
    works = 1 - np.indices((2,) * n)
    return NormalForm(works.sum(0) * 2 / 3 - works, "effort", actions=(("work", "shirk"),) * n)


# --- dominance


def test_a_game_that_dominance_solves_has_one_equilibrium_and_it_is_known_to_be_all():
    left = eliminate(TARIFFS)
    assert left.solved
    assert [(s.player, s.action, s.by) for s in left.steps] == [(0, 0, {1: 1.0}), (1, 0, {1: 1.0}), (1, 1, {2: 1.0}),
                                                               (0, 1, {2: 1.0})]  # fmt: skip
    for game in (TARIFFS, effort()):
        found = nash.solve(game)
        assert (found.method, found.complete, found.warnings) == ("dominance", True, ())
        assert [x.argmax() for x in found.points[0]] == [k - 1 for k in game.shape]
        assert nash.solve(game, "pure").complete  # no mixed one is left either
    said = " ".join(solution.sentences(analyse(effort())))
    assert "(shirk, shirk, shirk) is left, so it is the only equilibrium" in said
    assert "leads to (shirk, shirk, shirk) from every start" in said


def test_a_mixture_dominates_where_no_action_does():
    row = [[4, 0], [0, 4], [1, 1]]
    (step,) = eliminate(bimatrix(row, np.zeros((3, 2)))).steps
    assert (step.player, step.action) == (0, 2)
    assert sum(step.by.values()) == pytest.approx(1)
    assert all(sum(share * row[k][j] for k, share in step.by.items()) > 1 for j in range(2))
    even = [[4, 0], [0, 4], [2, 2]]  # as good as the mixture of halves, and so not dominated strictly
    assert eliminate(bimatrix(even, np.zeros((3, 2)))).steps == ()
    close = [[4, 0], [0, 4], [2 - 1e-9, 2 - 1e-9]]  # a hair worse: it may stay, but what goes must be proved
    assert all(sum(step.by.values()) == pytest.approx(1) for step in eliminate(bimatrix(close, np.zeros((3, 2)))).steps)


def test_three_players_of_whom_two_are_left_are_solved_as_two():
    """The third's second choice is dominated; the others then play matching pennies."""
    payoff = np.zeros((3, 2, 2, 2))
    same = np.eye(2)[:, :, None]
    payoff[0], payoff[1], payoff[2] = same, 1 - same, [1, 0]
    found = nash.solve(NormalForm(payoff))
    assert (found.method, found.complete) == ("extreme", True)
    (point,) = found.points
    assert [x.tolist() for x in point] == [[0.5, 0.5], [0.5, 0.5], [1, 0]]
    assert "left are P1: 1, 2; P2: 1, 2; P3: 1." in solution.sentences(analyse(NormalForm(payoff)))[0]


@given(st.integers(0, 2**31).map(np.random.default_rng))
def test_what_is_taken_out_is_worse_than_its_mixture_whatever_the_others_do(rng):
    payoff = rng.integers(0, 4, (2, 4, 3)).astype(float)
    left = eliminate(NormalForm(payoff))
    rows, columns = [set(range(k)) for k in (4, 3)]
    for step in left.steps:
        mine, theirs = (rows, columns) if step.player == 0 else (columns, rows)
        own = payoff[0] if step.player == 0 else payoff[1].T
        assert set(step.by) <= mine - {step.action}
        for j in theirs:
            assert sum(share * own[k, j] for k, share in step.by.items()) > own[step.action, j]
        mine.remove(step.action)
    assert left.kept == (tuple(sorted(rows)), tuple(sorted(columns)))


def test_seconds_are_of_solving_and_not_of_importing(monkeypatch):
    def slow(game):
        late.spent += 100.0  # as if a package had taken that long
        return [], True, False, []

    monkeypatch.setitem(nash.METHODS, "extreme", slow)
    assert nash.solve(bimatrix(np.eye(2), np.eye(2))).seconds < 0  # 100 s less than it took


# --- welfare


def test_how_much_of_the_best_sum_is_reached():
    r = price.reached(TARIFFS, [[2.5, 2.5], [6, 6]])
    assert (r.best, r.at, r.sums, r.shares) == (12, ((0, 0),), (5, 12), (5 / 12, 1))
    assert (r.anarchy, r.stability, r.why) == (12 / 5, 1, "")
    costs = price.reached(bimatrix(-np.ones((2, 2)), [[-1, -2], [-2, -3]]), [[-1, -3], [-1, -1]])
    assert (costs.best, costs.shares, costs.anarchy, costs.stability) == (-2, (), 2, 1)
    assert "costs" in costs.why
    nothing = price.reached(effort(), [[0, 0, 0]])
    assert (nothing.best, nothing.shares, nothing.anarchy) == (3, (0,), np.inf)
    below = price.reached(TARIFFS, [[-1, 0]])
    assert (below.shares, below.why) == ((), "a sum in equilibrium is below 0")
    assert np.isnan(below.anarchy)
    assert price.reached(TARIFFS, []).why == "no equilibrium was found"


def test_shares_that_make_no_sense_are_not_told():
    chicken = symmetric([[1, -5], [2, -6]], "narrow road", ("yield", "go"))
    said = " ".join(solution.sentences(analyse(chicken)))
    assert "Shares of it make no sense, since a sum in equilibrium is below 0; the worst" in said
    assert "falls 6.00 short of it" in said  # 2 where both yield, -4 where both mix by halves
    assert "Price" not in said
    costs = " ".join(solution.sentences(analyse(symmetric([[-1, -5], [0, -4]], "years", ("mum", "tell")))))
    assert "since all sums are below 0, so they are costs" in costs
    assert "Price of anarchy 4.00 (sum of the worst equilibrium over the best sum)" in costs
    assert "whatever happens" in " ".join(solution.sentences(analyse(bimatrix(np.eye(2), 1 - np.eye(2)))))


# --- a table, alone and under institutions


def test_a_table_is_told_with_its_best_sum_and_its_basins(nomoi):
    Path("trade.csv").write_text(TRADE)
    status, out, err = nomoi("solve", "trade.csv")
    assert status == 0, err
    flat = " ".join(out.split())
    for part in ("all; dominance", "Best together: 12.0 at (free, free). The equilibrium reaches 41.7 % of it",
                 "Price of anarchy 2.40", "5.00 (41.7 %)", "they can get only 5.000 together",
                 "1.00 to (high, high), since what is strictly dominated dies out"):  # fmt: skip
        assert part in flat, part
    data = json.loads(nomoi("solve", "trade.csv", "--json")[1])
    assert data["welfare"]["best"] == 12
    assert data["welfare"]["at"] == [["free", "free"]]
    assert data["welfare"]["shares"] == pytest.approx([5 / 12])
    assert data["dominance"]["solved"] is True
    assert data["dominance"]["steps"][0] == {"player": "P1", "action": "free", "by": {"low": 1.0}}
    assert data["basins"]["two_populations"] == {"high, high": 1.0}


def test_a_governed_table_keeps_its_names_and_says_that_it_is_net(nomoi):
    Path("trade.csv").write_text(TRADE)
    status, out, err = nomoi("solve", "trade.csv", "--under", "levy(on=defect,rate=4)")
    assert status == 0, err
    flat = " ".join(out.split())
    for part in ("trade under levy(rate=4.0,on=defect)", "P1 \\ P2", "at (free, free)", "after transfers",
                 "To defect is to choose low or high"):  # fmt: skip
        assert part in flat, part
    assert "agent 0" not in flat
    status, out, err = nomoi("solve", "trade.csv", "--under", "levy(on=defect)", "--set", "situation.defect=9")
    assert (status, out) == (2, "")
    assert "defect is 9; the game has choices 0 to 2." in err
    Path("wide.csv").write_text('"1,1","2,2","3,3"\n"1,1","2,2","3,3"\n')
    assert nomoi("solve", "wide.csv")[0] == 0
    status, _, err = nomoi("solve", "wide.csv", "--under", "levy(on=defect)")
    assert status == 2
    assert "2 and 3 choices" in err
    assert "without --under and --set it is solved" in err


def test_a_contract_is_told_in_words_and_what_is_had_without_it(nomoi):
    Path("trade.csv").write_text(TRADE)
    status, out, err = nomoi("solve", "trade.csv", "--under", "contract(on=defect)")
    assert status == 0, err
    flat = " ".join(out.split())
    for part in ("trade under contract(on=defect)", "they get: P1 6.00, P2 6.00",
                 "Without contract they would get: P1 2.50, P2 2.50; all together: 5.00",
                 "P1 proposes a charge of 2.5 on each unit of defect", "P2 signs", "P1: free; P2: free"):  # fmt: skip
        assert part in flat, part


def test_a_contract_knows_how_many_may_sign():
    two, seven = Matrix(), Pool(agents=7)
    assert "if the other one signs" in Contract(on="defect").says(two)
    assert "if 2 of the 6 others, drawn by lot, sign" in Contract(on="request").says(seven)
    assert "if 1 of the 6 others, drawn by lot, signs" in Contract(on="request", voters=1).says(seven)
    for voters in (0, 6, 9):
        assert "if all 6 others sign" in Contract(on="request", voters=voters).says(seven)
    assert "or all, where there are no more" in Contract(on="defect").sentence
    assert (
        Contract(to="doer").answered(two, "propose", "5")
        == "proposes a payment by the others of 5 on each unit of sparse"
    )
    assert Contract().answered(two, "propose", "none") == "proposes no contract"
    assert Contract().answered(two, "sign", "no") == "does not sign"
    treaty = Treaty(on="defect", fines=3, lumps=5, high=4, most=4, apart=True)  # of the 45 terms the last
    assert treaty.answered(two, "propose", "45").endswith("a fine of 4 on each unit of defect and that each other one "
                                                          "pays the first agent 4")  # fmt: skip
    assert treaty.answered(two, "propose", "6") == (
        "proposes fines, agent by agent, of 0, 2 on each unit of defect and that the first agent pays each other one 4"
    )
    assert treaty.answered(two, "propose", "0") == "proposes no treaty"
    assert Levy().answered(two, "rate", "3") == "answers 3 to levy.rate"


def test_options_that_are_not_the_defaults_are_written_as_one_would_type_them():
    assert changed(Levy()) == {}
    assert changed(Levy(rate=4, on="defect", proceeds="shared")) == {
        "rate": "4.0", "on": "defect", "proceeds": "shared"
    }  # fmt: skip


def test_a_mixture_dominates_in_a_larger_game_and_names_nobody_who_is_gone():
    one = np.array([[4, 0, 0], [0, 4, 0], [1, 1, -1]])  # the third is below half of each of the others
    out = eliminate(NormalForm(np.stack([one, np.zeros((3, 3))])))
    assert [(s.player, s.action) for s in out.steps] == [(0, 2)]
    assert out.steps[0].by == {0: 0.5, 1: 0.5}
    ranks = np.outer([1, 0, 9], [1, 1, 1])  # the first goes by the third, and so does the second: the first is gone
    out = eliminate(NormalForm(np.stack([ranks, np.zeros((3, 3))])))
    assert {s.action: s.by for s in out.steps} == {0: {2: 1.0}, 1: {2: 1.0}}
