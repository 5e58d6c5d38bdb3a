"""Objectives that are written as expressions: what they are worth, what is refused, and what is true beside them."""

from __future__ import annotations

import re
import types
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_study_claims import of

import nomoi
from nomoi.core import Outcome, govern
from nomoi.core.spec import rebuild, spec
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.gauge import Gauge
from nomoi.institutions.levy import Levy
from nomoi.learners.objectives import Edited, Formula
from nomoi.learners.ppo import PPO
from nomoi.measure.measures import measures
from nomoi.proxies import wanted
from nomoi.proxies.expression import Expression
from nomoi.report.comparison import html
from nomoi.runs import proxied
from nomoi.scripts.fixed import Random
from nomoi.situations.harvest import Harvest
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.studies import reward_edits

ZAP = [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]  # who hit whom
HAPPENED = Outcome(
    jnp.array([3.0, 1.0, 0.0]), jnp.array([-1.0, 0.0, 4.0]),
    {"sparse": jnp.array([1.0, 0.0, 2.0]), "zap": jnp.array(ZAP), "kind": jnp.array([0, 1, 1]),
     "levy.paid": jnp.array([1.0, 0.0, 0.0])},
    jnp.array(False),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("own", [2, 1, 4]),
        ("reward", [3, 1, 0]),
        ("transfer", [-1, 0, 4]),
        ("others", [2.5, 3, 1.5]),  # the mean of the two others' payoffs
        ("own - 2*sparse", [0, 1, 0]),
        ("zap", [2, 0, 1]),  # who hit counts, not who was hit
        ("(kind == 1) * own", [0, 1, 4]),
        ("own if levy.paid > 0 else -1", [2, -1, -1]),
        ("min(own, others) + 0*sparse", [2, 1, 1.5]),
    ],
)
def test_what_a_step_is_worth_by_hand(text, right):
    np.testing.assert_allclose(wanted.worth(wanted.parsed(text), HAPPENED), right)


def test_one_who_is_alone_has_no_others():
    alone = Outcome(jnp.array([3.0]), jnp.array([0.0]), {}, jnp.array(False))
    np.testing.assert_array_equal(wanted.worth(wanted.parsed("own + others"), alone), [3])


def test_the_terms_of_a_sum():
    terms = lambda text: [t.text for t in Expression(text, dotted=True).terms]  # noqa: E731
    assert terms("own - 2*sparse + -(a.b - 1)") == ["own", "2 * sparse", "a.b", "1"]
    assert terms("2*(own - sparse)") == ["2 * (own - sparse)"]
    assert [sorted(t.names) for t in Expression("own - 2*a.b", dotted=True).terms] == [["own"], ["a.b"]]


def test_an_objective_is_its_text_and_comes_back_from_its_record():
    learner = PPO(objective=Formula(text=" own - 2*sparse "))
    back = rebuild(spec(learner))
    assert back.objective == Formula(text="own - 2*sparse")
    assert spec(back) == spec(learner) != spec(PPO(objective=Formula(text="own")))
    with pytest.raises(Refusal, match=r"the objective: 'own\.__class__' is not allowed"):
        Formula(text="own.__class__")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("own - 2*spase", "reads 'spase', which no step tells in harvest under 'levy'; did you mean 'sparse'?"),
        ("own - levy.payd", "did you mean 'levy.paid'?"),
        ("own + equality", "'equality', which is measured over a whole episode in harvest under 'levy'"),
        ("2 + 2", "reads nothing of what happens"),
        ("commn", "no objective and nothing that a step tells; did you mean 'common'"),
        ("qqq", ", others, own, proxy, "),  # `own` is both, and named once
    ],
)
def test_what_no_step_tells_is_refused_with_the_nearest_name(text, says):
    with pytest.raises(Refusal) as refused:
        proxied.gauged(Harvest(), {"levy": (Levy(),)}, text)
    assert says in str(refused.value)


