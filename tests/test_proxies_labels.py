"""The audit of labels: what was published, a slow twin of the swap, and tables of anyone's."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.proxies import label_audit, labels, tables
from nomoi.proxies.label_audit import audit, load
from nomoi.report import audits

PUBLIC = "label_choice/model_lasso_predictors.csv"
NEED, PROXY, SIGN, SWAP = "need given score: {}", "proxy given score: {}", "label choice", "swap: {}"


def slow_swap(score, need, group, chosen, both):
    """As the walk is told, on lists of rows."""
    rows = [k for k in range(len(score)) if group[k] == 0 and chosen[k]]
    line = [k for k in range(len(score)) if group[k] == 1 and not chosen[k]]
    rows.sort(key=lambda k: need[k])
    line.sort(key=lambda k: (-score[k], -need[k]))
    inside, place = sum(1 for k in range(len(score)) if group[k] == 1 and chosen[k]), 0
    left = len(rows)
    while left > 1 and len(line) > 1 and place < len(rows):
        if need[rows[place]] < need[line[0]]:
            inside, left, place = inside + 1, left - 1, place + (1 if both else 2)
        line = line[1:]
    return inside / max(sum(chosen), 1)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(5, 60), st.booleans())
def test_the_swap_is_the_slow_one(seed, n, both):
    rng = np.random.default_rng(seed)
    score, need, group = rng.integers(0, 20, n), rng.integers(0, 5, n), rng.integers(0, 2, n)
    chosen = score >= rng.integers(5, 20)
    found = labels.swap(chosen, score, need, group, both)
    assert found == pytest.approx(slow_swap(score, need, group, chosen, both))


@given(st.integers(0, 10**6), st.integers(1, 12))
@settings(max_examples=20)
def test_percentiles_are_those_of_r(seed, kinds):
    """cut(x, unique(quantile(x, 0:100/100)), include.lowest = TRUE), numbered by the quantile that a bin ends at."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=200) if kinds == 12 else rng.integers(0, kinds + 2, 200).astype(float)
    breaks = np.quantile(x, np.linspace(0, 1, 101))
    found = labels.percentiles(x)
    for value, k in zip(x, found, strict=True):
        assert value <= breaks[k]
        assert (
            value > breaks[k - 1] or k == np.searchsorted(breaks, breaks[0], side="right") or breaks[k - 1] == breaks[0]
        )
    order = np.argsort(x)
    assert (np.diff(found[order]) >= 0).all()


def test_the_public_hold_out_is_as_published(data):
    """Table 2 of the authors' code to five digits, and the swap in both variants."""
    c = tables.columns(data(PUBLIC))
    group, need = c["dem_race_black"].astype(int), c["gagne_sum_t"]
    s = labels.swapped(c["risk_score_t"], need, group, 97, 60)
    assert (s.before, s.published, s.after) == pytest.approx((0.1931464, 0.4485981, 0.5950156), abs=1e-5)
    assert s.null == pytest.approx(0.4474, abs=0.006)
    assert s.excess == pytest.approx(0.148, abs=0.006)
    assert s.reversed[1] > s.reversed[0]
    scores = {"cost": c["log_cost_t_hat"], "avoidable": c["log_cost_avoidable_t_hat"], "need": c["gagne_sum_t_hat"]}
    outcomes = {"cost": c["cost_t"], "avoidable": c["cost_avoidable_t"], "need": need}
    table = labels.compared(scores, outcomes, group, np.ones(len(need)))
    with data("label_choice/table2_concentration_metric.csv").open() as file:
        published = list(csv.reader(file))[1:4]
    for row, (name, *cells) in zip(table.values(), published, strict=True):
        found = [v for pair in row.values() for v in pair]
        np.testing.assert_allclose(found, [float(v) for v in cells], atol=5e-5, err_msg=name)
    gap = labels.calibration(c["risk_score_t"], need, group, ("white", "black"))
    assert gap.deciles["white"][[0, -1]] == pytest.approx((0.14375, 3.85155), abs=1e-5)
    assert gap.deciles["black"][[0, -1]] == pytest.approx((0.28718, 5.37109), abs=1e-5)


