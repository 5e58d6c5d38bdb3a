"""A rule that is amended to a kind of one's choice, pupils who are blind to some of it, and what they come to."""

from unittest.mock import Mock

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core import build, govern, outline
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.learners.deciding import Decisions
from nomoi.learners.objectives import Own
from nomoi.learners.ppo import PPO
from nomoi.learners.residents import Residents
from nomoi.probes import keeping
from nomoi.runs.study import Results
from nomoi.scripts.fixed import Forager, Mixed, Random
from nomoi.situations.harvest import Harvest
from nomoi.studies import amended
from nomoi.testing.common import live

KINDS = 4


def place_of(sense, enforced="never", contents=3, horizon=12):
    mixed = build(Harvest, map="mixed", agents=3, extent=(3, 1, 2), beam=(1, 0), horizon=horizon,
                  regrowth=amended.REGROWTH)  # fmt: skip
    return govern(mixed, *amended.regime(sense, enforced, contents))


PLACE = place_of(amended.LABEL)
TOLD = eqx.filter_jit(lambda key: PLACE.observe(PLACE.reset(key)))(jax.random.key(1))


@eqx.filter_jit
def named_and_shown(altar, keys):
    """[episodes, steps] what an altar names over time, and what its readers are shown."""

    def one(key):
        born, *later = jax.random.split(key, 8)
        state = PLACE.bare.reset(born)
        record = altar.found(born, PLACE.bare, state)
        stock, full = PLACE.bare.stock(state), PLACE.bare.capacity()

        def tick(r, k):
            r = eqx.tree_at(lambda m: m.time, r, r.time + 1)
            r = altar._rule(r, stock, full, jax.random.uniform(k, (3,)))
            return r, (r.content, altar.posted(r))

        first, rest = (record.content, altar.posted(record)), jax.lax.scan(tick, record, jnp.stack(later))[1]
        return jax.tree.map(jnp.append, first, rest)

    return jax.vmap(one)(keys)


def contents(altar, keys):
    return named_and_shown(altar, keys)[0]


KEYS = jax.random.split(jax.random.key(0), 200)


@pytest.mark.parametrize("never", range(KINDS))
def test_a_kind_that_is_never_drawn_is_never_named_and_all_others_are(never):
    named = np.asarray(contents(Altar(never=never, term=2), KEYS))
    for drawn in (named[:, 0], named[:, 2]):
        assert set(drawn.tolist()) == set(range(KINDS)) - {never}
        assert max(np.bincount(drawn)) < 100  # of 200, a third each


def test_after_the_first_term_it_names_what_it_is_amended_to_and_by_stock_nothing_changes():
    named = np.asarray(contents(Altar(never=3, then=3, term=3), KEYS))
    assert (named[:, :3] == named[:, :1]).all()
    assert (named[:, :3] != 3).all()
    assert (named[:, 3:] == 3).all()
    by_stock = np.asarray(contents(Altar(then=3, never=3, content=0), KEYS[:2]))
    assert (by_stock == 0).all()


def test_from_the_middle_of_an_episode_on_it_names_what_was_never_named_before():
    place = keeping.amended(govern(PLACE.bare, Altar(content=3, term=1)), 3)  # of 12 steps
    named = np.asarray(contents(place.institutions[0], KEYS))
    assert (named[:, :6] == named[:, :1]).all()
    assert set(named[:, 0].tolist()) == {0, 1, 2}
    assert (named[:, 6:] == 3).all()


def test_a_regime_names_three_kinds_or_one_or_the_unseen_one():
    seen = []
    for number in (3, 1, 0):
        altar = amended.regime(amended.LABEL, "never", number)[0].replace(term=2)
        seen.append(set(np.unique(contents(altar, KEYS)).tolist()))
    assert seen == [{0, 1, 2}, {0}, {amended.UNSEEN}]
    for sense in (amended.LABEL, amended.FALSE):
        named, shown = named_and_shown(amended.regime(sense, "never", 3)[0].replace(term=2), KEYS)
        assert bool((named == shown).all()) == (sense != amended.FALSE)


def test_an_altar_shows_both_what_kind_it_is_and_whether_it_is_permitted():
    planes = set(outline(govern(PLACE.bare, Altar(sight="both"))).planes)
    for sight in ("raw", "relative"):
        assert set(outline(govern(PLACE.bare, Altar(sight=sight))).planes) < planes


