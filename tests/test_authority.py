"""Which institution counts: inference of norms, the public record, enforcers, newcomers and the study."""

from functools import cache
from itertools import product
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import SITUATIONS, run
from test_institutions import SHELF, N, found, happened, settle

from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.authority import Authority
from nomoi.institutions.chronicle import Chronicle
from nomoi.institutions.sanction import Sanction
from nomoi.probes.newcomers import behaviour, beliefs, lives
from nomoi.report.study import write_page
from nomoi.runs.claims import UNTESTED
from nomoi.runs.study import Findings
from nomoi.runs.study import run as perform
from nomoi.scripts.enforcer import Enforcer
from nomoi.scripts.fixed import Forager, Mixed
from nomoi.scripts.inference import NULLS, Inference, likelihood, weigh
from nomoi.scripts.newcomer import Newcomer, Standing
from nomoi.situations.walkers import AHEAD, ZAP
from nomoi.studies import authority as study

RED, BLUE, GREEN = range(3)
chance = st.tuples(st.lists(st.booleans(), min_size=3, max_size=3), st.booleans())
chances = st.lists(chance, max_size=12)


def enumerated(seen: Any, hit: float, doubt: float, forget: float = 1.0) -> np.ndarray:
    """The posterior by multiplying out, hypothesis by hypothesis, in float64 and without logarithms."""
    joint = []
    for k in range(3 + NULLS):
        p = (1 - doubt) / 3 if k < 3 else doubt / NULLS
        for age, (verdict, sanctioned) in enumerate(reversed(seen)):
            expects = verdict[k] if k < 3 else False
            one = 0.5 if k == 4 else hit if expects == sanctioned else 1 - hit
            p *= one ** (forget**age)
        joint.append(p)
    return np.array(joint) / sum(joint)


def counts(seen: Any) -> tuple[Any, Any]:
    """The same chances as counts, taken and passed over: against anybody, against each candidate's convicts."""
    taken, passed = np.zeros(4, np.float32), np.zeros(4, np.float32)
    for verdict, sanctioned in seen:
        (taken if sanctioned else passed)[:] += [1, *verdict]
    return jnp.asarray(taken), jnp.asarray(passed)


