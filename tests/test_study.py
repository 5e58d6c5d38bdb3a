"""Studies: what is kept on the way, what goes on from it, and what is asked of it; nothing is made twice."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from training import LEARNER, UPDATE, asked, same, train, trial

from nomoi.core import govern
from nomoi.core.recast import Recast
from nomoi.errors import Refusal
from nomoi.institutions.levy import Levy
from nomoi.runs import engine, hands, study
from nomoi.runs.engine import Interrupted
from nomoi.runs.record import Asked
from nomoi.runs.store import Store
from nomoi.runs.study import Computed, Evaluated, Results, Scripted, Study, Trained
from nomoi.runs.trained import inherited, learned, snapshots
from nomoi.runs.trial import Trial, trial_of
from nomoi.scripts.fixed import Constant
from nomoi.situations.pool import Pool

pytestmark = pytest.mark.usefixtures("shared_programs")
STEADY = LEARNER.replace(
    learning_rate_end=LEARNER.learning_rate, entropy_coef_end=LEARNER.entropy_coef
)  # learns alike however long the run is
POOL, LEVY = Pool(horizon=6), (Levy(on="request", rate=0.5),)


def steady(label="levied", updates=4, **changes):
    return trial(label, updates=updates, **({"learner": STEADY} | changes))


def leaves(mind):
    return [np.asarray(x) for x in jax.tree.leaves(mind)]


def alike(one, other):
    return all(np.array_equal(a, b) for a, b in zip(leaves(one), leaves(other), strict=True))


# --- snapshots ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chunks", "kept", "due"),
    [(4, 2, [2, 4]), (4, 4, [1, 2, 3, 4]), (4, 9, [1, 2, 3, 4]), (5, 1, [5]), (32, 3, [11, 21, 32]), (4, 0, [])],
)
def test_snapshots_are_spread_over_the_run_and_the_last_is_its_end(chunks, kept, due):
    assert trial(updates=chunks, snapshots=kept).due() == due
    assert trial(updates=chunks).length == chunks * UPDATE


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two seeds of a run that keeps two snapshots."""
    place = tmp_path_factory.mktemp("trained")
    return place, train(place, steady(snapshots=2), seeds=(0, 1))


def test_a_snapshot_is_what_a_shorter_run_has_learned(trained, tmp_path):
    record = trained[1][0]
    steps, minds = snapshots(record)
    assert steps.tolist() == [2 * 4 * 8, 4 * 4 * 8]
    short = train(tmp_path, steady(updates=2))[0]
    assert alike(minds[0], learned(short))
    assert alike(minds[1], learned(record))
    assert not alike(*minds)
    # keeping them changes nothing else, but is another record
    plain = train(tmp_path, steady())[0]
    assert plain.id != record.id
    same(plain, record)


@pytest.mark.slow
def test_stacked_runs_keep_each_its_own(trained, tmp_path):
    stacked = train(tmp_path, steady(snapshots=2), seeds=(0, 1, 2), lanes=2)
    for one, other in zip(trained[1], stacked, strict=False):
        for a, b in zip(snapshots(one)[1], snapshots(other)[1], strict=True):
            for x, y in zip(leaves(a), leaves(b), strict=True):
                np.testing.assert_allclose(x, y, rtol=2e-3, atol=2e-3)


def interrupted(store, what, chunks, *before):
    """A run that is interrupted after some chunks, and goes on."""
    told = []

    def stop(progress):
        told.extend([progress.steps] * (progress.steps > 0 and progress.label == what.label))
        if len(told) == chunks:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        train(store, *before, what, tell=stop, workers=1)
    assert len(store.all()) == len(before)
    told.clear()
    count = lambda p: told.extend([p.steps] * (p.steps > 0 and p.label == what.label))  # noqa: E731
    record = train(store, *before, what, tell=count, workers=1)[-1]
    assert 0 < len(told) < 4
    return record


@pytest.mark.parametrize("chunks", [2, 3])  # before the first snapshot, and after it
def test_an_interrupted_run_keeps_its_snapshots(chunks, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "CHECKPOINT", 0.0)
    same(trained[1][0], interrupted(Store(tmp_path), steady(snapshots=2), chunks))


# --- going on from another ------------------------------------------------------------------------------------