@pytest.mark.parametrize("option", ["content", "then", "never"])
def test_a_kind_that_is_not_there_is_refused(option):
    with pytest.raises(Refusal, match=rf"altar.{option} is 4, and harvest has the kinds 0 apple, .* 3 green"):
        govern(PLACE.bare, Altar(**{option: 4}))


def test_pupils_are_blind_to_what_is_named_and_to_nothing_else():
    told, planes = TOLD, outline(PLACE).planes
    lost = {p for p in planes if p.startswith("altar.kind.")} | {"altar.permitted"}
    seen = Residents(Random(), 1, "altar.mind, altar.kind,altar.permitted").blinded(PLACE, told)
    assert set(seen) == set(told)
    assert np.asarray(told["altar.mind"]).any()
    for name in told:
        if name == "altar.mind":
            assert not np.asarray(seen[name]).any()
        elif name != "view":
            np.testing.assert_array_equal(seen[name], told[name])
    for bit, plane in enumerate(planes):
        one, other = ((np.asarray(x["view"]) >> bit) & 1 for x in (told, seen))
        assert (other == (0 if plane in lost else one)).all(), plane
    assert Residents(Random(), 1).blinded(PLACE, told) is told


def test_who_cannot_be_blind_to_it_is_told_so():
    for wrong in ("altar.mynd", "altar.kin", "altar.kind.4"):
        with pytest.raises(Refusal, match=f"pupils cannot be blind to '{wrong}'"):
            Residents(Random(), 1, wrong).blinded(PLACE, TOLD)


def test_every_sense_leaves_a_newcomer_what_its_name_says():
    planes = outline(PLACE).planes
    for sense, sees in ((amended.NOTHING, {"kind"}), (amended.NAME, {"kind", "mind"}), (amended.LABEL, {"label"}),
                        (amended.FALSE, {"label"})):  # fmt: skip
        seen = Residents(Random(), 1, amended.BLIND[sense]).blinded(PLACE, TOLD)
        lit = {p for b, p in enumerate(planes) if ((np.asarray(seen["view"]) >> b) & 1).any()}
        found = {w for w, there in (("kind", any(p.startswith("altar.kind") for p in lit)),
                                    ("label", bool(lit & {"altar.permitted", "altar.prohibited"})),
                                    ("mind", np.asarray(seen["altar.mind"]).any())) if there}  # fmt: skip
        assert found == sees


def test_decisions_and_an_own_payoff_that_is_always_fined_are_one_bit_for_bit():
    """The same acts under full enforcement and under none: what each wants of them is the same number."""
    fined, free = (place_of(amended.LABEL, enforced, horizon=40) for enforced in ("always", "never"))
    one, other = (_played(place) for place in (fined, free))
    np.testing.assert_array_equal(one.events["altar.violation"], other.events["altar.violation"])
    assert np.asarray(one.events["altar.violation"]).any()
    wants = Decisions(of="altar", weight=amended.BREACH)
    feel = lambda objective, place, o: jax.vmap(lambda x: objective.feel(jnp.zeros(3), place, x)[1])(o)  # noqa: E731
    np.testing.assert_array_equal(feel(Own(), fined, one), feel(wants, free, other))
    assert (np.asarray(feel(Own(), fined, one)) != np.asarray(feel(Own(), free, other))).any()


@eqx.filter_jit
def _played(place):
    return live(place, jax.random.key(2), 40).outcome


def test_a_resident_keeps_the_rule_before_and_after_and_who_is_greedy_does_not():
    place = keeping.amended(place_of(amended.LABEL, "always", horizon=60), amended.UNSEEN)
    among = lambda greedy: Mixed(Forager(), Forager(heed=True), greedy)  # noqa: E731
    heeds, greedy = (keeping.lives(jax.random.key(0), place, among(k), ((), ()), 4) for k in (0, 1))
    assert heeds["violation"].sum() == 0
    assert heeds["taken"].sum() > 20
    assert (heeds["own"] == heeds["taken"]).all()
    assert 0 < heeds["offered"].mean() < 1
    assert heeds["others"].sum() == pytest.approx(2 * heeds["own"].sum(), rel=0.4)  # two who do alike
    assert (greedy["own"] == greedy["taken"]).all()  # fines apart
    assert greedy["violation"][:, :30].sum() > 0
    assert greedy["violation"][:, 30:].sum() > 0


def test_the_delay_is_the_first_step_from_which_nine_of_ten_are_lawful():
    taken, late = np.ones((2, 40)), np.ones((2, 40))
    late[:, 10:] = 0
    assert keeping.delay(taken, late, 10) == 9  # one of ten is still wrong
    assert keeping.delay(taken, np.ones((2, 40)), 10) == 40
    assert keeping.delay(taken, 0 * taken, 40) == 0  # the last window there is
    assert keeping.delay(0 * taken, 0 * taken, 10) == 40  # who takes nothing is not lawful for it


