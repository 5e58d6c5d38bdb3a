"""Rules of social choice, axioms, welfare, pluralism, and what institutions decided."""

from __future__ import annotations

import itertools
import json
import statistics
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nomoi.errors import Refusal
from nomoi.voices import answers, arrow, axioms, decisions, pluralism, rules, senate, welfare
from nomoi.voices.rules import Profile

CYCLE = Profile(np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]]))
APART = Profile(np.array([[0, 1, 2]] * 3 + [[1, 2, 0]] * 2))  # 0 beats all, and 1 has the better mean rank


def put(path, text):
    Path(path).write_text(text)
    return Path(path)


# --- rules ------------------------------------------------------------------------------------------------------------


def test_a_circle_has_no_winner_and_every_rule_says_so():
    assert rules.condorcet(CYCLE) is None
    assert {name: rule(CYCLE) for name, rule in rules.RANKED.items()} == dict.fromkeys(
        rules.RANKED, frozenset({0, 1, 2})
    )
    np.testing.assert_allclose(rules.maximal_lottery(CYCLE), [1 / 3] * 3, atol=1e-9)
    assert rules.borda_scores(CYCLE).tolist() == [3, 3, 3]


def test_borda_passes_over_who_beats_all():
    assert rules.borda_scores(APART).tolist() == [6, 7, 2]
    won = {name: rule(APART) for name, rule in rules.RANKED.items()}
    assert won == dict.fromkeys(rules.RANKED, frozenset({0})) | {"borda": frozenset({1})}
    np.testing.assert_allclose(rules.maximal_lottery(APART), [1, 0, 0], atol=1e-9)


def test_ranked_pairs_drops_the_narrowest_of_a_circle():
    """40 ABC, 35 BCA, 25 CAB: A over B by 30, B over C by 50, C over A by 20, which closes the circle."""
    p = Profile(np.repeat([[0, 1, 2], [1, 2, 0], [2, 0, 1]], [40, 35, 25], 0))
    assert p.margins[0, 1] == 30
    assert p.margins[1, 2] == 50
    assert p.margins[2, 0] == 20
    assert rules.ranked_pairs(p) == {0}
    assert rules.borda(p) == {1}
    assert rules.copeland(p) == {0, 1, 2}
    np.testing.assert_allclose(rules.maximal_lottery(p), [0.5, 0.2, 0.3], atol=1e-9)  # margins of the other two


ROWS = st.integers(2, 4).flatmap(lambda m: st.lists(st.permutations(list(range(m))), min_size=1, max_size=7))


@given(ROWS)
def test_what_rules_promise(rows):
    p = Profile(np.array(rows))
    lottery = rules.maximal_lottery(p)
    assert lottery.sum() == pytest.approx(1)
    assert (lottery @ p.margins >= -1e-7).all()  # no option beats it
    wanted = rules.condorcet(p)
    if wanted is not None:
        assert rules.copeland(p) == rules.ranked_pairs(p) == {wanted}
        assert lottery[wanted] == pytest.approx(1)
    assert (p.margins == -p.margins.T).all()


def test_scores_by_the_long_way():
    rng = np.random.default_rng(1)
    for _ in range(60):
        p = Profile(rng.permuted(np.tile(np.arange(4), (4, 1)), axis=1))
        places = [[row.index(a) for row in p.rankings.tolist()] for a in range(4)]
        duel = [[sum(x < y for x, y in zip(places[a], places[b], strict=True)) - 2 for b in range(4)] for a in range(4)]
        won = [sum(1 if w > 0 else 0.5 if w == 0 else 0 for b, w in enumerate(duel[a]) if b != a) for a in range(4)]
        assert rules.copeland(p) == {a for a in range(4) if won[a] == max(won)}
        middle = [statistics.median_low(some) for some in places]
        assert rules.median(p) == {a for a in range(4) if middle[a] == min(middle)}