@given(chances, st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_the_posterior_is_that_of_enumeration(seen, hit, doubt):
    mind = Inference(hit=hit, doubt=doubt)
    at_once = mind.posterior(mind.learn(mind.blank(3), *counts(seen)))
    np.testing.assert_allclose(at_once, enumerated(seen, hit, doubt), atol=2e-5)
    evidence = mind.blank(3)
    for one in seen:
        evidence = mind.learn(evidence, *counts([one]))
    np.testing.assert_allclose(mind.posterior(evidence), at_once, atol=2e-5)


@given(chances, st.floats(0.5, 1.0))
def test_with_forgetting_each_chance_counts_less_the_more_came_after_it(seen, forget):
    mind, evidence = Inference(forget=forget), Inference().blank(3)
    for one in seen:
        evidence = mind.learn(evidence, *counts([one]))
    np.testing.assert_allclose(mind.posterior(evidence), enumerated(seen, 0.9, 0.5, forget), atol=2e-5)


@given(st.lists(chance, min_size=12, max_size=12))
def test_counts_weigh_as_much_as_the_chances_one_by_one(seen):
    verdict = jnp.asarray(np.array([v for v, _ in seen], bool).reshape(-1, 3))
    happened_ = jnp.asarray(np.array([s for _, s in seen], bool))
    one_by_one = likelihood(verdict, happened_, 0.9).sum(0)
    np.testing.assert_allclose(weigh(*counts(seen), 0.9)[:3], one_by_one, rtol=1e-4, atol=1e-4)


def test_a_switch_is_found_by_who_forgets_long_before_who_does_not():
    """60 sanctions by the first candidate's word, then by the second's."""
    first, second = ([True, False, False], True), ([False, True, False], True)

    def needed(forget: float) -> int:
        mind, evidence = Inference(forget=forget, doubt=0.0), Inference().blank(3)
        learn = jax.jit(lambda *about: mind.learn(*about))
        for one in [first] * 60:
            evidence = learn(evidence, *counts([one]))
        for t in range(200):
            if mind.posterior(evidence)[1] > 0.5:
                return t
            evidence = learn(evidence, *counts([second]))
        return 200

    # by arithmetic: 61 against 60, and the smallest t with .9^t (1 - .9^60) < 1 - .9^t
    assert needed(1.0) == 61
    assert needed(0.9) == 7


def test_evidence_fades_by_what_is_seen_and_not_by_the_clock():
    mind, before = Inference(forget=0.5), jnp.array([4.0, 0, 0, 0, 0])
    nothing, two = jnp.zeros(4), jnp.array([2.0, 0, 0, 0])
    assert mind.learn(before, nothing, nothing).tolist() == before.tolist()
    np.testing.assert_allclose(mind.learn(before, nothing, two), before / 4 + weigh(nothing, two, 0.9), rtol=1e-6)


def test_without_evidence_the_prior_stands_however_much_is_forgotten():
    for forget in (1.0, 0.5):
        mind = Inference(doubt=0.4, forget=forget)
        evidence = mind.learn(mind.blank(3), jnp.zeros(4), jnp.zeros(4))
        np.testing.assert_allclose(mind.posterior(evidence), [0.2] * 5, atol=1e-6)
        np.testing.assert_allclose(Inference(doubt=0.0).posterior(evidence), [1 / 3] * 3 + [0, 0], atol=1e-6)


def test_where_violators_of_every_law_are_spared_nobody_is_sanctioned_and_where_all_are_struck_it_is_chance():
    mind = Inference()
    spared = mind.learn(mind.blank(3), jnp.zeros(4), jnp.array([30.0, 10, 10, 10]))
    assert mind.posterior(spared)[3] > 0.99
    both = mind.learn(mind.blank(3), jnp.array([15.0, 5, 5, 5]), jnp.array([15.0, 5, 5, 5]))
    assert mind.posterior(both)[4] > 0.99


# --- the record -----------------------------------------------------------------------------------------------


def test_the_chronicle_counts_chances_taken_and_passed_over_by_what_the_target_bore_before():
    """On the shelf agent 0 always aims at 1, and 2 at 3."""
    c = Chronicle(among="altar,shrine", span=2)
    nobody, guilty = np.zeros(N), np.eye(N)[1]

    def later(memory, altar, shrine, **what):
        outcome = happened(**what, altar__marked=altar, shrine__marked=shrine)
        return settle(c, memory, outcome)[:2]

    def read(memory, viewer):
        told = c.inform(memory, SHELF, jnp.zeros(3), None, {})
        return np.asarray(told["latest"][viewer]).reshape(2, -1).tolist(), np.asarray(told["rate"][viewer]).tolist()

    memory, facts = later(found(c, SHELF), guilty, nobody, harvest=(0, 1, 0, 0), kind=(0, BLUE, 0, 0))
    assert not facts["chance"].any()  # nobody had seen anybody yet
    memory, facts = later(memory, nobody, nobody, hits=[(0, 1)])
    assert facts["chance"].tolist() == [1, 0, 1, 0]
    assert facts["fired"].tolist() == [1, 0, 0, 0]
    # anybody, red, blue, green, altar, shrine: 1 bore blue and was guilty under the altar; 3 bore nothing
    taken, passed = [1, 0, 1, 0, 1, 0], [1, 0, 0, 0, 0, 0]
    assert read(memory, 1) == ([taken, passed], [0.5, 0, 1, 0, 1, 0])
    assert read(memory, 0) == ([[0] * 6, passed], [0] * 6)  # one's own doings are left out
    assert read(memory, 2) == ([taken, [0] * 6], [1, 0, 1, 0, 1, 0])
    memory, facts = later(memory, nobody, guilty)
    assert read(memory, 1)[0] == [[0] * 6, [2, 0, 0, 0, 0, 0]]  # the hit had cleared the trace
    memory, facts = later(memory, nobody, nobody)
    assert read(memory, 1)[0] == [[0] * 6, [2, 0, 0, 0, 0, 1]]
    np.testing.assert_allclose(read(memory, 1)[1], [1 / 6, 0, 1, 0, 1, 0], rtol=1e-6)


def test_the_chronicle_of_random_play_is_what_a_bystander_would_write():
    s = SITUATIONS["harvest"]
    got = run(govern(s, Altar(), Sanction(), Chronicle(among="altar", span=20)), 1)
    aim = np.asarray(jax.vmap(s.aim)(got.world("before")))
    marked = np.roll(got.outcome.events["altar.marked"] > 0, 1, 0)
    shot = got.outcome.events["shot"] > 0
    told = got.seen["chronicle.latest"].reshape(len(shot), s.agents, 2, -1)
    seen = 0
    for t in range(1, len(shot) - 1):
        for viewer in range(s.agents):
            want = np.zeros((2, 2))
            for i in range(s.agents):
                if i != viewer and aim[t, i].any():
                    want[0 if shot[t, i] else 1] += [1, (aim[t, i] & marked[t]).any()]
            np.testing.assert_array_equal(told[t + 1, viewer][:, [0, -1]], want)
            seen += want.sum()
    assert seen > 50


def test_the_kinds_of_the_chronicle_are_those_last_taken_within_the_span():
    c = Chronicle(span=1)
    memory = found(c, SHELF)
    borne = []
    for harvest in ((0, 1, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)):
        kind = RED if not borne else GREEN
        memory, *_ = settle(c, memory, happened(harvest=harvest, kind=(0, kind, 0, 0)))
        borne.append(np.flatnonzero(memory.chance[0, 1:4]).tolist())
    assert borne == [[RED], [GREEN], [GREEN], []]


# --- authority ------------------------------------------------------------------------------------------------


def test_the_authority_passes_on_the_verdicts_of_the_one_that_counts():
    one, other = np.eye(N)[0], np.eye(N)[1]
    facts = {f"{name}__{f}": v for name, v in (("altar", one), ("shrine", other)) for f in ("violation", "violator")}
    outcome = happened(**facts, altar__marked=one, shrine__marked=other)
    for seat, heir, turn, want in ((0, 1, 2, "aabb"), (1, 0, 0, "bbbb"), (-1, 0, 1, "-aaa"), (0, -1, 3, "aaa-")):
        a = Authority(among="altar,shrine", seat=seat, heir=heir, turn=turn)
        memory = found(a, SHELF)
        for expected in want:
            memory, said, moved = settle(a, memory, outcome)
            for fact in ("violation", "violator", "marked"):
                assert said[fact].tolist() == {"a": one, "b": other, "-": np.zeros(N)}[expected].tolist()
            assert not moved.any()


def test_an_authority_that_is_none_of_them_is_refused():
    with pytest.raises(Refusal, match=r"authority\.seat is 1; those among which one counts are 0 altar\."):
        govern(SITUATIONS["harvest"], Altar(), Authority(seat=1))
    with pytest.raises(Refusal, match=r"authority needs 'shrine\.violation'"):
        govern(SITUATIONS["harvest"], Altar(), Authority(among="altar,shrine"))


# --- staged scenes --------------------------------------------------------------------------------------------

PLACE = study.community(term=40)
FACING = 1


@eqx.filter_jit
def act(learner, place, seen, carry, seed):
    return learner.act(jax.random.key(seed), (), place, seen, carry)


@eqx.filter_jit
def look(place, state):
    return place.observe(state)


@cache
def begun():
    return eqx.filter_jit(PLACE.reset)(jax.random.key(0))


def stage(contents=(RED, BLUE, GREEN), trace: int | None = None, apples=()):
    """Agent 0 faces agent 1, two cells ahead, in the middle of the blue patch; nothing grows but the `apples`.

    The altars say `contents`; agent 1 shows that it last took `trace`; apples lie just ahead of 0, of a kind each.
    """
    state = begun()
    land = PLACE.situation.land
    row = 4 * land.width
    cells = jnp.array([row + 7, row + 9, *(land.find("P")[:3].tolist())], jnp.int32)
    body = eqx.tree_at(lambda b: (b.cell, b.facing), state.world.body, (cells, jnp.full(5, FACING, jnp.int32)))
    live = np.zeros(len(land.sites), bool)
    for cell in apples:
        live[land.site_of[cell]] = True
    world = eqx.tree_at(lambda w: (w.body, w.apples), state.world, (body, jnp.asarray(live)))
    memory = list(state.memory)
    for k, content in enumerate(contents):
        marks = memory[k].marks
        if trace is not None:
            one = jnp.arange(5) == 1
            marks = eqx.tree_at(
                lambda m: (m.verdict, m.trace, m.age), marks,
                (one & (trace != content), jnp.where(one, trace, 3), jnp.where(one, 0, 99)),
            )  # fmt: skip
        said = (jnp.int32(content), marks, jnp.full(5, content, jnp.int32))
        memory[k] = eqx.tree_at(lambda r: (r.content, r.marks, r.read), memory[k], said)
    return eqx.tree_at(lambda s: (s.world, s.memory), state, (world, tuple(memory)))


def moves(learner, state, carry=None, seeds=1) -> list[int]:
    """What agent 0 does, under several keys."""
    seen = look(PLACE, state)
    carry = learner.start((), PLACE) if carry is None else carry
    return [int(act(learner, PLACE, seen, carry, jnp.int32(s))[0]["move"][0]) for s in range(seeds)]


def test_enforcers_strike_who_bears_a_trace_that_their_law_prohibits_and_nobody_else():
    enforcer = Enforcer(law="altar", heir="shrine")
    assert moves(enforcer, stage(trace=BLUE)) == [ZAP]
    assert moves(enforcer, stage(trace=RED)) != [ZAP]
    assert moves(enforcer, stage(trace=None)) != [ZAP]
    assert ZAP not in moves(enforcer.replace(zeal=0.0), stage(trace=BLUE), seeds=8)
    assert moves(enforcer.replace(whim=1.0), stage(trace=RED)) == [ZAP]
    some = moves(enforcer.replace(zeal=0.5), stage(trace=BLUE), seeds=24)
    assert 4 < some.count(ZAP) < 20


def test_enforcers_heed_the_heir_from_the_turn_on():
    enforcer = Enforcer(law="altar", heir="shrine", turn=7)
    for time, trace, strikes in ((6, BLUE, True), (6, RED, False), (7, BLUE, False), (7, RED, True)):
        assert (moves(enforcer, stage(trace=trace), jnp.int32(time)) == [ZAP]) == strikes


def ahead() -> int:
    """The cell just ahead of agent 0: a blue apple grows there."""
    land = PLACE.situation.land
    cell = 4 * land.width + 8
    assert land.letter[land.site_of[cell]] == "B"
    return cell


def test_enforcers_eat_what_the_law_permits_and_step_around_the_rest():
    enforcer = Enforcer(law="altar", heir="shrine")
    assert moves(enforcer, stage((BLUE, RED, RED), apples=[ahead()])) == [AHEAD]
    assert AHEAD not in moves(enforcer, stage((RED, BLUE, BLUE), apples=[ahead()]), seeds=8)
    assert moves(enforcer.replace(slip=1.0), stage((RED, BLUE, BLUE), apples=[ahead()])) == [AHEAD]
    assert AHEAD not in moves(enforcer.replace(spare=1), stage((BLUE, RED, RED), apples=[ahead()]), seeds=8)


def believing(weights) -> Standing:
    return Standing(jnp.broadcast_to(jnp.asarray(weights, jnp.float32), (5, 5)), jnp.zeros((), jnp.int32))


SURE = dict(zip(("altar", "shrine", "temple", "nobody", "chance"), 20 * np.eye(5), strict=True))


@pytest.mark.parametrize("of", SURE)
def test_newcomers_live_by_what_they_believe_and_enforce_it(of):
    """The altar permits blue only, the shrine red, the temple green; a blue apple lies ahead, 1 has eaten blue."""
    newcomer, contents = Newcomer(among=study.NAMES), (BLUE, RED, GREEN)
    carry = believing(SURE[of])
    eats = moves(newcomer, stage(contents, apples=[ahead()]), carry, seeds=8)
    assert (eats == [AHEAD] * 8) if of in ("altar", "nobody", "chance") else AHEAD not in eats
    strikes = moves(newcomer, stage(contents, trace=BLUE), carry)
    assert (strikes == [ZAP]) == (of in ("shrine", "temple"))


def test_newcomers_that_do_not_infer_go_by_nothing_by_most_altars_or_by_what_they_were_told():
    newcomer, torn = Newcomer(among=study.NAMES), believing(SURE["temple"])
    for contents, believes, more, eats in (
        ((RED, RED, RED), "nothing", {}, True), ((BLUE, BLUE, RED), "majority", {}, True),
        ((BLUE, RED, GREEN), "majority", {}, False), ((BLUE, RED, RED), "told", {"named": 0}, True),
        ((BLUE, RED, RED), "told", {"named": 1}, False), ((BLUE, RED, RED), "told", {"named": -1}, True),
        ((BLUE, RED, RED), "told", {"named": 1, "heir": 0, "turn": 3}, False),
    ):  # fmt: skip
        did = moves(newcomer.replace(believes=believes, **more), stage(contents, apples=[ahead()]), torn, seeds=4)
        assert (did == [AHEAD] * 4) if eats else AHEAD not in did
    late = Standing(torn.evidence, jnp.int32(3))
    told = newcomer.replace(believes="told", named=1, heir=0, turn=3)
    assert moves(told, stage((BLUE, RED, RED), apples=[ahead()]), late) == [AHEAD]
    before = Standing(torn.evidence, jnp.int32(2))
    assert AHEAD not in moves(told, stage((BLUE, RED, RED), apples=[ahead()]), before, seeds=4)


def test_a_newcomer_in_doubt_obeys_before_it_strikes():
    """Evidence of ln 2 for the shrine and as much for nobody: P is about .2 and .3, the nulls together about .6."""
    newcomer, contents = Newcomer(among=study.NAMES), (BLUE, RED, GREEN)
    carry = believing([0, np.log(2), 0, np.log(2), 0])
    np.testing.assert_allclose(newcomer.belief(carry)[0], np.array([2, 4, 2, 6, 3]) / 17, rtol=1e-5)
    assert AHEAD not in moves(newcomer, stage(contents, apples=[ahead()]), carry, seeds=8)
    assert moves(newcomer, stage(contents, trace=BLUE), carry) != [ZAP]
    assert moves(newcomer.replace(sure=0.2), stage(contents, trace=BLUE), carry) == [ZAP]
    assert moves(newcomer.replace(caution=0.5), stage(contents, apples=[ahead()]), carry) == [AHEAD]


def test_newcomers_learn_from_the_chronicle_the_column_of_each_candidate():
    newcomer = Newcomer(among=study.NAMES, doubt=0.0)
    seen = look(PLACE, stage())
    doings = np.zeros((5, 2, 7), np.float32)
    doings[0, 0] = [1, 1, 0, 0, 0, 0, 1]  # somebody was struck whom the temple alone convicts
    carry = newcomer.start((), PLACE)
    _, carry = act(
        newcomer, PLACE, seen | {"chronicle.latest": jnp.asarray(doings.reshape(5, -1))}, carry, jnp.int32(0)
    )
    np.testing.assert_allclose(newcomer.belief(carry)[0], [1 / 11, 1 / 11, 9 / 11, 0, 0], atol=1e-6)
    np.testing.assert_allclose(newcomer.belief(carry)[1], [1 / 3] * 3 + [0, 0], atol=1e-6)


def traced(learner, place):
    """Whether a script can act there; nothing is computed."""

    def one(key):
        return learner.act(key, (), place, place.observe(place.reset(key)), learner.start((), place))

    return jax.eval_shape(one, jax.random.key(0))


def test_a_newcomer_may_infer_a_rule_against_a_kind():
    action, carry = traced(Newcomer(among="", zones="zones"), study.hidden(GREEN))
    assert action["move"].shape == (5,)
    assert carry.evidence.shape == (5, 3 + NULLS)


def test_scripts_say_what_they_lack():
    harvest, altar, armed = SITUATIONS["harvest"], Altar(), Sanction()
    for learner, place, word in (
        (Enforcer(), SITUATIONS["pool"], "enforcers walk to apples, and pool shows none"),
        (Enforcer(), govern(harvest, altar), "takes a sanction that is aware"),
        (Enforcer(), govern(harvest, altar, Sanction(aware=False)), "takes a sanction that is aware"),
        (Enforcer(), govern(harvest, Sanction(by="")), r"'altar\.permitted', which harvest does not show"),
        (Enforcer(law="shrine"), govern(harvest, altar, armed), r"'shrine\.permitted'.*did you mean"),
        (Enforcer(), govern(harvest, Altar(sight="raw"), armed), r"'altar\.permitted', which harvest"),
        (Newcomer(), govern(harvest, altar, armed), "read a public record, and harvest has no 'chronicle'"),
        (Newcomer(), govern(harvest, altar, armed, Chronicle()), r"chronicle\.among=altar would be right"),
    ):
        with pytest.raises(Refusal, match=word):
            traced(learner, place)


def test_a_forager_still_heeds_an_altar_among_several():
    assert traced(Forager(heed=True), PLACE)[0]["move"].shape == (5,)


# --- what is measured, and the study --------------------------------------------------------------------------


def test_beliefs_are_measured_against_what_counts():
    """One world, four steps, three candidates and two nulls; the second candidate counts from step 2 on."""
    belief = np.array([[[0.6, 0.2, 0.2, 0, 0], [0.96, 0, 0.04, 0, 0], [0.5, 0.3, 0, 0.1, 0.1], [0, 0.97, 0, 0.03, 0]]])
    counts, seen = np.array([0, 0, 1, 1]), np.array([[0, 3, 4, 6]])
    got = beliefs(belief, counts, seen, turn=2, caution=0.9)
    assert got["true"] == 0.97
    assert (got["among"], got["found"]) == (1, 1)
    assert (got["steps"], got["seen"]) == (2, 3)  # steps 2 and 3; the chances 4 to 6
    assert got["heeds false"] == 0.5
    assert (got["p 0"], got["p 1"], got["p 4"]) == (0.6, 0.96, 0.3)
    assert np.isnan(got["p 8"])
    alone = beliefs(belief[:, :2], counts[:2], seen[:, :2], turn=0, caution=0.9)
    assert (alone["steps"], alone["seen"], alone["heeds false"]) == (2, 3, 0)
    none = beliefs(belief, np.full(4, -1), seen, turn=0, caution=0.19)
    assert (none["true"], none["found"], none["heeds false"]) == (pytest.approx(0.03), 0, 0.5)
    never = beliefs(belief[:, :1], counts[:1], seen[:, :1], turn=0, caution=0.9)
    assert (never["steps"], never["found"]) == (1, 1)


def test_of_equal_candidates_one_is_drawn():
    belief = np.full((2, 3, 5), 0.2)
    got = beliefs(belief, np.zeros(3, int), np.zeros((2, 3)), turn=0, caution=0.9)
    assert got["found"] == pytest.approx(1 / 3)
    assert got["heeds false"] == pytest.approx(2 / 3)


def test_one_arm_is_lived_through_and_the_same_key_gives_the_same_life(monkeypatch):
    monkeypatch.setattr(study, "HORIZON", 60)
    options: dict[str, Any] = {"worlds": 2, **study.ARBITRARY}
    module, none, again = (
        study.joins(jax.random.key(3), **options, **more) for more in ({}, {"believes": "nothing"}, {})
    )
    assert module == again
    residents = Enforcer(law="altar", heir="shrine", spare=3)
    place, learner = study.community(40), Mixed(Newcomer(among=study.NAMES, spare=3), residents, 1)
    belief = lives(jax.random.key(0), place, learner, ((), ()), 2)["belief"]
    np.testing.assert_allclose(belief.sum(-1), 1, atol=1e-5)
    assert module["compliance"] > none["compliance"]
    assert module["harvest"] < none["harvest"]
    assert 0 < module["chances"] <= 4 * 60
    assert module["true"] > module["p 0"] == pytest.approx(1 / 6)


def test_a_smoke_run_states_every_claim_and_draws_every_figure(monkeypatch, tmp_path):
    """With made-up lives, so that nothing is compiled: every arm is asked for, judged and shown."""
    rng = np.random.default_rng(0)
    asked = []

    def made_up(key, place, learner, mind, worlds):
        asked.append((place, learner))
        steps, names = (
            place.horizon,
            ("harvest", "violation", "struck", "correct", "wrong", "fired", "chance", "payoff"),
        )
        life = {name: rng.integers(0, 2, (worlds, steps, 5)).astype(float) for name in names}
        life |= {"stock": rng.random((worlds, steps, 3)), "belief": rng.dirichlet(np.ones(5), (worlds, steps))}
        return life | {"chances": life["chance"][..., 1:].sum(-1).cumsum(1)}

    monkeypatch.setattr(study, "lives", made_up)
    findings = perform(study.STUDY, "smoke", tmp_path)
    assert isinstance(findings, Findings)
    assert len(asked) == len(study.trials("smoke")) == len(findings.results.records)
    assert {v.verdict for v in findings.verdicts} == {UNTESTED}
    assert all(np.isfinite(v.estimate.mean) for v in findings.verdicts)
    assert "When the authority passes on" in write_page(findings, tmp_path / "page.html").read_text()
    # arms that differ in settings alone share one program
    programs = {str(jax.tree.structure(pair)) for pair in asked}
    assert len(programs) == 2


def test_behaviour_is_that_of_the_newcomer_and_the_harvest_of_the_others_is_apart():
    life = {name: np.zeros((1, 4, 5)) for name in (*study.COLUMNS, "violation", "fired", "chance")}
    life["harvest"][0] = [[1, 0, 0, 0, 0], [1, 2, 0, 0, 0], [1, 0, 0, 0, 3], [1, 0, 0, 0, 0]]
    life["violation"][0, 3, 0] = 1
    life |= {"stock": np.array([[[1, 0.5], [1, 0.5], [1, 0], [1, 0.5]]]), "chances": np.arange(4)[None]}
    got = behaviour(life)
    assert (got["harvest"], got["others"], got["compliance"], got["late violation"]) == (4, 5, 0.75, 1)
    assert (got["emptied"], got["stock"], got["chances"]) == (0.5, 0.6875, 3)


def test_every_pair_of_null_and_candidate_is_told_apart_by_some_chance():
    """No two hypotheses give all chances the same probability."""
    kinds = [([a, b, c], s) for a, b, c, s in product([False, True], repeat=4)]
    table = np.array([weigh(*counts([one]), 0.9) for one in kinds])
    for i in range(5):
        for j in range(i):
            assert not np.allclose(table[:, i], table[:, j])