def test_the_public_data_show_label_choice(data):
    people = load(data(PUBLIC), "risk_score_t", ["gagne_sum_t"], "dem_race_black", ["cost_t"])
    found = audit(people, "0,1", permutations=20)
    assert found.status(SIGN) == "fail"
    assert found.status(NEED.format("gagne_sum_t")) == "fail"
    assert found.status(PROXY.format("cost_t")) == "pass"


def test_a_world_with_a_wrong_label_and_one_without():
    bad, fair = labels.draw(20_000, seed=1), labels.draw(20_000, alike=True, seed=1)
    for world, off in ((bad, True), (fair, False)):
        need = labels.calibration(world.score, world.need, world.group, ("a", "b"))
        cost = labels.calibration(world.score, world.proxy, world.group, ("a", "b"))
        assert (need.z > 3) == off
        assert abs(cost.z) < 3
        s = labels.swapped(world.score, world.need, world.group, 97, 60)
        assert (s.after > s.high) == off
        assert s.before < s.published <= s.after  # the walk lifts the share, whether there is a bias or not
    after = [
        labels.swapped(w.score, w.need, w.group, 97, 0) for d in (0, 0.1, 0.2) for w in [labels.draw(20_000, d, seed=1)]
    ]
    assert [s.before for s in after] == sorted((s.before for s in after), reverse=True)


def test_the_interval_of_a_gap_covers():
    """Where there is no gap, it is beyond 1.96 errors in one of twenty."""
    rng = np.random.default_rng(0)
    z = []
    for _ in range(300):
        score, group = rng.normal(size=600), (rng.random(600) < 0.3).astype(int)
        z.append(labels.calibration(score, score + rng.normal(size=600), group, ("a", "b")).z)
    assert 0.02 < np.mean(np.abs(z) > 1.96) < 0.09
    shifted = labels.calibration(score, score + 2 * group, group, ("a", "b"))
    assert shifted.mean == pytest.approx(2, abs=0.2)


def test_the_error_of_a_gap_by_hand():
    """Three of each group in each decile, so that n / (n - 1) tells: the root of the sum of their variances."""
    rng = np.random.default_rng(5)
    score, group, need = np.repeat(np.arange(10.0), 6), np.tile([0, 1], 30), rng.normal(size=60)
    found = labels.calibration(score, need, group, ("a", "b"))
    cells = [need[(score == d) & (group == g)] for d in range(10) for g in (0, 1)]
    assert found.error == pytest.approx(np.sqrt(sum(c.var(ddof=1) / 3 for c in cells)) / 10)
    assert found.high["b"][0] - found.deciles["b"][0] == pytest.approx(1.96 * np.sqrt(cells[1].var(ddof=1) / 3))


def test_weights_are_as_copies():
    rng = np.random.default_rng(2)
    n = 400
    score, need, group = rng.normal(size=n), rng.normal(size=n), rng.integers(0, 2, n)
    double = np.where(np.arange(n) % 2, 2.0, 1.0)
    one = labels.calibration(score, need, group, ("a", "b"), double)
    copies = np.repeat(np.arange(n), double.astype(int))
    decile = (labels.percentiles(score) - 1) // 10
    for k, name in enumerate(("a", "b")):
        mine = copies[(group[copies] == k) & (decile[copies] == 4)]
        assert one.deciles[name][4] == pytest.approx(need[mine].mean())