def test_a_run_goes_on_from_the_mind_of_its_seed(trained, tmp_path, monkeypatch):
    """With a rate of zero nothing is learned: what it ends with is what it began with."""
    _, earlier = trained
    first = steady("first", snapshots=2)
    idle = steady("idle", learner=STEADY.replace(learning_rate=0.0, learning_rate_end=0.0), parent="first")
    for lanes in (1, 2):
        out = tmp_path / str(lanes)
        after = train(out, first, idle, seeds=(0, 1), lanes=lanes)[2:]
        begun = earlier if lanes == 1 else train(out, first, seeds=(0, 1))
        for s in (0, 1):
            assert alike(learned(after[s]), learned(begun[s]))
            assert not alike(learned(after[s]), learned(begun[1 - s]))
            assert after[s].spec["parents"] == [begun[s].asked.of]
            assert after[s].facts["parents"] == [begun[s].id]
    monkeypatch.setattr(engine, "CHECKPOINT", 0.0)
    onward = steady("onward", parent="first")
    whole = train(tmp_path / "1", first, onward, seeds=(0, 1))[2:]
    names = {whole[0].id, whole[1].id, asked(steady("onward")).id}
    assert len(names) == 3
    assert not alike(learned(whole[0]), learned(earlier[0]))
    same(whole[0], interrupted(Store(tmp_path / "broken"), onward, 2, first))


def test_what_does_not_fit_is_refused(trained):
    wide = steady(learner=STEADY.replace(hidden=9))
    with pytest.raises(Refusal, match=f"{trained[1][0].id} does not fit pool"):
        learned(trained[1][0], wide)
    fresh = wide.learner.init(jax.random.key(0), wide.place)
    with pytest.raises(Refusal, match="same window, size and kind"):
        inherited(trained[1][0], fresh)


# --- studies --------------------------------------------------------------------------------------------------


def weigh(key, situation, learner, mind, times=1.0):
    """How heavy a mind is; and whether the key is that of the seed."""
    assert situation.name == "pool"
    total = sum(float(jnp.abs(x).sum()) for x in jax.tree.leaves(mind))
    return {"weight": times * total, "draw": float(jax.random.uniform(key))}


def compare(key, situation, learner, minds):
    first, *rest = [weigh(key, situation, learner, mind)["weight"] for mind in minds]
    return {"own": first, "others": sum(rest), "count": len(minds)}


def figure(key, base=0.0):
    return {"draw": base + float(jax.random.uniform(key))}


TRIALS = (
    Trained("second", POOL, LEVY, 64, STEADY, parent="first"),  # stands before what it goes on from
    Trained("first", POOL, LEVY, 64, STEADY, snapshots=2),
    Trained("first, free", POOL, (), 64, STEADY),
    Evaluated("weights", "first", weigh, along=True),
    Evaluated("weight", "first", weigh, {"times": 2.0}),
    Evaluated("crossed", "first", compare, crossed=True),
    Scripted("script", POOL, Constant(choice=3)),
    Computed("figure", figure, {"base": 1.0}),
)


def small(*conditions, seeds=3):
    return Study("little", "Does it run?", (), lambda size: conditions, {"smoke": seeds})


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    place = tmp_path_factory.mktemp("study")
    return place, study.run(small(*TRIALS), "smoke", place).results


def test_results_come_in_the_order_of_conditions_and_seeds(lived):
    records = lived[1].records
    assert list(records) == [c.label for c in TRIALS]
    assert [[r.spec["seed"] for r in records[c]] for c in ("first", "second", "weights", "figure")] == [[0, 1, 2]] * 4
    for one, other in zip(records["first"], records["second"], strict=True):
        assert other.spec["parents"] == [one.asked.of]
        assert other.facts["parents"] == [one.id]
    assert all(r.spec["parents"] == [] for r in records["first"])
    governed, free = (trial_of(records[label][0]) for label in ("first", "first, free"))
    assert [float(i.rate) for i in governed.place.institutions] == [0.5]
    assert free.place.institutions == ()
    assert (governed.label, governed.snapshots, free.snapshots) == ("first", 2, 0)
    assert trial_of(records["second"][0]).parent == "first"