def test_names_of_objectives_and_expressions_are_told_apart():
    assert type(proxied.given(PPO(), "common").objective).__name__ == "Common"
    assert proxied.given(PPO(), "own").objective == Formula(text="own")
    assert proxied.given(PPO(), None).objective == PPO().objective
    for nothing in ("", " "):
        with pytest.raises(Refusal, match=f"--objective is '{nothing}'; a name, or an expression such as"):
            proxied.given(PPO(), nothing)
    with pytest.raises(Refusal, match="random has no objective; ppo has"):
        proxied.given(Random(), "own")
    with pytest.raises(Refusal, match="has one already; leave one of them out"):
        proxied.given(PPO(objective=Formula(text="own")), "others")


def test_the_gauge_stands_last_and_scripts_are_gauged_where_they_can_be():
    (stack,) = proxied.gauged(Harvest(), {"levy": (Levy(),)}, "own - levy.paid")
    assert [i.name for i in stack] == ["levy", "gauge"]
    assert proxied.gauged(Harvest(), {"levy": (Levy(),)}, "") == [(Levy(),)]
    assert proxied.free(Pool(), "own").institutions == (Gauge(of="own"),)
    assert proxied.free(Pool(), "own - levy.paid").institutions == ()
    governed = govern(Harvest(), Altar(), Gauge(of="own - altar.violation"))
    assert measures(governed)["objective"].unit == "utility"
    with pytest.raises(Refusal, match="'2 \\+ 2', reads nothing of what happens"):
        govern(Harvest(), Gauge(of="2 + 2"))
    with pytest.raises(Refusal, match=r"gauge needs 'altar\.violation'"):
        govern(Harvest(), Gauge(of="own - altar.violation"))


def test_a_pilot_says_which_terms_are_always_zero_and_refuses_what_is_not_finite():
    game = Matrix(horizon=4)
    bare, paid = govern(game, Levy(on="defect").replace(in_force=False)), govern(game, Levy(on="defect"))
    said = proxied.pilot({"nothing": bare, "levy": paid}, "own - 3*levy.paid + 0*defect")
    assert len(said) == 2
    assert "8 x 4 steps of random play under 'nothing' the term 3 * levy.paid" in said[0]
    assert "random play the term 0 * defect" in said[1]
    assert not proxied.pilot({"levy": paid}, "own - 3*levy.paid")
    with pytest.raises(Refusal, match=r"is not finite in \d+ of 32 steps of random play: it divides by zero") as bad:
        proxied.pilot({"levy": paid}, "own / (defect - 1)")
    assert int(re.findall(r"\d+ of 32", str(bad.value))[0].split()[0]) > 16  # wherever one of two did, not both


def told(proxy, true):
    """A comparison of one regime with two seeds, of which the curves are given [two seeds, 16 points]."""
    steps = np.arange(1, 17) * 100.0
    rows = [types.SimpleNamespace(curve=lambda p=p, t=t: {"objective": (steps, p), "reward": (steps, t)})
            for p, t in zip(np.array(proxy, float), np.array(true, float), strict=True)]  # fmt: skip
    row = types.SimpleNamespace(label="free", values={"objective": 0}, records=rows)
    return types.SimpleNamespace(who=PPO(objective=Formula(text="own - 2*sparse")), steps=1600, rows=(row,))


def test_two_phases_by_hand():
    """The proxy rises all along; what is true rises by 4, and then falls by 3."""
    proxy = [[-1, 1, *[0] * 4, 10, np.nan, 10, 10, *[20] * 4, 19, 21], [*[0] * 6, *[12] * 4, *[21] * 6]]
    true = [[*[1] * 6, *[5] * 4, *[2] * 6], [*[1] * 6, *[5] * 4, *[2] * 6]]
    (found,) = proxied.phases(told(proxy, true))
    assert [e.mean for e in (*found.proxy, *found.true)] == [11, 9.5, 4, -3]
    assert found.second
    assert "rose by 9.50" in found.sentence
    assert "the reward fell by 3.00" in found.sentence
    assert not proxied.phases(told(proxy, proxy))[0].second  # both rise
    assert not proxied.phases(told(true, true))[0].second  # both fall
    assert not proxied.phases(told(proxy[:1], true[:1]))[0].second  # one seed gives no interval
    assert not proxied.phases(told([proxy[0], [*[0] * 6, *[12] * 4, *[12.1] * 6]], true))[0].second  # 10, and .1
    unsure = [true[0], [*[1] * 6, *[5] * 4, *[4.9] * 6]]  # it falls by 3 and by .1
    assert not proxied.phases(told(proxy, unsure))[0].second
    plain = told(proxy, true)
    plain.who = PPO()
    assert proxied.phases(plain) == []