def test_rules_agree_with_votelib():
    condorcet = pytest.importorskip("votelib.evaluate.condorcet")
    convert = pytest.importorskip("votelib.convert")
    rng = np.random.default_rng(0)
    for _ in range(40):
        p = Profile(rng.permuted(np.tile(np.arange(4), (9, 1)), axis=1))
        ballots = {}
        for row in map(tuple, p.rankings.tolist()):
            ballots[row] = ballots.get(row, 0) + 1
        pairs = convert.RankedToCondorcetVotes().convert(ballots)
        theirs = {"copeland": condorcet.Copeland(second_order=False), "ranked pairs": condorcet.RankedPairs()}
        for name, evaluator in theirs.items():
            ours = rules.RANKED[name](p)
            if len(ours) == 1:
                assert evaluator.evaluate(pairs, 1) == list(ours)


def test_proportional_approval_by_hand():
    """Three fifths approve of a, b, c and two fifths of d, e: of five seats a majority alone would take its three."""
    approved = np.repeat([[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]], [3, 2], 0)
    assert rules.approval(approved) == {0, 1, 2}
    assert rules.proportional_score(approved, (0, 1, 3)) == pytest.approx(3 * 1.5 + 2)
    assert rules.proportional(approved, 3) == (0, 1, 3)
    assert rules.proportional(approved, 5) == (0, 1, 2, 3, 4)
    wide = np.repeat(approved, 12, 1)
    assert len(rules.proportional(wide, 6)) == 6  # too many committees: step by step
    for seats in (0, 6):
        with pytest.raises(Refusal, match="cannot be filled"):
            rules.proportional(approved, seats)


def test_files_of_rankings(tmp_path):
    p = rules.profile(put(tmp_path / "r.csv", "ranking,count\nA > B>C,2\nC>B>A,1\n"))
    assert p.names == ("A", "B", "C")
    assert p.rankings.tolist() == [[0, 1, 2]] * 2 + [[2, 1, 0]]
    for text, sentence in (
        ("A>B\nA>B>C\n", "has no 'C'"), ("A>B>A\nA>B\n", "names one option twice"), ("A>B,x\n", "a whole number"),
        ("A>B,0\n", "0 voters"),
    ):  # fmt: skip
        head = "ranking,count\n" if "," in text else "ranking\n"
        with pytest.raises(Refusal, match=sentence):
            rules.profile(put(tmp_path / "bad.csv", head + text))
    with pytest.raises(Refusal, match="each of the 3 options"):
        Profile(np.array([[0, 1, 1]]))


# --- axioms -----------------------------------------------------------------------------------------------------------


def dictator(p):
    return frozenset({int(p.rankings[0, 0])})


def imposed(p):
    return frozenset({0})