def test_evaluated_along_crossed_and_at_the_end(lived):
    results = lived[1]
    kept = [snapshots(r) for r in results.records["first"]]
    weights = np.array([[weigh(jax.random.key(0), POOL, STEADY, m)["weight"] for m in minds] for _, minds in kept])
    steps, along = results.curve("weights", "weight")
    assert steps.tolist() == kept[0][0].tolist() == [32, 64]
    np.testing.assert_allclose(along, weights)
    assert len(np.unique(weights)) == 6
    np.testing.assert_allclose(results.late("weight", "weight"), 2 * weights[:, -1])
    draws = [float(jax.random.uniform(jax.random.key(s))) for s in range(3)]
    np.testing.assert_allclose(results.late("weight", "draw"), draws)
    np.testing.assert_allclose(results.late("figure", "draw"), np.array(draws) + 1)
    np.testing.assert_allclose(results.late("crossed", "own"), weights[:, -1])
    np.testing.assert_allclose(results.late("crossed", "others"), weights[:, -1].sum() - weights[:, -1])
    assert results.late("crossed", "count").tolist() == [3, 3, 3]


def test_a_second_run_makes_nothing(lived, monkeypatch):
    place, before = lived
    monkeypatch.setattr(engine.Program, "build", lambda self: pytest.fail("compiled again"))
    monkeypatch.setattr(hands, "made", lambda *_: pytest.fail("evaluated again"))
    count = len(Store(place).all())
    again = study.run(small(*TRIALS), "smoke", place).results
    assert {c: [r.id for r in rs] for c, rs in again.records.items()} == {
        c: [r.id for r in rs] for c, rs in before.records.items()
    }
    assert len(Store(place).all()) == count == 3 * len(TRIALS)


def test_other_settings_and_other_company_are_other_records(lived):
    place, before = lived
    changed = (
        *TRIALS[1:2],
        dataclasses.replace(TRIALS[4], settings={"times": 3.0}),
        dataclasses.replace(TRIALS[5], label="crossed"),
    )
    fewer = study.run(small(*changed, seeds=2), "smoke", place).results
    assert [r.id for r in fewer.records["first"]] == [r.id for r in before.records["first"][:2]]
    np.testing.assert_allclose(fewer.late("weight", "weight"), 1.5 * before.late("weight", "weight")[:2])
    assert fewer.late("crossed", "count").tolist() == [2, 2]


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ((Trained("b", POOL, parent="frist"), Trained("first", POOL)), r"little: 'b' goes on from 'frist'.*'first'"),
        ((Trained("b", POOL, parent="b"),), r"'b' goes on from 'b', and that from it"),
        ((Trained("b", POOL, parent="c"), Computed("c", figure)), r"'b' goes on from 'c', which is not trained"),
        ((Computed("b", figure, parent="c"), Computed("c", figure, parent="b")), "and that from it"),
        ((Evaluated("e", "frist", weigh), Trained("first", POOL)), r"'e' goes on from 'frist'.*did you mean 'first'"),
        ((Evaluated("e", "", weigh),), r"'e' evaluates '', which is not trained"),
        ((Scripted("s", POOL, Constant()), Evaluated("e", "s", weigh)), r"'e' evaluates 's', which is not trained"),
        ((Trained("a", POOL), Evaluated("e", "a", weigh, along=True)), r"'e' is asked along 'a', which keeps no snap"),
        ((Trained("a", POOL, snapshots=1), Evaluated("e", "a", weigh, along=True, crossed=True)), "along and crossed"),
        ((Trained("a", POOL), Trained("a", POOL, LEVY)), r"'a' is the label of two trials"),
        ((Trained("a", POOL, learner=Constant()),), "constant never learns"),
        (
            (Trained("a", POOL, learner=STEADY), Trained("b", POOL, learner=LEARNER.replace(hidden=9), parent="a")),
            "same window, size and kind",
        ),
    ],
)
def test_what_cannot_come_to_an_end_is_refused_before_anything_is_trained(conditions, said, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "make", lambda *_, **__: pytest.fail("made"))
    with pytest.raises(Refusal, match=said):
        study.run(small(*conditions), "smoke", tmp_path)


def test_figures_are_tried_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "make", lambda *_, **__: pytest.fail("made"))
    wrong = dataclasses.replace(small(Trained("a", POOL)), sections=lambda r: [r.curve("a", "harvets")])
    with pytest.raises(Refusal, match=r"little: its page cannot be made: there is no measure of 'a' 'harvets'"):
        study.run(wrong, "smoke", tmp_path)


def test_figures_are_tried_as_long_as_anything_is_still_to_be_trained():
    class Kept(Store):
        def __init__(self, *trials):
            self.there = {asked(t).id for t in trials}

        def get(self, one):
            return one.id if one.id in self.there else None

    first, other = Trained("a", POOL, (), 64, STEADY), Trained("b", POOL, LEVY, 64, STEADY)
    onward = Trained("c", POOL, (), 64, STEADY, parent="a")
    for kept, begins in (((), True), ((first,), True), ((other,), True), ((first, other), False)):
        assert study._begins(Kept(*kept), [first, other, onward]) == begins


