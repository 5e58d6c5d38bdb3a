"""Incomplete proxies: closed forms, the checker, remedies, and files of anyone's."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from nomoi.errors import Refusal
from nomoi.proxies import incomplete
from nomoi.proxies.deferred import deferred
from nomoi.proxies.expression import Expression
from nomoi.proxies.incomplete import World, example, flow, mention
from nomoi.proxies.proxy_audit import audit, parse


def closed(b0: float, t: float) -> float:
    """Utility at time t from the edge, where two are asked for at 2 - b each and two pay at b each (by hand)."""
    time = lambda b: 2 * (b0 - b) - 4 * np.log(b0 / b) + 4 * (1 / b - 1 / b0)  # noqa: E731
    b = brentq(lambda b: time(b) - t, 1e-6, b0, xtol=1e-15)
    return 2 * (1 - 1 / (2 - b)) + 2 * (1 - 1 / b)


def test_the_example_is_its_closed_form():
    world = example()
    path = flow(world, mention(world, [0, 1]), [0, 1], 50, 5001)
    when, best = path.peak()
    assert when == pytest.approx(1.02663, abs=1e-5)
    assert best == pytest.approx(0, abs=1e-6)
    for t, u in ((0.5, -0.5295), (2, -0.4521), (4, -1.86), (8, -4.5226), (20, -11.6729), (50, -28.0684)):
        found = float(np.interp(t, path.t, path.utility))
        assert found == pytest.approx(u, abs=1e-3)
        assert found == pytest.approx(closed(1.8, t), abs=1e-5)
    assert np.exp(path.s[-1, 0]) == pytest.approx(1.93556, abs=1e-5)
    assert (np.diff(path.proxy) > -1e-9).all()
    assert np.sum(np.diff(np.sign(np.diff(path.utility))) != 0) == 1  # two phases
    assert (world.cost(path.s.T) < 1e-6).all()


def test_from_within_it_turns_where_resources_are_used_up():
    b = np.exp(-1.5)
    world = example([b] * 4)
    path = flow(world, mention(world, [0, 1]), [0, 1], 8, 801)
    assert path.full == pytest.approx(2 - 2 * b, abs=1e-6)
    assert path.peak() == pytest.approx((2 - 2 * b, -6.08895), abs=1e-4)
    assert path.utility[-1] == pytest.approx(closed(b, 8 - (2 - 2 * b)), abs=1e-5)


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
def test_every_pair_of_attributes_ends_badly(pair):
    known = {
        (0, 1): (-0.0317, 0.57),
        (0, 2): (-0.2634, 0.48),
        (0, 3): (-0.3315, 0.45),
        (1, 2): (-0.7068, 0.19),
        (1, 3): (-0.7373, 0.10),
        (2, 3): (-0.75, 0),
    }
    world = example((0.5, 0.8, 1.2, 1.5))
    path = flow(world, mention(world, pair), pair, 12)
    when, best = path.peak()
    assert (best, when) == pytest.approx(known[pair], abs=0.006)
    assert path.utility[-1] < -7


def test_bounded_and_harmless_worlds():
    logs = World(tuple("abcd"), lambda s: np.log(s).sum(0), lambda s: (s**2).sum(0) - 16, np.ones(4), np.zeros(4))
    path = flow(logs, mention(logs, [0, 1]), [0, 1], 40, 2001)
    assert path.peak() == pytest.approx((3.0, 1.9459), abs=1e-3)
    assert path.proxy[-1] == pytest.approx(np.log(8), abs=1e-4)
    assert all(s.sinks for s in incomplete.slices(logs).values())
    kind = World(tuple("abcd"), lambda s: (1 - np.exp(-s)).sum(0), lambda s: s.sum(0) - 4, np.full(4, 0.5), np.zeros(4))
    found = incomplete.slices(kind)
    assert not any(s.sinks for s in found.values())
    assert [s.best[-1] for s in found.values()] == pytest.approx([3 * (1 - np.exp(-4 / 3))] * 4, abs=1e-4)
    path = flow(kind, mention(kind, [0, 1]), [0, 1], 60)
    np.testing.assert_allclose(path.s[-1], [2, 2, 0, 0], atol=1e-6)


def test_remedies():
    inside, edge = example([np.exp(-1.5)] * 4), example()
    still = lambda w: flow(w, mention(w, [0, 1]), [0, 1], 40, movable=[0, 1]).utility[-1]  # noqa: E731
    assert still(inside) == pytest.approx(-6.08895, abs=1e-5)
    assert still(edge) == pytest.approx(edge.utility(edge.start), abs=1e-9)  # safe, and useless
    means, ends = [], {0.2: -0.00996, 1: -0.22789, 3: -0.66325, 10: -5.79630}  # at a twentieth of the step
    for every in (0.2, 1, 3, 10):
        path = incomplete.updated(edge, 2, every, 20, step=0.1)
        late = np.linspace(10, 20, 2001)
        means.append(np.interp(late, path.t, path.utility).mean())
        assert path.utility[-1] == pytest.approx(ends[every], abs=3e-5)
    assert means == pytest.approx([-0.0033, -0.0788, -0.5174, -2.6898], abs=0.004)
    assert means == sorted(means, reverse=True)
    careful = incomplete.careful(example([0.2, 0.5, 1.2, 2.1]), 4)
    assert careful == pytest.approx([-4.30952, -0.57246, -0.09207, -0.04604, 0], abs=1e-4)
    whole = flow(edge, edge.utility, range(4), 60)
    assert whole.utility[-1] == pytest.approx(0, abs=1e-6)
    assert (np.diff(whole.utility) > -1e-9).all()


@given(st.lists(st.floats(0.1, 1.9), min_size=4, max_size=4), st.sampled_from([[0], [0, 1], [1, 2, 3]]))
@settings(max_examples=5)
def test_no_impact_never_harms(x, mentioned):
    x = np.array(x) * min(1.0, 3.9 / sum(x))
    world = example(x)
    path = flow(world, mention(world, mentioned), mentioned, 5, 51, movable=mentioned)
    assert path.utility[-1] >= path.utility[0] - 1e-9
    np.testing.assert_allclose(np.delete(path.s[-1], mentioned), np.delete(world.start, mentioned))


@given(st.lists(st.floats(0.1, 3), min_size=3, max_size=3))
@settings(max_examples=5)
def test_walked_once_or_every_time_an_expression_is_worth_the_same(x):
    texts = [
        "2 + a - (3 - b) * 2 * c / a / (1 / b)",
        "a ** 2 + 2 ** b - (-2) ** a + (-8) ** 0.5 * c",
        "7 // a + c % 2 + 5 % b",
        "(a if a < b else -b) + (0 < a <= b) + (a == b) + (a != c or not b) + (a > 1 and b >= 1)",
        "min(a, 2, b) + max(0.5, c) + clip(a, 0.2, b) + sign(a - b) + abs(b - c) + k * min(1, 2)",
        "exp(a) - log(b) + sqrt(c) + cos(a) + sin(b) + tanh(c) + sigmoid(a) + exp(1)",
        "4 > 3",
    ]
    rows = np.array([x, x[::-1], [1, 1, 2]]).T
    for text in texts:
        one = Expression(text)
        with np.errstate(all="ignore"):
            known = one({"a": rows[0], "b": rows[1], "c": rows[2], "k": 0.5})
        np.testing.assert_array_equal(deferred(one, ["a", "b", "c"], {"k": 0.5})(rows), known)


BASE = {
    "attributes": ["a", "b", "c", "d"],
    "utility": "4 - exp(-a) - exp(-b) - exp(-c) - exp(-d)",
    "cost": "exp(a) + exp(b) + exp(c) + exp(d) - 4",
    "proxy": ["a", "b"],
    "start": {"a": "log(0.2)", "b": "log(0.2)", "c": "log(1.8)", "d": "log(1.8)"},
    "until": 8,
}


def base(**changes):
    return json.loads(json.dumps(BASE | changes))


def test_a_file_is_audited_as_the_model_says():
    found = audit(parse(base(), "x"))
    assert found.finding("second phase").status == "fail"
    assert found.details["peak"]["t"] == pytest.approx(1.02663, abs=1e-4)
    assert found.details["end"] == pytest.approx(-4.5226, abs=1e-3)
    told = found.details["remedies"] | found.details["peak"]
    assert [told[k] for k in ("both", "stopping early", "utility")] == [0, 0, 0]  # not the dust of a solver
    sinking = found.finding("any incomplete proxy")
    assert (sinking.status, sinking.value) == ("warn", "without a bound in sight")
    whole = audit(parse(base(proxy=["a", "b", "c", "d"]), "x"))
    assert whole.status("incomplete") == "warn"
    assert whole.status("second phase") == "pass"


def test_a_flow_that_has_arrived_rests():
    """What differences leave of slopes that cancel is followed nowhere: it was called too steep."""
    o = parse(base(start=dict.fromkeys("abcd", -1.5)), "x")
    path = flow(o.world, o.proxy, o.mentioned, 8, 5, movable=o.mentioned)
    assert np.exp(path.s[-1]) == pytest.approx([2 - np.exp(-1.5)] * 2 + [np.exp(-1.5)] * 2, abs=1e-6)


def test_what_falls_towards_a_lowest_where_its_logarithm_is_none_is_followed():
    names = {"tests": 1, "arts": 2, "sport": 1, "mood": 2}
    school = parse({"attributes": list(names), "start": names, "lowest": dict.fromkeys(names, 0), "until": 20,
                    "utility": " + ".join(f"log({n})" for n in names), "cost": f"{' + '.join(names)} - 10",
                    "proxy": ["tests", "sport"]}, "x")  # fmt: skip
    path = flow(school.world, school.proxy, school.mentioned, 20)
    assert path.full == pytest.approx(4, abs=1e-6)  # each of two grows as the root of 1 + 2 t, and is 3 then
    assert path.s[-1] == pytest.approx([5, 0, 5, 0], abs=1e-3)  # all of what there is


def test_what_is_not_mentioned_falls_only_once_resources_are_used_up():
    inside = base(start=dict.fromkeys("abcd", -1.5), until=1)
    found = audit(parse(inside, "x")).finding("driven down")  # full from 2 - 2 exp(-1.5) = 1.55 on
    assert (found.status, found.value, found.advice) == ("pass", 0, "")
    assert found.evidence == "nothing that is not mentioned falls"
    found = audit(parse(inside | {"until": 3}, "x")).finding("driven down")
    assert found.status == "warn"
    assert found.value == pytest.approx(0.095, abs=1e-3)
    assert "it can fall without end" in found.evidence
    lowest = parse(base(lowest={"c": -3}), "x").world.lowest
    assert lowest.tolist() == [-np.inf, -np.inf, -3, -np.inf]


@pytest.mark.parametrize(
    ("best", "sinks"),
    [
        ([0, -1, -2, -3], True),
        ([0, -1, -2, -2.5], True),  # half as far as before is still far
        ([0, -1, -2, -2.4], False),  # it comes to rest
        ([0, -1e-3, -3e-3, -9e-3], False),  # next to nothing
        ([0, 0, -0.1, -0.12], False),
    ],
)
def test_what_sinks_is_told_by_its_last_two_falls(best, sinks):
    assert incomplete.Slice(np.arange(4.0), np.array(best)).sinks is sinks


@pytest.mark.slow
def test_renaming_attributes_changes_no_number():
    names = {"a": "Klicks", "b": "x_1", "c": "ruhe", "d": "z"}
    text = json.dumps(base(proxy="2 - exp(-a) - exp(-b)", until=3))
    for old, new in names.items():
        text = text.replace(f"({old})", f"({new})").replace(f"(-{old})", f"(-{new})").replace(f'"{old}"', f'"{new}"')
    one, two = audit(parse(base(proxy="2 - exp(-a) - exp(-b)", until=3), "x")), audit(parse(json.loads(text), "x"))
    assert [f.value for f in one.findings] == [f.value for f in two.findings]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"proxy": ["a", "q"]}, "proxy has 'q'"),
        ({"proxy": []}, "mentions no attribute"),
        ({"proxy": "3"}, "mentions no attribute"),
        ({"proxy": "__import__('os')"}, "is not allowed"),
        ({"utility": "a + q"}, "reads 'q'"),
        ({"utility": "a + b + c - d"}, "d lowers the utility"),
        ({"cost": "exp(a) + exp(b) + exp(c) - exp(d)"}, "costs|d lowers the cost"),
        ({"start": {"a": 3, "b": 0, "c": 0, "d": 0}}, "the start costs"),
        ({"start": {"a": 0}}, "has no 'b'"),
        ({"start": {"a": float("nan"), "b": 0, "c": 0, "d": 0}}, "start: a is nan"),
        ({"lowest": 1}, "below what attributes can be"),
        ({"until": 0}, "until is 0"),
        ({"attributes": ["a"]}, "at least two"),
        ({"attributes": ["a", "b c", "c", "d"]}, "can be no name"),
        ({"prox": 1}, "did you mean 'proxy'"),
        ({"proxy": "log(a - 0.1)"}, "the proxy is not finite at t = 0"),
        ({"constants": {"a": 1}}, "'a', which is an attribute"),
        ({"constants": {"1x": 1}}, "'1x', which can be no name"),
        ({"until": 1e4}, r"until is 10000; a number in \[0.001, 200\]"),
        ({"update_every": 1e-9}, "update_every is 1e-09"),
        ({"utility": "exp(exp(exp(exp(a))))"}, "is too steep"),
        ({"attributes": [f"a{k}" for k in range(31)]}, "at most 30"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(change, said):
    with pytest.raises(Refusal, match=said):
        audit(parse(base(**change), "x"))


def test_the_command(nomoi, tmp_path):
    assert nomoi("new", "proxy")[1] == "proxy.yaml\n"
    status, out, _ = nomoi("audit", "proxy", "proxy.yaml", "--json")
    assert status == 1
    assert json.loads(out)["details"]["peak"]["t"] == pytest.approx(1.0266, abs=1e-3)
    assert (tmp_path / "audit.html").read_text().count("<svg") >= 2
    out = nomoi("audit", "proxy", "proxy.yaml")[1]
    assert "(compared with -)" not in out
    assert "any incomplete proxy without a bound in sight\n" in out