BROKEN = {  # rule -> axioms of which a violation is found within 150 profiles
    "plurality": (rules.plurality, {"Condorcet", "clones", "losers", "no manipulation"}),
    "borda": (rules.borda, {"Condorcet", "clones", "losers", "no manipulation"}),
    "ranked pairs": (rules.ranked_pairs, {"losers", "no manipulation"}),
    "dictator": (dictator, {"anonymity", "Condorcet"}),
    "imposed": (imposed, {"neutrality", "Pareto", "Condorcet"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_axioms_are_broken_by_those_that_break_them(name):
    rule, broken = BROKEN[name]
    tries = 60 if name == "ranked pairs" else 150
    found = {a for a in axioms.AXIOMS if axioms.search(rule, a, tries, voters=(1, 7), options=3)}
    assert found == broken
    witness = axioms.search(rule, "Condorcet", tries, voters=(1, 7), options=3)
    if witness is not None:
        wanted = rules.condorcet(witness.profile)
        assert witness.said.startswith(f"{wanted} beats all others")
        assert rule(witness.profile) != {wanted}


def test_monotonicity_and_participation_can_be_broken():
    def runoff(p):
        first = np.bincount(p.rankings[:, 0], minlength=p.options)
        two = np.argsort(-first, kind="stable")[:2]
        return frozenset({int(two[0] if p.margins[two[0], two[1 % len(two)]] >= 0 else two[1])})

    assert axioms.search(runoff, "monotonicity", 3000, voters=(9, 17), options=3)
    assert axioms.search(rules.copeland, "participation", 500, voters=(3, 9), options=4)
    assert axioms.better((0, 1, 2), frozenset({0, 1}), frozenset({1}))
    assert not axioms.better((0, 1, 2), frozenset({0, 2}), frozenset({1}))


@pytest.mark.parametrize(
    ("voters", "unanimity", "peaked", "kept"),
    [(2, True, False, (64, 2, 2, 0, 0)), (3, True, False, (262144, 3, 3, 0, 0)), (2, False, False, (4096, 94, 2, 2, 6)),
     (2, True, True, (64, 16, 2, 0, 0))],
)  # fmt: skip
def test_arrow_by_counting(voters, unanimity, peaked, kept):
    found = arrow.survivors(voters, unanimity, peaked)
    assert (found.tried, found.kept, found.dictators, found.inverted, found.constant) == kept


def test_two_voters_by_brute_force():
    """The same count without bits: three functions of whether each of two prefers the first of a pair."""
    ways = [f for f in itertools.product((0, 1), repeat=4) if f[0] == 0 and f[3] == 1]  # at 2 a + b
    kept = 0
    for fs in itertools.product(ways, repeat=3):
        answers_ = []
        for one, two in itertools.product(arrow.ORDERS, repeat=2):
            says = [[int(o.index(a) < o.index(b)) for o in (one, two)] for a, b in arrow.PAIRS]
            answers_.append(tuple(f[2 * s[0] + s[1]] for f, s in zip(fs, says, strict=True)))
        kept += all(len(set(a)) > 1 for a in answers_)
    assert kept == arrow.survivors(2).kept


# --- welfare ----------------------------------------------------------------------------------------------------------


def test_what_each_welfare_function_needs_to_know():
    own, one = ("own zero and unit", "own unit", "own zero, one unit"), ("one zero and unit", "one order")
    keeps = {name: {c for c, same in row.items() if same} for name, row in welfare.table(120).items()}
    assert keeps == {
        "sum": {"own zero, one unit", "one zero and unit"}, "product": {"own unit"}, "worst off": set(one),
        "leximin": set(one), "Borda": {"own order", *own, *one},
    }  # fmt: skip


def test_fair_means_by_hand():
    jury = np.array([[0.9], [0.5], [0.1]])
    found = [float(welfare.fair(jury, a)[0]) for a in (0, 1, 2, np.inf)]
    np.testing.assert_allclose(found, [0.5, 0.35569, 0.22881, 0.1], atol=1e-5)
    assert welfare.leximin(np.array([[1.0, 1, 1], [2, 3, 2]])).tolist() == [1, 0, 1]
    assert welfare.fair(np.array([[0.0], [1.0]]), 2)[0] == 0
    for call in (lambda: welfare.fair(jury, -1), lambda: welfare.nash(-jury), lambda: welfare.fair(-jury, 1)):
        with pytest.raises(Refusal):
            call()


# --- pluralism ----------------------------------------------------------------------------------------------------


def test_distances_by_hand():
    half, one = [0.5, 0.5], [1.0, 0.0]
    assert pluralism.distance(half, one) == pytest.approx(0.55792, abs=1e-5)  # in base e it would be .46450
    p, q = [0.1, 0.2, 0.3, 0.4], [0.25] * 4
    assert pluralism.distance(p, q) ** 2 == pytest.approx(0.040202, abs=1e-6)
    assert pluralism.variation(p, q) == pytest.approx(0.2)
    assert pluralism.steps(p, q) == pytest.approx(0.5)
    assert pluralism.gap(p, q) == pytest.approx(-0.153561, abs=1e-6)
    near, far = [0.0, 1, 0, 0], [0.0, 0, 0, 1]
    first = [1.0, 0, 0, 0]
    assert pluralism.distance(first, near) == pluralism.distance(first, far) == pytest.approx(1)
    assert (pluralism.steps(first, near), pluralism.steps(first, far)) == (1, 3)
    base = [0.4, 0.3, 0.2, 0.1]
    sharp = [pluralism.heated(base, t) for t in (1, 0.5, 0.2)]
    told = [(pluralism.distance(p, base), pluralism.entropy(p)) for p in sharp]
    np.testing.assert_allclose(told, [(0, 1.84644), (0.15594, 1.55591), (0.39935, 0.86297)], atol=1e-5)


@given(arrays.arrays(float, 5, elements=st.floats(0, 1)), arrays.arrays(float, 5, elements=st.floats(0, 1)))
def test_distances_are_distances(a, b):
    a, b = ((x + 1e-3) / (x + 1e-3).sum() for x in (a, b))
    for d in (pluralism.distance, pluralism.variation, pluralism.steps):
        assert 0 <= d(a, a) < 1e-7
        assert not np.isnan(d(a, a * 1.0))
        assert d(a, b) == pytest.approx(d(b, a), abs=1e-9)
    assert pluralism.distance(a, b) <= 1


def test_windows_by_hand():
    w = {"a": 0.5, "b": 0.3, "c": 0.15, "d": 0.05}
    found = pluralism.overton(w, ["a", "b", "x"])
    assert (found.coverage, found.weighted) == (0.5, pytest.approx(0.8))
    assert (found.precision, found.f1) == (pytest.approx(0.66667, abs=1e-5), pytest.approx(0.57143, abs=1e-5))
    assert pluralism.overton(w, []).precision == 0
    with pytest.raises(Refusal, match="window"):
        pluralism.overton([], ["a"])
    s = pluralism.steered(np.array([[0.9, 0.4], [0.2, 0.7]]), np.array([0.6, 0.6]))
    assert (s.mean, s.worst, s.leak, s.gain) == pytest.approx((0.8, 0.7, 0.3, 0.2))


@pytest.mark.parametrize(("given_", "sentence"), [
    ([0.5, 0.6], "1.1"), ([-0.1, 1.1], "at least 0"), ([50, 50], "percentages"), ([np.nan, 1], "list of numbers"),
])  # fmt: skip
def test_what_is_no_distribution(given_, sentence):
    with pytest.raises(Refusal, match=sentence):
        pluralism.shares(given_)


PEOPLE = "question,group,option,share\nq,old,a,.6\nq,old,b,.4\nq,young,b,.5\nq,young,c,.5\n"


def test_plural_from_files(tmp_path, nomoi):
    put(tmp_path / "answers.csv", PEOPLE)
    put(tmp_path / "presented.csv", "question,group,option,share\nq,,a,1\nq,old,a,.6\nq,old,b,.4\nq,young,c,1\n")
    put(tmp_path / "order.csv", "question,option\nq,a\nq,b\nq,c\n")
    status, out, err = nomoi("plural", "answers.csv", "presented.csv", "--order", "order.csv", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["overton"]["q"] == {"coverage": 1 / 3, "weighted": 0.3, "precision": 1.0, "f1": 0.5}
    everybody, old, young = found["distributional"]
    assert everybody["variation"] == pytest.approx(0.7)  # of .3 .45 .25
    assert everybody["steps"] == pytest.approx(0.7 + 0.25)
    assert old["variation"] == pytest.approx(0.4)
    assert young["distance"] == pytest.approx(1)
    assert found["fidelity"]["old"]["old"] == pytest.approx(1)
    assert found["steered"]["worst"] == pytest.approx(1 - pluralism.distance([0, 0.5, 0.5], [0, 0, 1]))
    status, out, _ = nomoi("plural", "answers.csv", "presented.csv")
    assert "Steerable: asked as a group" in out


def test_counts_weigh_groups_and_shares_do_not(tmp_path):
    text = "question,group,option,count\nq,old,a,30\nq,young,b,10\n"
    assert answers.answers(put(tmp_path / "a.csv", text)).everybody("q") == {"a": 0.75, "b": 0.25}
    assert answers.answers(put(tmp_path / "a.csv", PEOPLE)).everybody("q")["a"] == pytest.approx(0.3)


def test_layouts_of_others(tmp_path, nomoi):
    entry = {"question": "q", "options": ["x", "y"], "attribute": "US", "gold_distribution": [0.5, 0.5],
             "pred_distribution": [1.0, 0.0], "id": 1}  # fmt: skip
    put(tmp_path / "m.json", json.dumps([entry]))
    status, out, _ = nomoi("plural", "m.json", "--json")
    assert status == 0
    assert json.loads(out)["fidelity"]["US"]["US"] == pytest.approx(1 - 0.55792, abs=1e-5)
    head = "question,selections,options,source\n"
    said = "\"defaultdict(<class 'list'>, {'A': [0.4, 0.6]})\",\"['yes', 'no']\",x\n"
    found = answers.answers(put(tmp_path / "g.csv", head + "q," + said))
    assert found.table["q"]["A"] == {"yes": 0.4, "no": 0.6}
    for cell in (
        "__import__('os').system('x')",
        "{'A': [open('x')]}",
        "[" * 900,
        "{'A': [0.4]}",
        "{'A': ['.4', '.6']}",
    ):
        put(tmp_path / "bad.csv", f"{head}q,\"{cell}\",\"['yes', 'no']\",x\n")
        with pytest.raises(Refusal, match=r"bad\.csv, line 2"):
            answers.answers(tmp_path / "bad.csv")


@pytest.mark.parametrize(("people", "model", "sentence"), [
    (PEOPLE, "question,option\nr,a\n", "no question that was presented"),
    (PEOPLE, "question,option,share\nq,z,1\n", "no option of people's"),
    (PEOPLE, "question,option,share,group\nq,a,1,odl\n", "did you mean 'old'"),
    (PEOPLE.replace(".4", ".5"), "question,option\nq,a\n", "sums to 1.1"),
    (PEOPLE.replace(".6", "60").replace(".4", "40"), "question,option\nq,a\n", "percentages"),
    (PEOPLE + "q,old,a,.1\n", "question,option\nq,a\n", "before"),
    ("question,option\nq,a\n", "question,option\nq,a\n", "neither a column share nor"),
])  # fmt: skip
def test_bad_answers_are_refused_in_a_sentence(people, model, sentence, tmp_path, nomoi):
    put(tmp_path / "a.csv", people)
    put(tmp_path / "m.csv", model)
    status, _, err = nomoi("plural", "a.csv", "m.csv")
    assert (status, err.count("\n")) == (2, 1)
    assert sentence in err


# --- decisions ----------------------------------------------------------------------------------------------------


def test_the_senate(data):
    found = senate.senate(data("senate"))
    lines = {x.model: x for x in decisions.aggregates(found)}
    assert len(found.decided) == 643
    assert lines["majority"].agreement == 606 / 643
    assert (lines["majority"].contested, lines["majority"].contested_n) == (0.76, 150)
    assert lines["rule read by kind of case"].agreement == 641 / 643
    # what the study says of hindsight
    hits = {t: int(((found.share >= t) == found.decided).sum()) for t in np.unique(found.share)}
    best = max(hits, key=lambda t: hits[t])
    assert (round(best, 2), hits[best]) == (0.51, 608)
    share = [round(lines[f"threshold {t} of the votes"].agreement, 3) for t in ("0.55", "0.6", "0.667")]
    assert share == [0.916, 0.896, 0.843]
    learned = {x.model.removesuffix(", from 386"): x.agreement for x in decisions.learned(found)}
    assert learned["share and kind of case"] > learned["every single vote"] + 0.05
    assert learned["control: share and kinds shuffled"] < learned["majority, on the same test"]


def files(folder, n=40, **more):
    """Votes of five on cases of two kinds: one needs all, the other most; and the decisions."""
    rng = np.random.default_rng(0)
    cast = rng.choice([-1, 1], (n, 5), p=[0.3, 0.7])
    kinds = [("law", "pardon")[k % 2] for k in range(n)]
    decided = [(row.sum() == 5) if kind == "pardon" else row.sum() > 0 for row, kind in zip(cast, kinds, strict=True)]
    put(folder / "votes.csv", "case,voter,vote,group\n" + "".join(
        f"c{i},v{j},{cast[i, j]},{'ab'[j % 2]}\n" for i in range(n) for j in range(5)))  # fmt: skip
    put(folder / "cases.csv", "case,date,kind,decision\n" + "".join(
        f"c{i},{i},{kinds[i]},{int(decided[i])}\n" for i in range(n)))  # fmt: skip
    return cast, np.array(decided)


def test_decisions_of_ones_own(tmp_path, nomoi):
    cast, decided = files(tmp_path)
    status, out, err = nomoi("decisions", "--votes", "votes.csv", "--cases", "cases.csv", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    rows = {r["model"]: r for r in told["all"] + told["learned"]}
    assert rows["majority"]["agreement"] == ((cast.sum(1) > 0) == decided).mean()
    assert rows["share and kind of case, from 24"]["agreement"] > rows["share of yes, from 24"]["agreement"]
    assert any(m.startswith("product over groups") for m in rows)
    status, out, _ = nomoi("decisions", "--votes", "votes.csv", "--cases", "cases.csv")
    assert "kappa" in out


def test_what_is_undecided_is_not_counted(tmp_path):
    files(tmp_path)
    text = (tmp_path / "cases.csv").read_text()
    first = text.splitlines()[1]
    put(tmp_path / "cases.csv", text.replace(first, first[: first.rindex(",") + 1]))
    found = decisions.read(tmp_path / "votes.csv", tmp_path / "cases.csv")
    assert len(found.decided) == 39
    assert "1 cases are undecided" in found.remarks[0]


def test_without_context_only_votes_can_be_compared(tmp_path, nomoi):
    files(tmp_path)
    rows = [",".join(line.split(",")[k] for k in (0, 3)) for line in (tmp_path / "cases.csv").read_text().splitlines()]
    put(tmp_path / "cases.csv", "\n".join(rows))
    status, out, _ = nomoi("decisions", "--votes", "votes.csv", "--cases", "cases.csv")
    assert status == 0
    assert "only rules of the votes alone" in " ".join(out.split())
    assert "kind of case" not in out


@pytest.mark.parametrize(("file", "old", "new", "sentence"), [
    ("cases.csv", "c5,5,", "c5,3,", "is before that of the row above"),
    ("cases.csv", "c5,5,", "c5,May,", "the date is '5' "[:12]),
    ("cases.csv", "c5,5,pardon", "c4,5,pardon", "stands there before"),
    ("cases.csv", ",1\n", ",0\n", "decisions are alike"),
    ("cases.csv", ",1\n", ",perhaps\n", "'perhaps'"),
    ("votes.csv", "c5,v0,", "c99,v0,", "is not in"),
    ("votes.csv", "c5,v1,", "c5,v0,", "votes twice"),
    ("votes.csv", "c5,v0,1,a", "c5,v0,1,b", "is in 'b' here"),
    ("votes.csv", "c5,v0,1", "c5,v0,2", "is no vote"),
    ("votes.csv", "c5,v0,", "c5,,", "the voter is empty"),
    ("cases.csv", "c5,5,", "c5,2024-01-05,", "line 7: the date is"),
])  # fmt: skip
def test_bad_cases_are_refused_in_a_sentence(file, old, new, sentence, tmp_path, nomoi):
    files(tmp_path)
    text = (tmp_path / file).read_text()
    assert old in text
    put(tmp_path / file, text.replace(old, new))
    status, _, err = nomoi("decisions", "--votes", "votes.csv", "--cases", "cases.csv")
    assert (status, err.count("\n")) == (2, 1)
    assert sentence in err


def test_without_the_files_of_the_senate_it_is_said(nomoi, monkeypatch, tmp_path):
    monkeypatch.setenv("NOMOI_DATA", str(tmp_path))
    status, _, err = nomoi("decisions")
    assert (status, err.count("\n")) == (2, 1)
    assert "senate" in err
    assert nomoi("decisions", "--votes", "v.csv")[0] == 2


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ("0.5, 0.5", "1" + "0" * 400 + ", 0", "must be a list of numbers"),
    ("0.5, 0.5", "1" + "0" * 5000 + ", 0", "too many digits"),
    ('"x", "y"', '"x", "x"', "name one twice"),
    ("]", "]", ""),
])  # fmt: skip
def test_lists_of_answers_that_are_none(old, new, sentence, tmp_path):
    entry = {"question": "q", "options": ["x", "y"], "attribute": "US", "gold_distribution": [0.5, 0.5]}
    twice = not sentence
    put(tmp_path / "m.json", json.dumps([entry] * (1 + twice)).replace(old, new))
    with pytest.raises(Refusal, match=sentence or "entry 2: 'US' has the gold_distribution of this question before"):
        answers.modular(tmp_path / "m.json")


@pytest.mark.parametrize(("text", "sentence"), [
    ("question,option,count\nq,a,1e308\nq,b,1e308\n", "more answers than can be counted"),
    ("question,selections,options\n" + "q,\"{'A': [0.4, 0.6]}\",\"['x', 'y']\"\n" * 2, "'A' has answered 'q' before"),
    ("question,selections,options\n" + "q,\"{'A': [1" + "0" * 400 + ", 0]}\",\"['x', 'y']\"\n", "list of numbers"),
])  # fmt: skip
def test_answers_that_are_none(text, sentence, tmp_path):
    with pytest.raises(Refusal, match=sentence):
        answers.answers(put(tmp_path / "a.csv", text))


ROLLS = "question,result,description,yeatotal,naytotal\n" + "".join(
    f"On the Motion,{('Rejected', 'Agreed to')[k % 2]},d,{60 - k},{40 + k}\n" for k in range(20))  # fmt: skip
SENATORS = "name" + ",v" * 20 + "\n" + ("A (R X)" + ",1,6" * 10 + "\n") * 3


@pytest.mark.parametrize(("rolls", "cast", "sentence"), [
    (ROLLS.replace(",60,", ",many,"), SENATORS, "yeatotal is 'many'"),
    (ROLLS.replace(",60,", ",nan,"), SENATORS, "yeatotal is 'nan'"),
    (ROLLS, SENATORS.replace(",1,", ",x,"), "'x' is no vote"),
    (ROLLS, SENATORS.replace(",6\n", "\n"), "a vote on each of 20"),
    (ROLLS, "name,v\n", "a row a senator"),
])  # fmt: skip
def test_roll_calls_that_are_none(rolls, cast, sentence, tmp_path):
    put(tmp_path / "s109_rollcalls.csv", ROLLS)
    put(tmp_path / "s109_votes.csv", SENATORS)
    assert len(senate.senate(tmp_path).decided) == 20
    put(tmp_path / "s109_rollcalls.csv", rolls)
    put(tmp_path / "s109_votes.csv", cast)
    with pytest.raises(Refusal, match=sentence):
        senate.senate(tmp_path)


def test_a_seed_of_the_control_is_no_negative_number(tmp_path, nomoi):
    files(tmp_path)
    status, _, err = nomoi("decisions", "--votes", "votes.csv", "--cases", "cases.csv", "--seed", "-1")
    assert (status, err.count("\n")) == (2, 1)