def test_parts_of_training_are_averaged_over_what_is_defined(tmp_path):
    values = [[1, 3, np.nan, 5, np.nan, np.nan], [0, 0, 2, 2, 4, 4]]
    what = lambda k: Asked({"trial": {"class": "x", "options": {}}, "seed": k, "parents": []}, {})  # noqa: E731
    put = lambda k: Store(tmp_path).put(  # noqa: E731
        what(k), {"m": (np.arange(1, 7), np.array(values[k]))}, measures={}, named={}, own={}, parents=[]
    )
    results = Results({"a": (put(0), put(1))})
    np.testing.assert_array_equal(results.bins("a", "m", 3), [[2, 5, np.nan], [0, 2, 4]])
    np.testing.assert_array_equal(results.bins("a", "m", 6)[1], [0, 0, 2, 2, 4, 4])
    # by steps, not by points: of six points the first tenth has none, the second one, the last the last
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(results.bins("a", "m", 10)[1])), [1, 3, 4, 6, 8, 9])


def test_a_point_belongs_to_the_part_that_it_ends_however_numbers_are_rounded():
    """Of as many points as parts each has its own; what was measured before training belongs to the first part."""

    class Drawn(Results):
        def curve(self, label, measure):
            return np.array(self.facts), np.arange(1.0, len(self.facts) + 1)[None]

    def parts(steps, count):
        drawn = Drawn({})
        object.__setattr__(drawn, "facts", steps)
        return drawn.bins("a", "m", count)[0].tolist()

    for many in range(2, 40):
        for size in (1, 3, 7, 100):
            assert parts([size * k for k in range(1, many + 1)], many) == list(range(1, many + 1))
    assert parts([0, 5, 10], 2) == [1.5, 3]


def test_scripts_under_different_rules_are_different_records(tmp_path):
    """The same script in two governed worlds, and under two rates of one rule, leaves records of its own."""
    places = [govern(Pool(horizon=6), Levy(on="request", rate=rate)) for rate in (0.5, 1.0)]
    places += [govern(Pool(horizon=4), Levy(on="request", rate=0.5)), Pool(horizon=6)]
    trials = [Scripted(str(k), place, Constant(choice=2), worlds=2) for k, place in enumerate(places)]
    records = train(tmp_path, *trials)
    assert len({r.id for r in records}) == 4
    paid = [-(r.late()["payoff"] - r.late()["reward"]) for r in records[:2]]
    assert paid[1] == pytest.approx(2 * paid[0])
    assert paid[0] > 0


class Double(Recast):
    """A situation made of another one, in which all is worth twice as much."""

    def reset(self, key):
        return self.situation.reset(key)

    @property
    def actions(self):
        return self.situation.actions

    def senses(self, state):
        return self.situation.senses(state)

    def step(self, key, state, action):
        state, outcome = self.situation.step(key, state, action)
        return state, dataclasses.replace(outcome, reward=2 * outcome.reward)


def test_what_a_situation_is_made_of_is_not_taken_for_it():
    (made,) = study.shared([Trained("a", Double(situation=POOL), LEVY, 64, STEADY)])
    assert type(made.place.bare) is Double
    assert [i.name for i in made.place.institutions] == ["levy"]


# --- settings and families -----------------------------------------------------------------------------------------


def squares(key, side, times=2):
    return {"area": side * side * times}


COMPUTED = [
    Computed("small", squares, {"side": 2.0, "times": 1}),
    Computed("large", squares, {"side": 5.0}),
    Scripted("script", POOL, Constant()),
]


def test_a_setting_is_changed_wherever_it_stands_and_nowhere_else(tmp_path):
    made = study.changed("squares", COMPUTED, ["side=3", "times=4"])
    assert [c.settings for c in made[:2]] == [{"side": 3.0, "times": 4}, {"side": 3.0}]
    assert made[2] is COMPUTED[2]
    plain = Study("squares", "?", [], lambda size: COMPUTED[:2], {"smoke": 1})
    found = study.run(plain, "smoke", out=tmp_path, set=["side=3"])
    assert [found.results.late(label, "area")[0] for label in ("small", "large")] == [9.0, 18.0]
    assert found.data()["changed"] == ["side=3"]
    own = study.run(plain, "smoke", out=tmp_path)
    assert own.results.late("large", "area")[0] == 50.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sid=3", "did you mean 'side'"),
        ("side", "write NAME=VALUE"),
        ("side=wide", "something like 2.0"),
        ("side=true", "something like 2.0"),
        ("times=1.5", "something like 1"),
    ],
)
def test_a_setting_that_is_not_one_is_refused(text, said):
    with pytest.raises(Refusal, match=said):
        study.changed("squares", COMPUTED[:1], [text])