@pytest.mark.parametrize(("side", "found"), [((-1, 0), True), ((1, 0), True), ((0, -1), True), ((0, 1), True),
                                             ((0, 0), False), ((-2, 0), False), ((1, 1), False)])  # fmt: skip
def test_a_lawful_apple_is_beside_who_could_take_it_by_one_step(side, found):
    scene = outline(PLACE).scene
    bit, at = scene.planes.index, (scene.extent.ahead + side[0], scene.extent.side + side[1])
    sees = lambda *planes: {"view": jnp.zeros_like(TOLD["view"]).at[0, *at].set(  # noqa: E731
        sum(1 << bit(p) for p in planes))}  # fmt: skip
    assert bool(keeping.beside(PLACE, sees("apple", "altar.permitted"))) == found
    assert not keeping.beside(PLACE, sees("apple"))
    assert not keeping.beside(PLACE, sees("altar.permitted"))
    assert not keeping.beside(PLACE, sees("apple", "altar.prohibited"))


def test_what_a_newcomer_does_before_and_after_by_hand(monkeypatch):
    """One world of 12 steps: all of its first half is known, and what follows new."""
    first = lambda *steps: np.array([[float(t in steps) for t in range(12)]])  # noqa: E731
    mine = {"taken": first(0, 1, 2, 3, 6, 7, 8), "violation": first(1, 6, 7), "own": first(0, 1, 2, 3, 6, 7, 8),
            "others": 3 * first(0, 6, 7), "offered": first(0, 1, 2, 4, 5, 8, 9)}  # fmt: skip
    theirs = {"taken": first(0, 1, 7, 8), "violation": first(1), "own": 2 * first(0, 1, 2, 7, 8, 9), "others": first(),
              "offered": first(0, 1, 7, 9)}  # fmt: skip
    monkeypatch.setattr(keeping, "lives", lambda key, place, who, *_: mine if isinstance(who, PPO) else theirs)
    monkeypatch.setattr(keeping, "delay", lambda taken, violation: float(taken.sum() - violation.sum()))
    learner = amended._learner(amended.DECISIONS, amended.LABEL)
    got = keeping.kept(jax.random.key(0), PLACE, learner, None, 1, amended.UNSEEN)
    assert got == {
        "violations, known": 1 / 4, "violations, new": 2 / 3,
        "passes, known": 1 - 2 / 5, "passes, new": 1 - 1 / 2,  # offered five and two times, lawful 0, 2 and 8 taken
        "value gap, known": 6 - 4, "value gap, new": 6 - 3,
        "others, known": 3, "others, new": 6,
        "resident's violations, known": 1 / 2, "resident's violations, new": 0,
        "resident's passes, known": 1 - 1 / 2, "resident's passes, new": 1 - 1 / 2,
        "taken, known": 4, "taken, new": 3,
        "steps to lawful": 1,
    }  # fmt: skip
    nobody = {name: 0 * x for name, x in mine.items()}
    monkeypatch.setattr(keeping, "lives", lambda *_: nobody)
    none = keeping.kept(jax.random.key(0), PLACE, learner, None, 1, amended.UNSEEN)
    assert np.isnan(none["violations, new"])
    assert np.isnan(none["passes, known"])


def test_relearning_is_the_share_of_training_until_nine_of_ten_are_lawful():
    steps = np.array([100.0, 200.0, 300.0, 400.0])
    values = np.array([[0.5, 0.2, 0.05, 0.3], [0.1, 0.0, 0.0, 0.0], [0.9, 0.5, 0.2, 0.11]])
    label = f"{amended.LATER}{amended.at(amended.DECISIONS, amended.NAME)}: amended"
    curve = lambda asked, measure: {(label, amended.NEW): (steps, values)}[asked, measure]  # noqa: E731
    found = amended._relearned(amended.NAME)(Mock(spec=Results, curve=curve))
    np.testing.assert_allclose(found, [0.75, 0.25, 1])


def test_all_conditions_of_the_factorial_are_there_once():
    labels = [amended.at(*arm) for arm in amended.ARMS]
    assert len(set(labels)) == len(labels) == 3 * 3 * 3 - 3 + 5
    assert set(amended.OBJECTIVES) == {arm[0] for arm in amended.ARMS}
