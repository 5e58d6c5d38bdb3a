"""Whoever emits an amount or declares a measure is measured, under whatever title, without a table that names it."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import ALL, SITUATIONS, made

from nomoi import catalogue, compare
from nomoi.core import Event, Institution, Measure, Outcome, govern, vocabulary
from nomoi.core.events import VOCABULARY
from nomoi.core.measure import Episode
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.authority import Authority
from nomoi.institutions.charter import Charter
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.sanction import Sanction
from nomoi.institutions.taboo import Taboo
from nomoi.learners.joint import Crowd
from nomoi.measure.evaluate import evaluate
from nomoi.measure.measures import GENERAL, measures
from nomoi.report.comparison import html
from nomoi.scripts.fixed import Random
from nomoi.situations.matrix import Matrix
from nomoi.testing.common import Wrong
from nomoi.testing.measured import measured

HARVEST, MATRIX = SITUATIONS["harvest"], Matrix()


def episode(situation, steps=4.0, **sums):
    """An episode of which only events matter: the sums of all together, done by the first agent."""
    n, zero, none = situation.agents, jnp.zeros(()), jnp.zeros(0)
    names = [name for name, event in situation.emits.items() if event.good]
    sums = {name.replace("__", "."): value for name, value in sums.items()}
    assert set(sums) <= set(names)
    events = {name: jnp.zeros(n).at[0].set(sums.get(name, 0.0)) for name in names}
    nobody = jnp.zeros(n)
    return Episode(
        zero + steps, nobody, nobody, zero, zero, zero, nobody, nobody, nobody, events, none, none, none, none
    )


def value(situation, name, **sums):
    return float(measures(situation)[name].of(episode(situation, **sums)))


def test_an_institutions_own_events_go_by_their_own_names_too():
    events = {"paid": jnp.array([1.0, 1.0]), "levy.paid": jnp.array([2.0, 3.0])}
    whole = dataclasses.replace(episode(MATRIX), events=events)
    mine = whole.within("levy", ("paid", "owed"))
    assert {name: float(mine.sum(name)) for name in mine.events} == {"paid": 5, "levy.paid": 5}  # before all others
    assert float(whole.within("fee", ("paid",)).sum("paid")) == float(whole.sum("paid")) == 2


class Bell(Institution):
    """Rings when somebody defects."""

    @property
    def emits(self):
        return {
            "rung": Event("rung", "[n]", "times", "heard the bell", True),
            "heard": Event("heard", "[n]", "steps", "listened", True),
            "tone": Event("tone", "[n]", "kind", "which bell it was"),
        }

    @property
    def measures(self):
        return (
            Measure("deaf", "share", "rings that nobody heard", lambda e: 1 - e.ratio("heard", "rung"),
                    ("heard", "rung"), short="deaf"),
            Measure("echo", "share", "rings for each defection", lambda e: e.ratio("rung", "defect"),
                    ("rung", "defect"), ("rung",)),
            Measure("missing", "units", "of what is not there", lambda e: e.sum("harvest"), ("harvest",)),
        )  # fmt: skip


# --- events by themselves ---------------------------------------------------------------------------------------------


def test_what_a_newcomer_emits_is_measured_with_its_unit_and_meaning():
    found = measures(govern(MATRIX, Levy(on="defect"), Bell()))
    assert (found["bell.heard"].unit, found["bell.heard"].meaning) == ("steps", "listened, all agents")
    assert not {"bell.tone", "tone"} & set(found)  # a label is no amount
    assert value(govern(MATRIX, Bell()), "bell.heard", bell__heard=3.0) == 3


def test_a_levy_of_another_title_keeps_its_row():
    assert measures(govern(MATRIX, Levy(on="defect")))["levied"].unit == "reward"
    fee = govern(MATRIX, Levy(on="defect"), Levy(on="defect", title="fee"))
    assert {"levied", "fee.paid"} <= set(measures(fee))
    assert value(fee, "fee.paid", fee__paid=3.0, levy__paid=1.0) == 3
    assert value(fee, "levied", fee__paid=3.0, levy__paid=1.0) == 1
    assert measures(fee)["fee.paid"].meaning == "paid to the levy, all agents"


@pytest.mark.parametrize("name", [*SITUATIONS, *ALL])
def test_every_amount_of_the_catalogue_is_reachable_through_some_measure(name):
    situation = SITUATIONS.get(name) or made(name)
    found = measures(situation)
    needed = {need for m in found.values() for need in m.needs}
    assert {event for event, is_ in situation.emits.items() if is_.good} <= needed
    assert all(m.name == key and m.unit and m.meaning for key, m in found.items())


def test_short_names_of_the_catalogue_mean_one_thing_each():
    """So no institution of ours takes a name from another one, or from a situation that it may govern."""
    rules = [cls() for cls in catalogue.institutions().values()]
    short = [e.short for i in rules for e in i.emits.values()] + [m.short for i in rules for m in i.measures]
    short = [word for word in short if word]
    world = {m.name for m in GENERAL} | {e.short or e.name for e in VOCABULARY.values() if e.good}
    world |= {m.name for cls in catalogue.situations().values() for m in cls().measures}
    assert len(short) == len(set(short)) > 15
    assert not set(short) & world


# --- declared measures ------------------------------------------------------------------------------------------------


def test_what_is_declared_reads_its_own_events_under_any_title():
    g = govern(MATRIX, Bell(), Bell(title="gong"))
    sums = {"bell__rung": 4.0, "bell__heard": 1.0, "gong__rung": 8.0, "gong__heard": 6.0, "defect": 16.0}
    assert value(g, "deaf", **sums) == 0.75
    assert value(g, "gong.deaf", **sums) == 0.25
    assert value(g, "bell.echo", **sums) == 0.25
    assert value(g, "gong.echo", **sums) == 0.5
    found = measures(g)
    assert found["gong.echo"].needs == ("gong.rung", "defect")
    assert not {"bell.rung", "gong.rung", "bell.missing"} & set(found)  # covered; what it needs is not there


def test_headlines_come_first_then_what_is_declared_then_events():
    names = list(measures(govern(HARVEST, Altar(), Levy())))
    order = ["harvest", "reward", "payoff", "depletion", "compliance", "visits", "sparse", "shots", "levied"]
    assert [name for name in names if name in order] == order


def test_a_controller_of_all_is_measured_as_those_it_controls():
    g = govern(HARVEST, Altar(), Sanction())
    assert list(measures(Crowd(g))) == list(measures(g))


def test_what_the_world_measures_keeps_its_name_whoever_governs_it():
    class Loud(Matrix):
        @property
        def emits(self):
            return vocabulary("defect") | {
                "deaf": Event("deaf", "[n]", "people", "could not hear", True),
                "payoff": Event("payoff", "[n]", "coins", "paid off", True),
            }

        def step(self, key, state, action):
            state, outcome = super().step(key, state, action)
            none = jnp.zeros(self.agents)
            return state, Outcome(outcome.reward, outcome.transfer, outcome.events | {"deaf": none, "payoff": none},
                                  outcome.done)  # fmt: skip

    bare, governed = measures(Loud()), measures(govern(Loud(), Bell()))
    assert bare["deaf"].unit == governed["deaf"].unit == "people"
    assert governed["bell.deaf"].unit == "share"
    assert (bare["payoff"].unit, bare["loud.payoff"].unit) == ("reward", "coins")


def test_a_measure_that_cannot_be_is_refused_in_a_sentence():
    with pytest.raises(Refusal, match="covers 'rung', which it does not need"):
        Measure("x", "share", "of nothing", lambda e: e.steps, ("heard",), ("rung",))
    with pytest.raises(Refusal, match="must have a name, a unit and a meaning"):
        Measure("x", "", "of nothing", lambda e: e.steps)

    class Twice(Bell):
        @property
        def measures(self):
            one = Measure(self.word, "times", "rung", lambda e: e.sum("rung"), ("rung",))
            return (one, one)

    Twice.word = "often"
    with pytest.raises(Refusal, match=r"has two measures called 'twice.often'"):
        measures(govern(MATRIX, Twice()))
    Twice.word = "bell.often"
    with pytest.raises(Refusal, match=r"twice declares the measure 'bell.often'; leave the dot out"):
        measures(govern(MATRIX, Twice()))


def test_a_check_tells_what_is_wrong_with_a_measure():
    class Off(Bell):
        @property
        def measures(self):
            return (Measure("x", "times", "rings", *self.declares),)

    def wrong(of, *needs):
        Off.declares = of, needs
        with pytest.raises(Wrong) as found:
            measured(govern(MATRIX, Off()), Off())
        return str(found.value)

    assert wrong(lambda e: e.sum("rung"), "rong") == "the measure 'x' of off needs 'rong'; did you mean 'rung'?"
    reads = "the measure 'off.x' reads 'listened', which is not among its needs: ['off.rung']."
    assert wrong(lambda e: e.sum("rung") + e.sum("listened"), "rung") == reads
    one = "the measure 'off.x' is [2] float32; one number, [] float, would be right."
    assert wrong(lambda e: e.events["rung"], "rung") == one
    assert measured(govern(MATRIX, Bell()), Bell()).endswith("are defined, with unit and meaning.")


# --- compliance, precision and recall ---------------------------------------------------------------------------------


def test_whoever_emits_violations_has_a_compliance():
    berries = SITUATIONS["berries"]
    for where, rule, name in (
        (HARVEST, Altar(), "compliance"), (HARVEST, Altar(title="shrine"), "shrine.compliance"),
        (HARVEST, Charter(), "charter.compliance"), (berries, Taboo(), "taboo.compliance"),
    ):  # fmt: skip
        g = govern(where, rule)
        assert value(g, name, harvest=10.0, **{f"{rule.name}__violation": 4.0}) == pytest.approx(0.6)
        assert measures(g)[name].needs == (f"{rule.name}.violation", "harvest")
        assert measures(g)[name].meaning == f"of what was taken, taken as the {rule.name} permits"

    class Elder(Bell):
        @property
        def emits(self):
            return {"violation": Event("violation", "[n]", "units", "displeased the elder", True)}

        @property
        def measures(self):
            return ()

    assert value(govern(HARVEST, Elder()), "elder.compliance", harvest=8.0, elder__violation=2.0) == 0.75


def test_two_altars_are_both_measured():
    g = govern(HARVEST, Altar(), Altar(title="shrine"), Authority(among="altar,shrine"))
    for name, other, word in (("altar", "", ""), ("shrine", "shrine.", "shrine.")):
        got = {f"{name}__visit": 2.0, f"{name}__violation": 1.0, f"{name}__heard": 1.0, f"{name}__switch": 4.0}
        assert value(g, f"{other}visits", **got) == pytest.approx(100 * 2 / (4 * HARVEST.agents))
        assert value(g, f"{other}compliance", harvest=4.0, **got) == 0.75
        assert value(g, f"{word}heard", **got) == 0.25
    assert value(g, "authority.compliance", harvest=4.0, authority__violation=2.0) == 0.5


def test_a_share_is_of_one_unit():
    """Steps in the wrong colour are no share of what was eaten, nor breaches of what was taken."""
    wood = SITUATIONS["allelopathic"]
    colours = measures(govern(wood, Altar(on="worn", of="colour")))
    assert "violations" in colours
    assert "compliance" not in colours
    assert colours["altar.violation"].unit == "steps"
    assert "authority.compliance" not in measures(govern(wood, Altar(on="worn", of="colour"), Authority()))
    taken = measures(govern(wood, Altar()))
    assert "compliance" in taken
    assert "violations" not in taken
    assert measures(govern(SITUATIONS["boycott"], Charter(law="care")))["charter.violation"].unit == "performances"


def test_recall_is_of_the_violations_that_the_sanction_is_for():
    g = govern(HARVEST, Altar(), Charter(), Sanction(by="charter"), Sanction(title="guard"))
    sums = {"charter__violation": 8.0, "altar__violation": 2.0, "sanction__correct": 2.0, "sanction__wrong": 6.0,
            "guard__correct": 1.0}  # fmt: skip
    assert value(g, "recall", **sums) == 0.25
    assert value(g, "precision", **sums) == 0.25
    assert value(g, "guard.recall", **sums) == 0.5
    assert value(g, "guard.precision", **sums) == 1
    assert value(g, "guard.correct", **sums) == 1
    assert "recall" not in measures(govern(HARVEST, Sanction(by="")))


@pytest.mark.parametrize(
    ("cls", "word", "did"),
    [(Contract, "bound", {"bound": 3.0}), (Sanction, "seized", {"seized": 2.0, "ripe": 5.0}),
     (Altar, "visits", {"visit": 3.0})],
)  # fmt: skip
def test_an_institution_is_measured_alike_under_every_title(cls, word, did):
    first = () if cls is Altar else (Altar(),)
    got = [
        value(govern(HARVEST, *first, cls(title=title)), name, **{f"{title or own}__{k}": v for k, v in did.items()})
        for own in [cls.__name__.lower()]
        for title, name in (("", word), (own, word), ("fee", f"fee.{word}"))
    ]
    assert got[0] == got[1] == got[2] > 0


def test_a_governed_episode_is_measured_as_it_was_lived():
    g = govern(MATRIX.replace(horizon=6), Levy(on="defect", rate=1.0, title="fee"))
    found = dict(
        zip(measures(g), np.asarray(jax.jit(lambda k: evaluate(k, g, Random()))(jax.random.key(0))), strict=True)
    )
    assert found["fee.paid"] == pytest.approx(found["defection"] * 6 * MATRIX.agents)
    assert found["fee.paid"] == pytest.approx(found["burnt"])


def test_a_newcomer_is_in_the_table_the_page_and_the_json(tmp_path):
    file = Path(__file__).parent.parent / "nomoi" / "examples" / "measure.py"
    short = ["learner.worlds=4", "learner.steps=8"]
    found = compare("pool", ["nothing", f"{file}:Gauge"], seeds=1, steps=1, out=tmp_path, set=short)
    data, page = found.data(), html(found)
    assert data["units"]["gauge.scarcity"] == "share"
    assert data["meanings"]["gauge.unmet"] == "wanted and not got, all agents"
    assert "gauge.scarcity" in data["regimes"][1]["measures"]
    assert "gauge.scarcity" not in data["regimes"][0]["measures"]  # where it is not in force
    assert "gauge.scarcity (share)" in page
    assert "gauge.unmet (units)" in page