def test_a_family_is_its_studies_and_they_exist():
    assert [s.name for s in study.find("law")] == ["law_coordination", "charter_harvest", "polities"]
    for name in study.known():
        assert all(isinstance(s, Study) for s in study.find(name))
    with pytest.raises(Refusal, match="no study 'lwa'"):
        study.find("lwa")


def noisy(key):
    return {"weight": float(jax.random.uniform(key))}


@dataclasses.dataclass(frozen=True, eq=False)
class Asking(Trial):
    """A trial of one's own: which parents it was given."""

    wide: bool = False

    @property
    def crossed(self):
        return self.wide

    def make(self, key, parents):
        return {"first": parents[0].late()["weight"], "many": float(len(parents))}, {}


def test_every_seed_has_its_own_parent_and_one_that_is_exact_is_everybodys(tmp_path):
    trials = [Asking("own", parent="noise"), Asking("all", wide=True, parent="noise"), Asking("one", parent="point"),
              Computed("noise", noisy), Computed("point", plain, exact=True)]  # fmt: skip
    results = study.run(small(*trials), "smoke", tmp_path).results
    noise = results.late("noise", "weight")
    assert len(set(noise)) == 3
    np.testing.assert_array_equal(results.late("own", "first"), noise)
    np.testing.assert_array_equal(results.late("all", "first"), noise)
    assert [results.late(label, "many").tolist() for label in ("own", "all", "one")] == [[1] * 3, [3] * 3, [1] * 3]
    assert results.late("one", "first").tolist() == [1.0] * 3


@dataclasses.dataclass(frozen=True, eq=False)
class Giving(Trial):
    what: str = ""

    def make(self, key, parents):
        return {"none": None, "text": "abc", "empty": {}, "words": {"m": "abc"}}[self.what], {}


@pytest.mark.parametrize("given", ["none", "text", "empty", "words"])
def test_what_gives_no_numbers_is_refused_by_its_label(given, tmp_path):
    with pytest.raises(Refusal, match=r"'odd' gave .*; a table of measures and numbers would be right"):
        study.run(small(Giving("odd", given)), "smoke", tmp_path)
    assert Store(tmp_path).all() == []


# --- data that are not on this machine ---------------------------------------------------------------------------


def weighed(key: None):
    from nomoi.files import data

    return {"weight": float(data("scales.csv").read_text())}


def plain(key: None):
    return {"weight": 1.0}


def test_claims_about_data_that_are_not_here_are_not_tested(tmp_path, monkeypatch):
    from nomoi.report import study as reporting
    from nomoi.runs.claims import Claim, Reading

    monkeypatch.delenv("NOMOI_DATA", raising=False)
    late = lambda label: lambda r: r.late(label, "weight")  # noqa: E731
    claims = [Claim(label, "ours", late(label), above=0, kind="ours") for label in ("here", "there", "child")]
    trials = [Computed("here", plain, exact=True), Computed("there", weighed, exact=True),
              Computed("child", plain, exact=True, parent="there")]  # fmt: skip
    one = Study("scales", "?", claims, lambda size: trials, {"laptop": 2}, lambda r: [late("there")(r)],
                readings=[Reading("it", "ours", late("there"))])  # fmt: skip
    found = study.run(one, out=tmp_path / "runs")
    assert [v.verdict for v in found.verdicts] == ["holds", "not tested at this size", "not tested at this size"]
    assert any("'there', 'child' are not tested: " in r and "NOMOI_DATA" in r for r in found.remarks)
    text = reporting.write_summary(found, tmp_path).read_text()
    assert "## Not shown" in text
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "scales.csv").write_text("2.5")
    monkeypatch.setenv("NOMOI_DATA", str(tmp_path / "data"))
    found = study.run(dataclasses.replace(one, sections=None), out=tmp_path / "runs")
    assert [v.verdict for v in found.verdicts] == ["holds", "holds", "holds"]
    assert found.readings()[0][1].mean == 2.5
