"""The audit of rewards: returns by hand, files of anyone's, and refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.proxies import drives, indifference, reward_checks, reward_form
from nomoi.proxies.expression import CALLS, Expression
from nomoi.proxies.fields import FIELDS, UNITS
from nomoi.proxies.reading import read
from nomoi.proxies.reward import find, parse
from nomoi.proxies.reward_audit import audit, papers

ORDER, RISK, LOOP = "2 preference order", "3 risk tolerance", "4 learnable loophole"
BASE = {
    "name": "base",
    "gamma": 0.99,
    "dt_s": 0.1,
    "time_limit_s": 60,
    "ends": ["collision"],
    "chosen_by": "us",
    "attributes": [
        {"name": "speed", "kind": "outcome", "unit": "m/s", "expr": "min(speed_mps, 20 - speed_mps)", "weight": 0.02},
        {"name": "crash", "kind": "outcome", "unit": "1", "expr": "collision", "weight": -60},
        {"name": "there", "kind": "outcome", "unit": "1", "expr": "at_goal", "weight": 50},
        {"name": "time", "kind": "outcome", "unit": "1", "expr": "1", "weight": -0.01},
    ],
}


def base(**changes):
    return json.loads(json.dumps(BASE | changes))


def returns(key, gamma=1.0, **scenario):
    cases = find(papers()[key]).cases()
    return {words: drives.returns(r.settled(scenario) if scenario else r, gamma) for words, r in cases}


# worked by hand from the formulas: steps times what a step pays, and what the last one adds
@pytest.mark.parametrize(
    ("key", "case", "gamma", "crash", "idle", "destination", "scenario"),
    [
        ("cai19", "", 1, -29.9 - 25500, -119.9, -59.9, {}),
        ("cai19", "", 1, -14.9 - 100500, -119.9, -29.9, {"speed_mps": 10.0}),
        ("che19", "", 1, 725, -50, 1470, {}),
        ("che19", "", 0.99, 379.25, -9.93, 465.97, {}),
        ("ise18", "time_limit_s 20", 1, -10.2, -1, 0.6, {}),
        ("ise18", "time_limit_s 60", 1, -10.2, -3, 0.6, {}),
        ("jar18", "", 1, 4500, 0, 9000, {}),
        ("lia18", "", 1, 5300, 0, 10800, {}),
        ("lia18", "", 0.9, 250, 0, 250, {}),
        ("min19", "dt_s 1, outside extrapolate", 1, -5.5, -60, 9, {}),
        ("min19", "dt_s 1, outside clip", 1, -5.5, 0, 9, {}),
        ("tor20", "", 1, 149, 0, 300, {}),
        ("wan20", "cost 0", 1, -50, -50, 100, {}),
        ("wan20", "cost 0.1", 1, -50, -56, 100, {}),
        ("wan20", "cost 0", 0.99, -43.44, -27.63, 74.72, {}),
    ],
)
def test_returns_of_the_papers_are_what_their_formulas_say(key, case, gamma, crash, idle, destination, scenario):
    found = returns(key, gamma, **scenario)[case]
    np.testing.assert_allclose(list(found.values()), [crash, idle, destination], atol=0.01)


def test_seven_of_nine_are_in_the_wrong_order_and_none_asks_for_as_much_as_drunk_teenagers():
    found = {key: audit(path, gamma=1.0, outside="extrapolate") for key, path in papers().items()}
    failing = {key for key, a in found.items() if a.status(ORDER) == "fail"}
    assert failing == {"wan20", "che19", "dos17", "min19", "lia18", "jar18", "tor20"}
    assert {key for key, a in found.items() if a.status(ORDER) == "pass"} == {"cai19", "ise18"}
    assert found["hue19"].status(ORDER) == found["hue19"].status(RISK) == "not applicable"
    assert all(a.status(RISK) == "fail" for key, a in found.items() if key != "hue19")


def test_what_a_description_leaves_open_is_not_decided():
    assert audit(papers()["min19"]).status(ORDER) == "not enough given"
    wan = audit(papers()["wan20"])
    assert wan.status(ORDER) == "not enough given"
    assert wan.details["cases"]["cost 0"]["own gamma"]["p"] == pytest.approx(0.866, abs=1e-3)
    assert wan.details["cases"]["cost 0.3"]["own gamma"]["p"] == pytest.approx(0.981, abs=1e-3)
    assert wan.details["cases"]["cost 0.5"]["own gamma"]["p"] == pytest.approx(1.058, abs=1e-3)


def test_kilometres_by_hand():
    assert indifference.kilometres(0.5, 1.0, 0.5) == 1.5
    assert indifference.kilometres(0.01, 0.3, 0.5) == pytest.approx(29.85)
    km = lambda key, **s: [  # noqa: E731
        reward_checks.point(r.settled(s) if s else r, 1.0).km for _, r in find(papers()[key]).cases()
    ]
    assert km("cai19") == pytest.approx([127.2], abs=0.05)
    assert km("cai19", speed_mps=10.0) == pytest.approx([334.8], abs=0.05)
    assert km("ise18") == pytest.approx([0.25, 0.10], abs=1e-9)
    assert indifference.indifference(1, 0, 0.5, 1, 0.5).kind == "prefers crashing"
    assert indifference.indifference(-1, 2, 0.5, 1, 0.5).kind == "never drives"
    assert indifference.indifference(1, 0, 1, 1, 0.5).kind == "undefined"
    assert indifference.chance(indifference.kilometres(0.2, 0.3, 0.7), 0.3, 0.7) == pytest.approx(0.2)


@given(factor=st.floats(0.01, 100), gamma=st.floats(0.9, 1.0))
def test_a_reward_times_a_number_is_indifferent_at_the_same_point(factor, gamma):
    reward = parse(base(), "base")
    one, two = (reward_checks.point(r, gamma) for r in (reward, reward.scaled(factor)))
    assert one.kind == two.kind
    rest = one.kind != "always drives"  # where p is a quotient of a small difference, dust is enlarged
    assert two.p == pytest.approx(one.p, rel=1e-11 if rest else 1e-6, nan_ok=True)


def verdicts(data, folder=None):
    return [f.status for f in audit(parse(data, "x", folder) if folder else parse(data, "x")).findings]


@settings(max_examples=4)
@given(data=st.data())
def test_other_names_and_units_change_no_verdict(data):
    """Whatever the file calls its fields, in whatever unit it declares."""
    names = {
        f: data.draw(st.text("abcxyz", min_size=1, max_size=4).map(lambda s, f=f: f"{s}_{f[:3]}"))
        for f in ("speed_mps", "collision", "at_goal")
    }
    unit = data.draw(st.sampled_from(sorted(UNITS["speed"])))
    k = UNITS["speed"][unit]
    v, c, g = names.values()
    declared = {v: {"means": "speed_mps", "unit": unit}, c: "collision", g: {"means": "at_goal"}}
    renamed = base(fields=declared)
    for row, text in zip(renamed["attributes"], (f"min({v} / {k!r}, 20 - {v} / {k!r})", c, g, "1"), strict=True):
        row["expr"] = text
    assert verdicts(renamed) == verdicts(base())
    one, two = (reward_checks.point(parse(d, "x")) for d in (base(), renamed))
    assert two.km == pytest.approx(one.km, rel=1e-9)


def test_a_potential_moves_no_indifference_and_a_bonus_for_moving_is_flagged():
    shaped, bonus = base(), base()
    shaped["attributes"].append({"name": "near", "potential": "position_m / 300 + 3", "weight": 7, "unit": "1"})
    bonus["attributes"].append({"name": "moving", "kind": "shaping", "expr": "speed_mps > 0", "weight": 0.1})
    plain = drives.returns(parse(base(), "x"), 0.99)
    found = drives.returns(parse(shaped, "x"), 0.99)
    gaps = [found[k] - plain[k] for k in plain]
    assert gaps == pytest.approx([-21] * 3, abs=1e-9)  # minus the potential of the start
    assert verdicts(shaped)[0] == "pass"
    assert verdicts(bonus)[0] == "fail"
    spelt = base()  # the same potential written out as an expression
    spelt["attributes"].append(
        {"name": "near", "kind": "shaping", "expr": "0.99 * position_m - (position_m - progress_m)"}
    )
    assert verdicts(spelt)[0] == "pass"


def test_one_thing_counted_twice_is_flagged():
    twice = base()
    twice["attributes"].append({"name": "fast", "kind": "outcome", "expr": "3.6 * speed_mps", "unit": "km/h"})
    twice["attributes"][0]["expr"] = "speed_mps"
    assert verdicts(twice)[5] == "warn"
    assert verdicts(twice | {"strict": True})[5] == "fail"
    apart = base()
    apart["attributes"][0]["expr"] = "speed_mps"
    apart["attributes"].append({"name": "steer", "kind": "constraint", "expr": "steer", "unit": "1"})
    assert verdicts(apart)[5] == "pass"
    total = base()
    total["attributes"] += [
        {"name": "a", "expr": "steer"},
        {"name": "b", "expr": "jerk"},
        {"name": "c", "expr": "steer + jerk"},
    ]
    assert verdicts(total)[5] == "warn"


def test_between_two_kinds_of_drivers_it_warns():
    data = base()
    data["attributes"][1]["weight"] = -5000
    km = reward_checks.point(parse(data, "x")).km
    risk = lambda drunk, sober: verdicts(data | {"humans": {"drunk_16_17": drunk * km, "average": sober * km}})[2]  # noqa: E731
    assert [risk(0.5, 0.9), risk(0.5, 1.1), risk(1.1, 2)] == ["pass", "warn", "fail"]


def test_what_takes_back_what_another_gives_is_no_second_count():
    """One that always falls when the other rises warns, and is not counted twice: strict or not."""
    against = base()
    against["attributes"][0]["expr"] = "speed_mps"
    against["attributes"].append({"name": "slow", "kind": "outcome", "expr": "20 - speed_mps", "unit": "m/s"})
    for strict in (False, True):
        found = audit(parse(against | {"strict": strict}, "x")).finding("6 redundant attribute")
        assert (found.status, found.value) == ("warn", pytest.approx(1))
        assert "vary together (r = -1)" in found.evidence


def test_variance_inflation_by_hand():
    """Of z = x + y + k e, all orthogonal and of one spread, (2 + k^2) / k^2 for z and (1 + k^2) / k^2 for x and y."""
    x, y, e = (np.tile(v, 4) for v in ([1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]))
    found = lambda square: reward_form._inflated({"x": x, "y": y, "z": x + y + np.sqrt(square) * e})  # noqa: E731
    assert found(0.2) == {"z": pytest.approx(11)}
    assert found(0.25) == {}  # 9
    assert found(0.1) == pytest.approx({"x": 11, "y": 11, "z": 21})


@pytest.mark.parametrize(("marked", "status"), [(1, "pass"), (2, "warn")])
def test_what_was_earned_in_flagged_steps_is_a_share(tmp_path, marked, status):
    """Of ten steps that earn one each; a loss in a flagged step is nothing that was earned."""
    rows = [f"{k < 10:d},{k < marked or k == 10:d},{-(k == 10):d}" for k in range(11)]
    (tmp_path / "learned.csv").write_text("\n".join(["gain,bad,loss", *rows]) + "\n")
    data = base(trajectories={"a": "learned.csv"}, rollouts={"file": "learned.csv", "undesired": "bad"},
                attributes=[{"name": "gain", "expr": "gain"}, {"name": "loss", "expr": "5 * loss"}])  # fmt: skip
    found = audit(parse(data, "x", tmp_path)).finding(LOOP)
    assert (found.status, found.value) == (status, pytest.approx(marked / 10))  # from a tenth on it would be too many
    assert ("gain pays most for them" in found.evidence) is (status == "warn")


def test_steps_of_what_is_no_driving_may_be_long(tmp_path):
    """A roster of eight hours a step, by its own trajectories."""
    data = {"dt_s": 28_800, "gamma": 1, "episodic": False, "prefer": ["worn", "rested"],
            "attributes": [{"name": "seen", "expr": "seen"}, {"name": "over", "expr": "hours", "weight": -2}],
            "trajectories": {"worn": {"seen": [9, 9], "hours": [6, 6]}, "rested": {"seen": [6, 6], "hours": [0, 1]}},
            }  # fmt: skip
    assert audit(parse(data, "x", tmp_path)).status(ORDER) == "pass"
    with pytest.raises(Refusal, match="dt_s is 28800"):
        parse(base(dt_s=28_800), "x")


def test_without_a_discount_it_is_said_and_returns_are_sums():
    data = base()
    del data["gamma"]
    found = audit(parse(data, "x"))
    assert found.status("8 incomplete description") == "fail"
    assert "gamma = 1" in found.notes[0]
    assert found.details["cases"]["as given"]["own gamma"]["gamma"] == 1


def test_a_boat_that_circles_for_prizes():
    """A loop of 10 steps that pays 20, against 100 at the end of 61."""
    ring = [{"from": f"r{k}", "to": f"r{(k + 1) % 10}", "reward": 20 * (k == 9)} for k in range(10)]
    way = [
        {"from": f"w{k}" if k else "r0", "to": f"w{k + 1}" if k < 60 else "goal", "reward": 100 * (k == 60)}
        for k in range(61)
    ]
    graph = {"start": "r0", "goals": ["goal"], "moves": ring + way}
    finding = audit(parse(base(graph=graph), "x")).finding(LOOP)
    assert finding.status == "fail"
    assert (finding.value, finding.threshold) == pytest.approx((191.08, 54.72), abs=0.01)
    for row in way:
        row["reward"] *= 4
    assert audit(parse(base(graph=graph), "x")).status(LOOP) == "pass"


def test_it_is_seen_that_driving_in_circles_pays():
    data = base()
    data["attributes"] = [{"name": "v", "expr": "speed_mps"}, {"name": "there", "expr": "at_goal"}]
    assert audit(parse(data, "x")).status(LOOP) == "fail"


def test_versions_ranked_otherwise_by_another_learner():
    versions = [{"true": {"ppo": k, "dqn": v}} for k, v in enumerate((3, 2, 1))]
    assert verdicts(base(design={"versions": versions}))[6] == "fail"
    assert verdicts(base(design={"edits_after_watching": 2}))[6] == "warn"
    assert verdicts(base(design={"edits_after_watching": 2, "separate_true_reward": True}))[6] == "pass"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_trajectories_of_ones_own(tmp_path, separator):
    """Columns of other names, in other units, with other separators; the same reward, so the same point."""
    reward = parse(base(), "x")
    for name, drive in drives.standard(reward).items():
        rows = zip(3.6 * drive.columns["speed_mps"], drive.columns["collision"], drive.columns["at_goal"], strict=True)
        lines = [
            separator.join(("Speed (km/h)", "hit", "arrived")),
            *(separator.join(f"{v:.17g}" for v in r) for r in rows),
        ]
        (tmp_path / f"{name}.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    data = base(
        fields={
            "v": {"means": "speed_mps", "unit": "km/h", "column": "Speed (km/h)"},
            "hit": "collision",
            "arrived": "at_goal",
        },
        trajectories={n: f"{n}.csv" for n in drives.ORDER},
    )
    data["attributes"][0]["expr"] = "min(v / 3.6, 20 - speed_mps)"
    data["attributes"][1]["expr"], data["attributes"][2]["expr"] = "hit", "arrived"
    own = parse(data, "x", tmp_path)
    one, two = reward_checks.point(reward), reward_checks.point(own)
    assert (two.p, two.km) == pytest.approx((one.p, one.km), rel=1e-9)
    assert [f.status for f in audit(own).findings][1:3] == verdicts(base())[1:3]
    data["attributes"][1]["expr"] = "hits"
    with pytest.raises(Refusal, match=r"'hits', which the attribute 'crash' reads.*did you mean 'hit'"):
        audit(parse(data, "x", tmp_path))


def test_a_function_of_ones_own(tmp_path):
    text = """
