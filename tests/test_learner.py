"""What every learner is: begin, act, learn, mind; and that what is true is measured, whatever is wanted."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float
from small import equal

import nomoi
from nomoi import catalogue
from nomoi.core import Outcome, build, govern, setting
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.learners.deciding import Aggregate, Decisions, Individual
from nomoi.learners.joint import Joint
from nomoi.learners.objectives import SVO, Common, Edited, Formula, Inequity, Objective, Own, Proxy
from nomoi.learners.ppo import PPO
from nomoi.learners.tabular import Tabular
from nomoi.measure.evaluate import evaluate
from nomoi.measure.ledger import Tally
from nomoi.measure.measures import measures
from nomoi.runs import regimes
from nomoi.scripts.fixed import Random
from nomoi.situations.harvest import Harvest
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.testing import check

KEY = jax.random.key(0)
TABLE = Tabular(cells=64, worlds=8, steps=16)


# --- the interface ------------------------------------------------------------------------------------------------


def test_who_lacks_a_method_is_refused_in_a_sentence():
    class Mute(Learner):
        pass

    class Half(Learner):
        def act(self, key, mind, situation, seen, carry):
            return {}, carry

        def begin(self, key, situation, mind=None):
            return ()

        @property
        def batch(self):
            return 1

    with pytest.raises(Refusal, match=r"mute lacks act; act\(key, mind, situation, seen, carry\)"):
        Mute()
    with pytest.raises(Refusal, match="half lacks learn and mind: who learns has batch, begin, learn and mind"):
        Half()


def test_a_script_has_no_batch_and_no_run():
    script = Random()
    assert script.batch == 0
    for asks in (
        lambda: script.begin(KEY, Matrix()),
        lambda: script.learn(Matrix(), (), 1, jnp.int32(1)),
        lambda: script.mind(()),
    ):
        with pytest.raises(Refusal, match="random is a script: it acts, and has nothing to learn"):
            asks()


def test_nobody_overrides_how_another_one_acts_or_learns():
    """Classes are interfaces or leaves; to vary one, hold it.  (Read from the text, so that nothing need be loaded.)"""
    bases: dict[str, list[str]] = {}
    for file in Path(nomoi.__file__).parent.rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [ast.unparse(b).rpartition(".")[2] for b in node.bases]
    family = {"Learner"}
    while more := {name for name, of in bases.items() if set(of) & family} - family:
        family |= more
    assert {"PPO", "Joint", "Settlement", "Tabular", "Random", "Selfish", "Yielding", "Mixed"} < family
    assert not [name for name in family if set(bases[name]) & (family - {"Learner"})]


@pytest.mark.slow
@pytest.mark.parametrize(
    "learner", [PPO(worlds=4, steps=8, minibatches=2, hidden=4), Joint(TABLE), TABLE, Random()], ids=lambda x: x.name
)
def test_what_comes_with_nomoi_keeps_its_promises(learner):
    assert not [c for c in check(learner) if not c.passed]


class Counts(Learner):
    """Learns how many updates there were; `fault` is what it does wrong."""

    fault: str = eqx.field(static=True, default="")

    def init(self, key, situation):
        return jnp.zeros(())

    def act(self, key, mind, situation, seen, carry):
        heads = {h: jnp.zeros(situation.agents, jnp.int32) for h in situation.actions}
        if self.fault == "acts":
            return {}, carry
        return {h: x + (9 if self.fault == "answers" else 0) for h, x in heads.items()}, carry

    @property
    def batch(self):
        return 1

    def begin(self, key, situation, mind=None):
        return jnp.zeros(()) if mind is None or self.fault == "begins" else mind

    def learn(self, situation, run, updates, total):
        if self.fault != "phases":
            situation = situation.at(run.astype(jnp.float32) / total.astype(jnp.float32))
        tally = Tally.empty(situation)
        if self.fault == "learns":
            return run.astype(jnp.int32), tally
        return run + (1 if self.fault == "goes on" else updates), tally

    def mind(self, run):
        return {"begins": run + 1, "shapes": run[None]}.get(self.fault, run)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("", ""),
        ("acts", "counts in matrix answers []; it must answer every head"),
        ("answers", "answers 9 to 'choose'; a choice from 0 to 1"),
        ("begins", "does not go on from it"),
        ("shapes", "not what init makes (the whole: [] float32 became [1] float32)"),
        ("learns", "changes its type in an update (the whole: [] float32 became [] int32)"),
        ("phases", "never asks for situation.at(progress)"),
        ("goes on", "learns otherwise in 2 parts than in one go"),
    ],
)
def test_the_check_of_a_learner_finds_what_is_wrong(fault, says):
    found = [(c.name, c.sentence) for c in check(Counts(fault), [Matrix()]) if c.passed is False]
    assert [name for name, _ in found] == ([{"shapes": "begins"}.get(fault, fault)] if fault else [])
    assert all(says in sentence for _, sentence in found)


# --- Q-learning from a table --------------------------------------------------------------------------------------


@eqx.filter_jit
def _late(learner, place, keys, updates):
    def one(key):
        run, _ = learner.learn(place, learner.begin(key, place), updates, jnp.int32(updates))
        return evaluate(key, place, learner, learner.mind(run), worlds=4)

    return jax.vmap(one)(keys)


def trained(learner, place, updates=30):
    """The measures of what was learned from four seeds, {name: [4]}; one program where only settings differ."""
    found = np.asarray(_late(learner, place, jax.random.split(KEY, 4), updates))
    return dict(zip(measures(place), found.T, strict=True))


def test_a_table_learns_to_defect_in_the_dilemma_and_to_agree_in_a_stag_hunt():
    """One program for both games, so that only payoffs differ."""
    assert trained(TABLE, Matrix())["defection"].tolist() == [1.0] * 4
    hunt = trained(TABLE, Matrix.preset("stag"))
    assert set(hunt["defection"]) <= {0.0, 1.0}  # both hunt stags or both hunt hares
    np.testing.assert_array_equal(hunt["reward"], np.where(hunt["defection"] == 1, 2, 8))


def test_whoever_learns_can_decide_for_all():
    """Joint control holds any learner: one table for the four ways in which two can answer the dilemma."""
    found = trained(Joint(TABLE), Matrix(payoff=[[[3.0, 0], [4, 1]], [[3, 4], [0, 1]]]))
    assert found["defection"].tolist() == [0.0] * 4
    assert found["reward"].tolist() == [6.0] * 4


def test_an_entry_moves_as_the_rule_says():
    """Q(s, a) += rate (u + gamma max Q(s', b) - Q(s, a)), towards the mean of the worlds that land there."""
    place = Matrix(horizon=9)
    learner = Tabular(cells=512, worlds=3, steps=1, learning_rate=0.5, gamma=0.9, epsilon=0.0, epsilon_end=0.0)
    run = eqx.filter_jit(lambda: learner.begin(KEY, place))()
    cell = lambda told: np.stack([learner.cell(place, {"last": x}) for x in told["last"]])  # noqa: E731
    table = jax.random.normal(jax.random.key(1), run.table.shape)
    run = eqx.tree_at(lambda r: r.table, run, table)
    before, old = cell(run.lives.told), np.asarray(table, np.float64)
    after, _ = eqx.filter_jit(lambda run: learner.learn(place, run, 1, jnp.int32(1)))(run)
    ended, new = np.asarray(after.lives.worlds.turn) == 0, old.copy()
    for i in range(2):
        moves: dict[tuple[int, int], list[float]] = {}
        for w in range(3):
            answer = [old[k, before[w, k]].argmax() for k in range(2)]  # nobody strays
            ahead = 0.0 if ended[w] else old[i, cell(after.lives.told)[w, i]].max()
            found = float(place.payoff[i, answer[0], answer[1]]) + 0.9 * ahead
            moves.setdefault((int(before[w, i]), int(answer[i])), []).append(found)
        for at, found in moves.items():
            new[i][at] += 0.5 * (np.mean(found) - old[i][at])
    np.testing.assert_allclose(after.table, new, atol=1e-5)
    assert (new != old).any()


def test_what_is_told_apart_has_rows_of_its_own():
    """All that two can remember of each other's last choices: nine rows for nine memories; and finer than a grain."""
    place, pool = Matrix(), Pool(agents=1)
    last = jnp.stack([jnp.concatenate([jnp.eye(3)[i], jnp.eye(3)[j]]) for i in range(3) for j in range(3)])
    rows = [int(TABLE.cell(place, {"last": jnp.stack([x, x])})[0]) for x in last]
    assert len(set(rows)) == 9
    row = lambda level: int(Tabular(grain=10).cell(pool, {"level": jnp.full((1, 1), level)})[0])  # noqa: E731
    assert len({row(k / 10) for k in range(11)}) == 11
    assert row(0.31) == row(0.3)


def test_what_no_table_holds_is_refused():
    with pytest.raises(Refusal, match=r"no row for what is seen in harvest \(view\); ppo looks"):
        Tabular().init(KEY, Harvest())
    wide = govern(Pool(levels=100), Contract(on="request", high=1.0, levels=20))
    with pytest.raises(Refusal, match="a table of 4200 answers is too wide for pool; 1024 at most"):
        Tabular().init(KEY, wide)


# --- what is wanted, and what is true -----------------------------------------------------------------------------

PLACE = Pool(agents=3)


def happened(payoff, **events):
    zero = jnp.zeros(3)
    told = dict.fromkeys(PLACE.emits, zero) | {k.replace("__", "."): jnp.array(v) for k, v in events.items()}
    return Outcome(jnp.array(payoff), zero, told, jnp.array(False))


def test_objectives_by_hand():
    outcome, memory = happened([3.0, 0.0, 0.0], harvest=[3.0, 1.0, 0.0]), jnp.zeros(3)
    want = lambda objective: objective.feel(memory, PLACE, outcome)[1]  # noqa: E731
    np.testing.assert_allclose(want(Own()), [3, 0, 0])
    np.testing.assert_allclose(want(Common()), [1, 1, 1])
    np.testing.assert_allclose(want(SVO(angle=0.0)), [3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(want(SVO(angle=90.0)), [0, 1.5, 1.5], atol=1e-5)
    half, root = 0.5, np.sqrt(0.75)  # of sixty degrees
    np.testing.assert_allclose(want(SVO(angle=60.0)), [3 * half, 1.5 * root, 1.5 * root], rtol=1e-5)
    np.testing.assert_allclose(want(Proxy(on="harvest", weight=2.0)), [6, 2, 0])
    np.testing.assert_allclose(want(Proxy(on="harvest", weight=-1.0, beside=2.0)), [3, -1, 0])
    smooth, utility = Inequity(envy=2.0, guilt=1.0, decay=0.5).feel(memory, PLACE, outcome)
    # the rich one: guilt (3 + 3) / 2 = 3; the poor ones: envy 2 * 3 / 2 = 3
    np.testing.assert_allclose(utility, [0, -3, -3], atol=1e-6)
    smooth, _ = Inequity(decay=0.5).feel(smooth, PLACE, happened([0.0, 0.0, 0.0]))
    np.testing.assert_allclose(smooth, [1.5, 0, 0])


def test_objectives_are_found_by_their_names():
    known = {"own": Own, "common": Common, "svo": SVO, "inequity": Inequity, "proxy": Proxy, "formula": Formula,
             "edited": Edited, "individual": Individual, "aggregate": Aggregate, "decisions": Decisions}  # fmt: skip
    assert catalogue.things("objective") == known
    with pytest.raises(Refusal, match=r"proxy\.on is 'harvst'; did you mean 'harvest'"):
        build(Proxy, on="harvst").feel(jnp.zeros(3), PLACE, happened([0.0, 0.0, 0.0]))
    with pytest.raises(Refusal, match=r"proxy\.on is 'kind'"):  # a label, not an amount
        build(Proxy, on="kind").feel(jnp.zeros(3), PLACE, happened([0.0, 0.0, 0.0]))


def test_an_objective_of_ones_own_is_named_by_its_file(tmp_path):
    file = tmp_path / "wants.py"
    file.write_text(
        "from nomoi.core import setting\n"
        "from nomoi.learners.objectives import Objective\n"
        "class Times(Objective):\n"
        "    by: object = setting(2.0, 'how often')\n"
        "    def feel(self, memory, situation, outcome):\n"
        "        return memory, self.by * outcome.payoff\n"
    )
    given = regimes.settings([f"learner.objective={file}:Times", "learner.objective.by=3"])["learner"]
    for who in (regimes.player("ppo", given), regimes.player(f"ppo(objective={file},objective.by=3)")):
        np.testing.assert_array_equal(who.objective.feel(jnp.zeros(3), PLACE, happened([1.0, 0.0, 2.0]))[1], [3, 0, 6])
    for wanted, said in ((f"{file}:Tmies", "did you mean 'Times'"), ("comon", "did you mean 'common'")):
        with pytest.raises(Refusal, match=said):
            regimes.player("ppo", {"objective": wanted})


class Bound(Objective):
    """What an institution decides is all that counts: to be bound by a contract, or not to be."""

    weight: Float[Array, ""] = setting(1.0, "utility of a step under a contract")

    def feel(self, memory, situation, outcome):
        return memory, self.weight * outcome.events["contract.bound"]


def test_an_institutions_decision_can_be_what_is_learned():
    """Who wants to be bound signs a contract that costs it, and who wants to be free does not."""
    place = govern(Matrix(), Contract(on="defect", high=4.0, levels=2, voters=0))
    for weight, bound in ((1.0, 1.0), (-1.0, 0.0)):
        learner = Tabular(objective=Bound(weight=weight), cells=256, worlds=8, steps=16, epsilon=0.5)
        assert trained(learner, place, 60)["bound"].tolist() == [bound] * 4


def test_what_is_true_is_measured_whatever_is_wanted():
    """The same behaviour (it learns nothing) is measured alike under objectives that could not differ more."""
    place = Matrix(horizon=3)
    idle = PPO(worlds=4, steps=8, minibatches=2, epochs=1, hidden=4, learning_rate=0.0, learning_rate_end=0.0)

    @eqx.filter_jit
    def lived(objective):
        learner = dataclasses.replace(idle, objective=objective)
        return learner.learn(place, learner.begin(KEY, place), 3, jnp.int32(3))[1]

    wants = (Proxy(on="defect", weight=-7.0), Proxy(on="defect", weight=0.0, beside=1.0))
    one, other = map(lived, wants)
    equal(one, other)
    assert float(one.count.sum()) > 0
