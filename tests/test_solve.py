"""`nomoi solve`, its pictures, and the table of ordinal games."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.report import figures, periodic, portrait, solution
from nomoi.runs import study as studying
from nomoi.runs.claims import UNTESTED
from nomoi.solve import crowds, games, nash, ordinal
from nomoi.solve.analysis import analyse
from nomoi.solve.game import NormalForm, bimatrix
from nomoi.studies import dilemmas


def test_what_is_said_of_the_stag_hunt(nomoi):
    status, out, err = nomoi("solve", "stag_hunt")
    assert status == 0, err
    flat = " ".join(out.split())
    for part in (
        "yes, stag hunt", "3 equilibria (all", "Knife's edge: R - T = P - S", "neither risk-dominates",
        "from 2.000 to 8.000 together", "mixed motive", "Best together: 8.00 at (C, C)",
        "worst equilibrium (2) reaches 25.0 % of it, the best (1) 100 %", "anarchy 4.00", "stability 1.00",
        "row 7, column 7", "0.500 to (all C)", "dominates all others",
    ):  # fmt: skip
        assert part in flat, part


@pytest.mark.parametrize("name", games.GAMES)
def test_every_known_game_is_solved_and_its_json_is_json(nomoi, name):
    status, out, err = nomoi("solve", name, "--json")
    assert status == 0, err
    data = json.loads(out, parse_constant=pytest.fail)
    assert max(data["equilibria"]["certificates"]) <= 1e-8
    assert data["correlated"]["max"]["welfare"] >= data["correlated"]["min"]["welfare"] - 1e-9
    status, out, _ = nomoi("solve", name)
    assert status == 0
    assert games.named(name).title in out


def test_a_file_is_solved_and_drawn(nomoi):
    Path("g.csv").write_text("3,0\n4,1\n")
    status, out, err = nomoi("solve", "g.csv", "--picture", "g.svg")
    assert status == 0, err
    assert "prisoner" in out
    assert "g.svg" in out
    text = Path("g.svg").read_text()
    assert text.startswith("<svg")
    assert "var(" not in text  # it stands alone
    status, _, err = nomoi("solve", "rock_paper_scissors", "--picture", "r.png", "--json")
    assert status == 0
    assert "r.png" in err
    assert Path("r.png").read_bytes()[:4] == b"\x89PNG"


def test_pictures_that_there_are_not(nomoi):
    status, out, err = nomoi("solve", "shapley", "--picture", "g.svg")
    assert status == 2
    assert out == ""  # it is refused before anything is solved
    assert "no phase portrait" in err
    assert not Path("g.svg").exists()
    status, _, err = nomoi("solve", "pd", "--picture", "g.gif")
    assert status == 2
    assert "must end in .svg or .png" in err


def test_the_periodic_table_is_drawn_by_every_property():
    assert "prisoner's dilemma (1)" in figures.svg(periodic.periodic("dilemma"))
    kinds = {name: {kind(e) for e in ordinal.table()} for name, kind in ordinal.PROPERTIES.items()}
    assert kinds["pure equilibria"] == {"0", "1", "2"}
    assert kinds["equilibrium"] == {"worse for both", "not worse for both", "none pure"}
    assert len(kinds["layer"]) == 4
    assert len(kinds["dilemma"]) == 7
    with pytest.raises(Refusal, match="no property"):
        periodic.periodic("colour")


KNOWN = {  # counted and computed by hand, or by another program
    "orders": {"dilemmas": 5, "assurance": 1, "coordination": 1},
    "pd_intro": {"prisoners_dilemma": 1, "turns": 0},
    "stag_hunt": {"edge": 0},
    dilemmas._price(1.0): {"side": 0, "two": 0.5},
    dilemmas._price(2.0): {"side": -1},
    "stag hunt, R = 5": {"side": 1},
    "coord3": {"equilibria": 7},
    "coord123": {"equilibria": 7},
    "chicken": {"welfare max": 16 / 3, "welfare coarse": 16 / 3, "welfare min": 10 / 3},
    "aumann_chicken": {"welfare max": 10.5},
    "bos": {"worst off": 2.5},
    "ordinal": {"tables": 576, "games": 144, "classes": 78, "pure 1": 108, "pure 2": 18, "dilemmas": 25, "product": 25},
    "random games": {"dilemmas": 25 / 144, "three equilibria": 1 / 8, "regret": 0},
    "introduction": {"prisoners_dilemma": 1, "chicken": 0},
    "many": {"lowest": 1.2, "highest": 9.8, "anarchy": 4 / 3},
}


def test_the_study_finds_what_it_claims(tmp_path):
    study = dilemmas.STUDY
    found = studying.run(study, "smoke", out=tmp_path)
    assert {v.verdict for v in found.verdicts} == {UNTESTED}
    for v in found.verdicts:
        low, high = v.claim.limits()
        assert low < v.estimate.mean < high, v.claim.text
    random = {"dilemmas": 0.2, "three equilibria": 0.2, "regret": 1e-8}  # how far 20 games may be off
    for label, table in KNOWN.items():
        for measure, value in table.items():
            slack = random.get(measure, 0) if label == "random games" else 1e-4
            assert found.results.late(label, measure) == pytest.approx(value, abs=slack), (label, measure)
    assert all(np.isfinite(e.mean) for _, e in found.readings())
    assert len(study.sections(found.results)) == 3


@pytest.mark.parametrize(
    ("words", "part"),
    [(["stag_hnt"], "did you mean 'stag_hunt'"), (["nowhere.nfg"], "there is no file"), ([""], "no game called"),
     (["pd", "--method", "lemke"], "no method"), (["."], "must end in")],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_exit_2(nomoi, words, part):
    status, out, err = nomoi("solve", *words)
    assert status == 2
    assert part in err
    assert err.strip().count("\n") == 0
    assert out == ""


def test_the_help_needs_no_solver():
    code = "import sys, nomoi.cli; print(any(m in sys.modules for m in ('numpy', 'scipy', 'quantecon', 'jax')))"
    root = str(Path(__file__).parent.parent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False"


def test_games_of_three_and_large_ones_are_said_what_can_be():
    rng = np.random.default_rng(0)
    three = analyse(NormalForm(rng.random((3, 2, 2, 2))))
    assert three.labelling is None
    assert three.duels == ()
    assert three.name == "2x2x2 game"
    assert three.crowd is None
    goods = analyse(crowds.public_goods(3, 2).normal_form())
    assert goods.crowd
    assert goods.crowd.dilemma
    assert "where all others choose C, D pays more" in " ".join(solution.sentences(goods))
    assert "where 0 of 3 choose C; the sum is greatest where 3 do" in " ".join(solution.sentences(goods))
    large = analyse(bimatrix(rng.random((70, 70)), rng.random((70, 70))), "pure")
    assert large.welfare == {}
    json.dumps([three.data(), goods.data(), large.data()], allow_nan=False)
    for found in (three, large):
        assert solution.sentences(found)


@pytest.mark.parametrize("width", [20, 30, 80])
def test_no_width_of_a_terminal_cuts_a_number(monkeypatch, width):
    found = analyse(games.named("chicken"))
    monkeypatch.setattr(solution.console, "_width", width)
    with solution.console.capture() as shown:
        solution.show(found)
    told = " ".join(shown.get().split())
    assert "…" not in told
    assert ("│ regret" in told or "┃ regret" in told) == (width == 80)
    if width < 80:
        assert "1: P1 C; P2 D; payoffs 1.00, 4.00; together 5.00 (83.3 %); regret 0" in told
    assert max(map(len, shown.get().splitlines())) <= width


def test_strategies_in_words():
    assert solution.strategy(np.array([0, 1.0]), ("C", "D")) == "D"
    assert solution.strategy(np.array([0.6, 0.4]), ("Bach", "Stravinsky")) == "0.600 Bach + 0.400 Stravinsky"


# --- portraits


@given(st.integers(0, 2**31).map(np.random.default_rng))
def test_the_flow_is_the_replicator_and_stands_still_in_equilibrium(rng):
    game = bimatrix(*rng.random((2, 3, 4)))
    x, y = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4))
    dx, dy = portrait.flow(game, (x, y))
    for k in range(3):
        assert dx[k] == pytest.approx(x[k] * (game.payoff[0][k] @ y - x @ game.payoff[0] @ y))
    for k in range(4):
        assert dy[k] == pytest.approx(y[k] * (x @ game.payoff[1][:, k] - x @ game.payoff[1] @ y))
    for point in nash.solve(game).points:
        assert np.allclose(np.concatenate(portrait.flow(game, point)), 0, atol=1e-9)


def test_portraits_show_the_equilibria():
    for name, dots, filled in (("stag_hunt", 3, 2), ("matching_pennies", 1, 0), ("coord123", 7, 3), ("pd", 1, 1)):
        axes = portrait.portrait(games.named(name)).axes[0]
        found = [line for line in axes.lines if line.get_marker() == "o"]
        assert len(found) == dots
        assert sum(line.get_markerfacecolor() != "#ffffff" for line in found) == filled
    lines = portrait.square(games.named("bos")).axes[0].lines
    dashed = [line.get_xydata() for line in lines if line.is_dashed()]
    assert {tuple(np.round(d[0], 6)) for d in dashed} == {(0, 0.4), (0.6, 0)}
    assert "<svg" in figures.svg(portrait.portrait(bimatrix(np.zeros((2, 2)), np.zeros((2, 2)))))


# --- ordinal games


def test_how_many_ordinal_games_there_are():
    """Spec A.3 and F4."""
    assert ordinal.classes() == (576, 144, 78)
    assert Counter(e.equilibria for e in ordinal.table()) == {1: 108, 2: 18, 0: 18}


def test_the_table_holds_every_game_once_and_locate_finds_it():
    codes = set()
    for k, entry in enumerate(ordinal.table()):
        assert (entry.place.row, entry.place.column) == divmod(k, 12)
        assert ordinal.locate(entry.game) == entry.place
        twin = ordinal.locate(bimatrix(entry.game.payoff[1].T, entry.game.payoff[0].T))
        assert (twin.row, twin.column) == entry.place.twin
        codes.add(entry.game.payoff.tobytes())
    assert len(codes) == 144
    symmetric = [e for e in ordinal.table() if e.place.row == e.place.column]
    assert len(symmetric) == 12
    assert all(np.array_equal(e.game.payoff[0], e.game.payoff[1].T) for e in symmetric)


@given(st.permutations(range(4)), st.permutations(range(4)), st.booleans(), st.booleans(), st.floats(0.1, 3))
def test_names_of_actions_and_scale_do_not_move_a_game(a, b, rows, columns, scale):
    one, other = (np.array(z, float).reshape(2, 2) for z in (a, b))
    base = ordinal.locate(bimatrix(one, other))
    turn = (slice(None, None, -1 if rows else 1), slice(None, None, -1 if columns else 1))
    assert ordinal.locate(bimatrix(np.exp(one * scale)[turn], (other * scale - 3)[turn])) == base


def test_symmetric_games_have_their_names():
    for order, name in (("TRPS", "prisoner's dilemma"), ("TRSP", "chicken"), ("RTPS", "stag hunt"),
                        ("RPTS", "assurance"), ("RPST", "coordination"), ("TPRS", "deadlock"),
                        ("SRPT", "deadlock"), ("RSTP", "harmony")):  # fmt: skip
        table = ordinal.pattern(order)
        place = ordinal.locate(bimatrix(table, table.T))
        assert place.name == name
    assert ordinal.locate(games.named("pd")).layer.startswith("discord")
    assert ordinal.locate(games.named("stag_hunt")).layer.startswith("win-win")


def test_the_five_dilemmas_stand_on_the_diagonal():
    found = {e.place.name: e.dilemma for e in ordinal.table() if e.place.row == e.place.column and e.dilemma}
    assert found == {
        "prisoner's dilemma": "prisoners_dilemma", "chicken": "chicken", "stag hunt": "stag_hunt",
        "assurance": "assurance", "coordination": "coordination",
    }  # fmt: skip


def test_equilibria_that_are_worse_for_both():
    """Seven games whose equilibria are all worse for both than another outcome, the prisoner's dilemma among them."""
    worse = [e.place.name for e in ordinal.table() if e.inferior]
    assert "prisoner's dilemma" in worse
    assert len(worse) == 7
    assert "stag hunt" not in worse  # one of its two is not