def write(path, rows, separator=",", comma=False, bom=False):
    lines = [separator.join(map(str, row)) for row in rows]
    if comma:
        lines = [lines[0], *(line.replace(".", ",") for line in lines[1:])]
    path.write_text(("\ufeff" if bom else "") + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def people(n=900, seed=0):
    w = labels.draw(n, 0.1, seed=seed)
    group = np.random.default_rng(seed).permutation(np.arange(n) % 3)
    return (
        [f"{s:.6g}" for s in w.score],
        w.need.astype(int),
        [f"{c:.1f}" for c in w.proxy],
        [("x", "y", "z")[g] for g in group],
    )


def test_names_separators_and_decimals_of_others_change_no_verdict(tmp_path):
    score, need, cost, group = people()
    base = write(tmp_path / "a.csv", [("s", "n", "c", "g"), *zip(score, need, cost, group, strict=True)])
    known = audit(load(base, "s", ["n"], "g", ["c"]), "x,y", top=80, permutations=10)
    for k, (separator, comma, bom) in enumerate(((";", True, False), ("\t", False, True), ("|", False, False))):
        head = ("Punktzahl (%)", "Krankheiten", "Kosten €", "Gruppe")
        other = write(tmp_path / f"{k}.csv", [head, *zip(score, need, cost, group, strict=True)], separator, comma, bom)
        found = audit(load(other, head[0], [head[1]], head[3], [head[2]]), "x,y", top=80, permutations=10)
        assert [f.status for f in found.findings] == [f.status for f in known.findings]
        assert [f.value for f in found.findings] == [f.value for f in known.findings]


def test_several_groups_and_a_page(tmp_path):
    score, need, cost, group = people(2400)
    path = write(tmp_path / "a.csv", [("s", "n", "c", "g"), *zip(score, need, cost, group, strict=True)])
    found = audit(load(path, "s", ["n"], "g", ["c"], other=["c"]), top=80, permutations=5)
    assert sum(f.check.startswith("swap") for f in found.findings) == 2
    page = audits.write_page(found, tmp_path / "page.html").read_text()
    assert page.count("<svg") >= 4
    assert found.finding("best score for c").value == pytest.approx(
        found.details["concentration"]["the score"]["c"]["share"]
    )


ROWS = [(k % 17, k % 5, k, "ab"[k % 2]) for k in range(200)]


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (ROWS, {"score": "t"}, "no column 't'"),
        (ROWS, {"need": ["nn"]}, "did you mean 'n'|the columns are"),
        (ROWS, {"group": ""}, "--group is not given; name its column, one of s, n, c, g"),
        ([(*r[:3], "a") for r in ROWS], {}, "g has one level, 'a'"),
        ([(*r[:3], "") for r in ROWS], {}, "g is empty in 200 of 200 rows"),
        ([(1, *r[1:]) for r in ROWS], {}, "s is 1 for all"),
        ([("", *ROWS[0][1:]), *ROWS], {}, "s is empty in 1 of 201 rows; fill them, or leave.*--drop"),
        ([("high", *ROWS[0][1:]), *ROWS], {}, "s is 'high' in row 2; numbers would be right"),
        ([("inf", *ROWS[0][1:]), *ROWS], {}, "s is infinite in row 2"),
        ([(*ROWS[0][:2], -3, "a"), *ROWS], {"weight": "c"}, "c has a value below 0"),
        ([(*r[:3], f"g{k}") for k, r in enumerate(ROWS)], {}, "g has 200 levels"),
        ([], {}, "names of columns and no row"),
        ([ROWS[0], (1, 2)], {}, "cannot be read as a table.*row|columns"),
        ([(1e308, *ROWS[0][1:]), *ROWS], {}, "s is 1e\\+308 in row 2"),
    ],
)
def test_tables_that_cannot_be_audited(tmp_path, rows, options, said):
    path = write(tmp_path / "a.csv", [("s", "n", "c", "g"), *rows])
    asked = {"score": "s", "need": ["n"], "group": "g"} | options
    with pytest.raises(Refusal, match=said):
        audit(load(path, **asked))


def test_other_refusals_and_what_is_said_of_them(tmp_path):
    path = write(tmp_path / "a.csv", [("s", "n", "c", "g"), *ROWS])
    table = load(path, "s", ["n"], "g")
    for options, said in (
        ({"top": 100}, "--top is 100"),
        ({"compare": "a,q"}, "--compare is 'a,q'"),
        ({"permutations": -1}, "--permutations is -1"),
    ):
        with pytest.raises(Refusal, match=said):
            audit(table, **options)
    few = audit(table, permutations=5)
    assert few.status(SWAP.format("n")) == "not enough given"
    assert few.status(SIGN) == "not applicable"
    for text, said in (
        ("", "is empty"),
        ("s,s,g\n1,2,a\n", "two columns named 's'"),
        ("s:n:g\n1:2:a\n", "is its separator"),
        ('s,n,g\n1,2,a\n3,4,"b\n', "line 3 has a quote that is not closed"),
        ('s;n;g\n1;2;"a\n3;4;b\n', "line 2 has a quote"),
        ('s,n,g\r1,"2,a\r3,4,b', "line 2 has a quote"),
        ('s,n,g\n1,2,"a\n3,4,b\n5,6,"a"\n', "line 2 has a quote"),  # which the next one closes, rows later
        ('s,n,g\n1,2,"a\n3,4,b\n5,6,b"\n7,8,c\n', "g is .* goes on over 3 lines"),  # which a second one closes
        ('s,n,g\n1,2,"a\n' + "3,4,b\n" * 30_000, "line 2 has a quote"),  # more than a cell can be
    ):
        path.write_text(text)
        with pytest.raises(Refusal, match=said):
            load(path, "n", ["s"], "g")
    path.write_bytes("s,n,g\n1,2,a\n".encode("utf-16"))
    with pytest.raises(Refusal, match="UTF-8"):
        load(path, "s", ["n"], "g")
    for cell in ('"a"', '"""a"', 'a"', '"a\nb"', '"a"b', '"a" '):
        path.write_text(f'"s",n,g\n1,2,{cell}\n3,4,c\n')
        assert load(path, "s", ["n"], "g").score.tolist() == [1, 3]
    hole = load(write(path, [("s", "n", "c", "g"), ("", 1, 1, "a"), *ROWS]), "s", ["n"], "g", drop=True)
    assert len(hole.score) == 200
    assert "s 1" in audit(hole, permutations=0).notes[1]