AUDIT = {"gamma": 0.99, "dt_s": 0.1, "time_limit_s": 60, "ends": ["collision"], "chosen_by": "us"}
def reward(step):
    v = step["speed_mps"]
    return 0.02 * min(v, 20 - v) - 60 * step["collision"] + 50 * step["at_goal"] - 0.01
"""
    path = tmp_path / "mine.py"
    path.write_text(text)
    one, two = reward_checks.point(parse(base(), "x")), reward_checks.point(find(path))
    assert two.p == pytest.approx(one.p, rel=1e-12)
    assert [f.status for f in audit(path).findings][1:4] == verdicts(base())[1:4]
    four = tmp_path / "four.py"
    four.write_text(text.replace("def reward(step):", "def reward(s, a, step, info):"))
    assert reward_checks.point(find(four)).p == two.p
    for change, said in (
        ('step["collision"]', "the field 'colision'; did you mean 'collision'"),
        ("0.01", "reward gave None"),
        ("0.01", "gave nan"),
        ("0.01", "ndarray"),
        ("0.01", "then"),
        ("0.01", "ZeroDivisionError"),
    ):
        new = {
            "None": "return None",
            "nan": "return float('nan')",
            "ndarray": "import numpy; return numpy.ones(2)",
            "then": "import random; return random.random()",
            "ZeroDivisionError": "return 1 / 0",
        }
        line = next((v for k, v in new.items() if k in said), "")
        bad = tmp_path / "bad.py"
        bad.write_text(
            text.replace(change, 'step["colision"]') if not line else text.split("    v =")[0] + f"    {line}\n"
        )
        with pytest.raises(Refusal, match=said):
            audit(bad)


ATTEMPTS = """
__import__('os').system('true')
().__class__.__bases__
speed_mps.__class__
speed_mps.real
open('/etc/passwd')
exec('1')
eval('1')
compile('1', '', 'eval')
(lambda: 1)()
lambda x: x
[x for x in (1, 2)]
{x for x in (1,)}
{1: 2}
{1, 2}
[1, 2]
(1, 2)
speed_mps[0]
'a'
b'a'
f'{speed_mps}'
"a" * 10
1j
...
None
speed_mps if True else print
print(1)
getattr(speed_mps, 'x')
globals()
max.__self__
min(*[1, 2])
min(1, 2, key=abs)
abs
(x := 1)
yield 1
await speed_mps
not_a_field
_private
__builtins__
1 if
speed_mps; 1
speed_mps = 1
import os
speed_mps @ 1
speed_mps << 2
speed_mps & 1
~1
speed_mps is 1
speed_mps in (1, 2)
exp()
exp(1, 2)
clip(1)
9**9**9**9**9
1/0
1e999
((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((
""".strip("\n").split("\n")


@pytest.mark.parametrize("text", ["a**1e9", "a**-101", "2**(10**3)", "a**(0/0)", f"a**{10**400}", "a**exp(9)"])
def test_an_exponent_beyond_a_hundred_is_refused(text):
    with pytest.raises(Refusal, match=r"has the exponent .*; one of at most 100 would be right"):
        Expression(text)
    assert Expression("a**100 + a**-2 + a**(a * 1e9) + a**min(3, 2)")({"a": 1.0}) == 4


def test_there_are_fifty_attempts():
    assert len(ATTEMPTS) >= 50


@pytest.mark.parametrize("text", [*ATTEMPTS, "1" * 5000, "-" * 300 + "1", "a\0b", ""])
def test_no_code_is_run(text):
    data = base()
    data["attributes"][0]["expr"] = text
    with pytest.raises(Refusal) as refused:
        audit(parse(data, "x"))
    assert "speed" in str(refused.value)
    assert len(str(refused.value)) < 1200


@given(*[st.floats(-5, 5, allow_subnormal=False).map(lambda x: x if abs(x) > 1e-9 else 0.0)] * 2)
def test_an_expression_is_worth_what_python_says(a, b):
    """Against Python itself, on texts of our own."""
    import math

    names = {"a": a, "b": b}
    for text in (
        "a + b * 2 - -a",
        "(a < b) + (a <= b <= 3)",
        "a if a > b else b ** 2",
        "min(a, b, 1) * max(a, 0)",
        "abs(a) // 0.7 + b % 2",
        "exp(a) + cos(b)",
        "a and b or not a",
    ):
        expected = eval(text, {"exp": math.exp, "cos": math.cos}, dict(names))
        found = Expression(text)(names)
        if "and" in text:
            expected = float(bool(expected))
        assert found == pytest.approx(float(expected), abs=1e-9)
    assert set(CALLS) >= {"clip", "sigmoid"}
    assert Expression("sigmoid(a) + clip(b, -1, 1)")(names) == pytest.approx(
        1 / (1 + math.exp(-a)) + min(max(b, -1), 1)
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gamma": 0}, r"gamma is 0; a number in \(0, 1\]"),
        ({"gamma": 1.2}, "gamma is 1.2"),
        ({"gamma": float("nan")}, "gamma is nan"),
        ({"gamma": "fast"}, "gamma is 'fast'"),
        ({"dt_s": 0}, "dt_s is 0"),
        ({"dt_s": 1e-9}, "steps is too long"),
        ({"gama": 0.9}, "'gama', which means nothing here; did you mean 'gamma'"),
        ({"attributes": []}, "has no attributes"),
        ({"attributes": [{"name": "x", "expr": "sped_mps"}]}, "did you mean 'speed_mps'"),
        ({"attributes": [{"name": "x", "expr": "1", "weight": float("nan")}]}, "weight is nan"),
        ({"attributes": [{"name": "x", "expr": "1"}, {"name": "x", "expr": "2"}]}, "two attributes have one name"),
        ({"attributes": [{"name": "x"}]}, "needs an `expr`"),
        ({"attributes": [{"name": "x", "expr": "log(0 * speed_mps)"}]}, "'x' is -inf at step 0"),
        ({"scenario": {"distance_m": 0}}, "distance_m is 0"),
        ({"scenario": {"crash_fraction": 1.5}}, "crash_fraction is 1.5"),
        ({"fields": {"v": {"means": "speed_mps", "unit": "furlong"}}}, r"speed units are: cm/s, ft/s, km/h"),
        ({"fields": {"v": "sped_mps"}}, "did you mean 'speed_mps'"),
        ({"fields": {"my speed": "speed_mps"}}, "can be no name"),
        ({"unknown": {"gama": [1]}}, "did you mean 'gamma'"),
        ({"unknown": {"gamma": [0.1 + k / 200 for k in range(100)]}}, "more than 64"),
        ({"outside": "clip"}, "no field has one"),
        ({"prefer": ["crash", "parked"]}, "'parked'; the trajectories are crash"),
        ({"humans": {"drunk_16_17": -1}}, "drunk_16_17 is -1"),
        ({"trajectories": {"a": {"x": [1, 2], "y": [1]}}}, "columns of one length"),
        ({"trajectories": {"a": "nowhere.csv"}}, "nowhere.csv cannot be read"),
        ({"gamma": 10**400}, "gamma is inf"),
        ({"time_limit_s": 1e308}, "a drive of inf steps is too long"),
        ({"trajectories": {"a": {"x": [10**400]}}}, "finite numbers would be right"),
        ({"fields": {"v": {"means": ["speed_mps"]}}}, "means is .'speed_mps'.; did you mean"),
        ({"unknown": {"outside": [["clip"]]}}, "extrapolate, clip it may be"),
        ({"outcomes": [{"field": {}}]}, "field is {}"),
        (
            {"graph": {"start": "a", "goals": [["b"], 1], "moves": [{"from": "a", "to": "b", "reward": 1}]}},
            "is where no",
        ),
        (
            {
                "graph": {
                    "start": "a",
                    "goals": ["b"],
                    "horizon": 1e12,
                    "moves": [{"from": "a", "to": "b", "reward": 1}],
                }
            },
            "horizon of at most 100,000",
        ),
        ({"prefer": ["crash", "crash"]}, "'crash' twice"),
        ({"strict": "no"}, "strict is 'no'; true or false"),
        ({"trajectorys": {}}, "did you mean 'trajectories'"),
        ({"constants": {"speed_mps": 3}}, "which is a field, too"),
        ({"attributes": [{"name": f"a{k}", "expr": "steer"} for k in range(101)]}, "at most 100"),
        ({"attributes": [{"name": "x", "expr": "1e300", "weight": 1e300}]}, "'x' is inf at step 0"),
        ({"attributes": [{"name": "x", "expr": "1e300", "weight": 1e7}]}, "sum to inf"),
        ({"attributes": [{"name": "x", "potential": "1 / speed_mps"}]}, "'x' is nan at step 0"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(change, said, tmp_path):
    with pytest.raises(Refusal, match=said):
        audit(parse(base(**change), "x", tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gamma: 0.9\ngamma: 0.8\n", "'gamma' twice"),
        ("a: &x [1]\nb: *x\n", "repeats a part by an alias"),
        ("a: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("a: [1,\n", "line 2"),
        ("- 1\n- 2\n", "is no table"),
        ("just words", "is no table"),
        ("", "is no table"),
        ("? [1, 2]\n: 3\n", "a key that is no word"),
        ("[" * 3000, "nested more than 100 times"),
    ],
)
def test_yaml_that_is_none(text, said, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(Refusal, match=said):
        read(path)


def test_what_a_person_says_of_ranges_is_heard(nomoi, tmp_path):
    given = base(fields={"v": {"means": "speed_mps", "range": [4, 8]}}, outside="clip")
    given["attributes"] = [{"name": "x", "expr": "v"}]
    for outside, right in ((None, 8), ("clip", 8), ("extrapolate", 10)):
        found = audit(parse(given, "x", tmp_path), outside=outside)
        pays = found.details["cases"]["as given"]["gamma 1"]["returns"]
        assert pays["destination"] == pytest.approx(300 * right)
    (tmp_path / "x.json").write_text(json.dumps(base()))
    status, _, said = nomoi("audit", "reward", "x.json", "--outside", "clip")
    assert status == 2
    assert "no field of base has a range; leave it out" in said


@pytest.mark.parametrize(
    ("body", "said"),
    [("raise SystemExit(3)", "reward raised SystemExit: 3"), ("return 10**400", "reward gave 1000"),
     ("return 1e308", "sum to inf")],
)  # fmt: skip
def test_what_a_function_may_not_do(body, said, tmp_path):
    (tmp_path / "mine.py").write_text(f"AUDIT = {{'dt_s': 1}}\ndef reward(step):\n    {body}\n")
    with pytest.raises(Refusal, match=said):
        audit(tmp_path / "mine.py")


@pytest.mark.parametrize(("kind", "unit", "one"), [
    (kind, unit, one) for kind, units in {
        "speed": {"km/h": 3.6, "kph": 3.6, "mph": 2.236936, "ft/s": 3.28084, "cm/s": 100},
        "length": {"km": 0.001, "cm": 100, "mi": 0.000621371, "ft": 3.28084},
        "time": {"ms": 1000, "min": 1 / 60, "h": 1 / 3600}, "angle": {"deg": 57.29578},
        "acceleration": {"g": 0.1019716, "km/h/s": 3.6}, "share": {"%": 100},
    }.items() for unit, one in units.items()
])  # fmt: skip
def test_one_of_ours_in_other_units(kind, unit, one):
    assert UNITS[kind][unit] == pytest.approx(one, rel=1e-5)


def test_yaml_is_read_as_people_mean_it(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(
        "\ufeffa: 1e-3\nb: no\nc: 010\nd: 1:30\ne: true\nf: ~\ng: -.5\nh: .inf\ni: 2024-01-01\n", encoding="utf-8"
    )
    assert read(path) == {
        "a": 1e-3,
        "b": "no",
        "c": 10,
        "d": "1:30",
        "e": True,
        "f": None,
        "g": -0.5,
        "h": float("inf"),
        "i": "2024-01-01",
    }
    same = tmp_path / "x.json"
    same.write_text(json.dumps(BASE))
    assert reward_checks.point(find(same)) == reward_checks.point(parse(base(), "x"))


def test_the_commands(nomoi, tmp_path):
    assert nomoi("new", "reward") == (0, "reward.yaml\n", "")
    status, out, _ = nomoi("audit", "reward", "reward.yaml")
    assert status == 1
    assert "3 risk tolerance" in out
    page = (tmp_path / "audit.html").read_text()
    assert page.count("<svg") >= 2
    status, out, _ = nomoi("audit", "reward", "reward.yaml", "--json")
    assert json.loads(out)["findings"][2]["status"] == "fail"
    safe = base(
        humans={"drunk_16_17": 0.01, "average": 0.02},
        design={},
        outcomes=[{"name": "hit", "field": "collision", "must": True}],
    )
    del safe["attributes"][0]
    (tmp_path / "safe.json").write_text(json.dumps(safe))
    assert nomoi("audit", "reward", "safe.json")[0] == 0
    (tmp_path / "long.json").write_text(json.dumps(base(name="name" * 100)))
    assert nomoi("audit", "reward", "long.json")[2] == ""  # and its page is drawn
    for words, said in (
        (("audit", "reward", "nowhere.yaml"), "nowhere.yaml"),
        (("audit", "rewards", "reward.yaml"), "did you mean 'reward'"),
        (("audit", "reward", "reward.yaml", "--score", "x"), "--score means nothing"),
        (("audit", "reward", "reward.yaml", "--gamma", "2"), "gamma is 2"),
        (("audit", "reward", "reward.yaml", "--report", "reward.yaml"), "is the file that is audited"),
        (("new", "reward"), "is there already"),
        (("new", "rewards"), "did you mean 'reward'"),
    ):
        status, _, complaint = nomoi(*words)
        assert status == 2
        assert said in complaint


def test_every_field_has_a_unit():
    assert {kind for kind, _ in FIELDS.values()} <= set(UNITS)