def test_the_graph_of_swaps():
    graph = ordinal.graph()
    assert len(graph) == 144
    for at, near in graph.items():
        assert len(set(near)) == 6
        assert at not in near
        assert all(at in graph[other] for other in near)
        for k, other in enumerate(near):  # a swap of one player's ranks leaves the other's pattern, up to names
            mine = ordinal.game_at(*at).payoff[1 - k // 3]
            theirs = ordinal.game_at(*other).payoff[1 - k // 3]
            assert any(np.array_equal(mine, theirs[::i, ::j]) for i, j in itertools.product((1, -1), repeat=2))
    reached, edge = {(0, 0)}, [(0, 0)]
    while edge:
        edge = [o for at in edge for o in graph[at] if o not in reached]
        reached |= set(edge)
    assert len(reached) == 144
    pd, chicken = (ordinal.locate(games.named(n)) for n in ("pd", "chicken"))
    step = {tuple(o) for o in graph[pd.row, pd.column]}
    assert (chicken.row, chicken.column) not in step  # two swaps, one of each player
    assert any((chicken.row, chicken.column) in graph[o] for o in step)


def test_games_that_have_no_place():
    with pytest.raises(Refusal, match="has ties"):
        ordinal.locate(games.named("bos"))
    with pytest.raises(Refusal, match="no 2 x 2"):
        ordinal.locate(games.named("coord3"))
    assert not ordinal.strict(games.named("matching_pennies"))
    assert analyse(games.named("bos")).place is None


def test_a_preset_of_a_situation_is_solved_and_named_where_the_whole_is_too_large(nomoi):
    small = ["--map", "small", "--set", "situation.horizon=1", "--under", "quota"]
    assert "pool under quota" in nomoi("solve", "pool", *small, "--set", "situation.agents=2")[1]
    status, _, err = nomoi("solve", "pool", "--set", "situation.agents=12")
    assert (status, "A preset may be small enough: --map small." in err) == (2, True), err
    status, _, err = nomoi("solve", "pool", "--map", "smal")
    assert (status, "did you mean 'small'" in err) == (2, True), err
    assert nomoi("solve", "stag_hunt", "--map", "small")[0] == 2