def test_compare_measures_what_is_optimised_beside_what_is_true(tmp_path):
    result = nomoi.compare("matrix", ["nothing"], objective="own - 9*defect + 0*others", who="tabular(worlds=4)",
                           seeds=2, steps=400, out=tmp_path, set={"situation.horizon": "4"})  # fmt: skip
    (row,), (random, *_) = result.rows, result.scripts
    np.testing.assert_array_less(row.values["objective"], row.values["reward"])
    share = random.values["defection"]  # of 2 x 4 choices
    np.testing.assert_allclose(random.values["objective"], random.values["reward"] - 9 * 8 * share, 1e-4)
    assert any("the term 0 * others of the objective was zero every time" in said for said in result.remarks)
    page = html(result)
    assert "<h2>Two phases</h2>" in page
    assert "own - 9*defect + 0*others, all agents" in page


def test_what_the_page_about_proxies_shows_is_what_happens(capsys):
    page = (Path(__file__).parent.parent / "docs" / "proxies.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(snippets) == 5
    for snippet in snippets:
        exec(compile(snippet, "proxies.md", "exec"), {})
    said = "utility True True False False True True 4.0 9.2 6.0 9.2"
    assert " ".join(capsys.readouterr().out.split()) == said


def test_an_edit_is_a_formula_whose_weights_are_settings():
    outcome = HAPPENED
    edit = Edited(on="sparse,zap", weights=[-2.0, 0.5], beside=3.0)
    same = Formula(text="3*own - 2*sparse + 0.5*zap")
    for one in (edit, same):
        np.testing.assert_allclose(one.feel(jnp.zeros(3), govern(Harvest(agents=3), Levy()), outcome)[1], [5, 3, 8.5])
    with pytest.raises(Refusal, match=r"edited\.weights has 2 numbers for 1 events \(sparse\)"):
        Edited(on="sparse")
    with pytest.raises(Refusal, match=r"edited\.on has 'spase'; did you mean 'sparse'"):
        Edited(on="spase", weights=[1.0]).feel(jnp.zeros(3), Harvest(agents=3), outcome)


def test_the_best_edit_is_chosen_on_other_seeds_than_those_it_is_judged_by():
    one, two = "own + 1 harvest", "own - 1 harvest"
    table = {one: [9, 9, 1, 2], two: [5, 5, 8, 8], "own payoff": [0] * 4, "levy 0.5": [3, 3, 4, 4],
             "levy 1": [2, 2, 9, 9], "altar with a fine 1": [0] * 4, "gapfiller 1": [0, 0, 3, 3],
             "common payoff": [7] * 4}  # fmt: skip
    results = of({label: {"reward": [[v] * 8 for v in values]} for label, values in table.items()})
    assert reward_edits.best(results) == one  # the luckier of all four would have been the other
    effects = [c.effect(results).tolist() for c in reward_edits.CLAIMS]
    assert reward_edits.best(results, "levy") == "levy 0.5"
    assert effects == [[3, 2], [-1, -2], [2, 1], [1, 2], [7, 7]]


def test_edits_share_one_program_and_are_trained_as_long_as_institutions():
    trials = reward_edits.trials("laptop")
    assert len(trials) == 214
    assert len({t.label for t in trials}) == 214
    assert len({t.length for t in trials}) == 1
    programs = {jax.tree.structure((t.learner, t.situation, t.under)) for t in trials}
    assert len(programs) == 2  # that of the common payoff is another
    levy, altar, gap = trials[-12::4]
    levies = [next(i for i in t.situation.institutions if i.name == "levy") for t in trials[-12:-8]]
    assert [i.rate.item() for i in levies] == [0.25, 0.5, 0.75, 1]
    for trial, names in ((trials[0], []), (levy, ["levy"]), (altar, ["altar", "fine"]), (gap, ["gapfiller"])):
        assert [i.name for i in trial.situation.institutions if i.in_force] == names
    assert not np.asarray(levy.learner.objective.weights).any()