def test_letters_ends_of_lines_and_commas_that_are_not_what_they_seem(tmp_path):
    rows = ["s,n,g", *(",".join(map(str, (r[0], r[1], r[3]))) for r in ROWS)]
    old = tmp_path / "old.csv"
    old.write_bytes("\r".join(rows).encode())  # as old spreadsheets end a line
    assert len(load(old, "s", ["n"], "g").score) == 200
    old.write_bytes("\n".join([*rows, "1,2,\xe9"]).encode("latin-1"))
    with pytest.raises(Refusal, match="letters of g are not those of UTF-8"):
        load(old, "s", ["n"], "g")
    old.write_text("s\tn\tg\n950\t1\ta\n18,022\t2\tb\n")
    with pytest.raises(Refusal, match="'18,022', whose comma may set thousands apart"):
        load(old, "s", ["n"], "g")
    old.write_text("s\tn\tg\n950\t1\ta\n1,5\t2\tb\n")
    assert load(old, "s", ["n"], "g").score.tolist() == [950, 1.5]


def test_nobody_on_top_is_not_enough(tmp_path):
    few = [(k // 9, k % 3, k, "ab"[k % 2]) for k in range(33)]
    table = load(write(tmp_path / "a.csv", [("s", "n", "c", "g"), *few]), "s", ["n"], "g")
    assert audit(table, permutations=0).status("capture: n") == "not enough given"


def test_a_need_is_yes_or_no_where_all_of_it_is(tmp_path):
    rows = [(k % 17, float(k > 10_100) * 3, k, "ab"[k % 2]) for k in range(10_200)]
    table = load(write(tmp_path / "a.csv", [("s", "n", "c", "g"), *rows]), "s", ["n"], "g")
    assert not any("yes or no" in note for note in audit(table, permutations=0).notes)


def test_other_scores_find_more_or_less_and_many_rows_are_shuffled_less(monkeypatch):
    world = labels.draw(4000)
    random = np.random.default_rng(0).normal(size=4000)
    monkeypatch.setattr(label_audit, "LARGE", 4000)
    for mine, other, status in ((world.score, random, "pass"), (random, world.score, "warn")):
        people = label_audit.People("p", mine, {"n": world.need}, {}, {"o": other}, world.group, ("a", "b"))
        found = audit(people, top=80)
        assert found.status("capture: n") == status
        assert found.status("best score for n") == status
    assert found.details["b against a"]["swap"]["n"]["permutations"] == 20
    assert any("20 times rather than 200" in note for note in found.notes)


def test_the_command(nomoi):
    assert nomoi("new", "label")[1] == "patients.csv\n"
    words = (
        "audit",
        "label",
        "patients.csv",
        "--score",
        "risk",
        "--need",
        "conditions",
        "--proxy",
        "cost",
        "--group",
        "race",
    )
    status, out, _ = nomoi(*words, "--permutations", "20")
    assert status == 1
    assert "the label is the fault: cost stands in for conditions" in " ".join(out.split())
    status, _, complaint = nomoi(*words[:-1], "rase")
    assert status == 2
    assert "did you mean 'race'?" in complaint
