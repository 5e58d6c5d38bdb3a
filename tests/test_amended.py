"""A rule that is amended to a kind of one's choice, pupils who are blind to some of it, and what they come to."""

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
from nomoi.learners.residents import Residents
from nomoi.probes import keeping
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
def contents(altar, keys):
    """[episodes, steps] what an altar names over time."""

    def one(key):
        born, *later = jax.random.split(key, 8)
        state = PLACE.bare.reset(born)
        record = altar.found(born, PLACE.bare, state)
        stock, full = PLACE.bare.stock(state), PLACE.bare.capacity()

        def tick(r, k):
            r = eqx.tree_at(lambda m: m.time, r, r.time + 1)
            r = altar._rule(r, stock, full, jax.random.uniform(k, (3,)))
            return r, r.content

        rest = jax.lax.scan(tick, record, jnp.stack(later))[1]
        return jnp.append(record.content, rest)

    return jax.vmap(one)(keys)


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
    place = keeping.amended(place_of(amended.LABEL, horizon=60), amended.UNSEEN)
    among = lambda greedy: Mixed(Forager(), Forager(heed=True), greedy)  # noqa: E731
    heeds, greedy = (keeping.lives(jax.random.key(0), place, among(k), ((), ()), 4) for k in (0, 1))
    assert heeds["violation"].sum() == 0
    assert heeds["taken"].sum() > 20
    assert (heeds["own"] == heeds["taken"]).all()
    assert 0 < heeds["offered"].mean() < 1
    assert greedy["violation"][:, :30].sum() > 0
    assert greedy["violation"][:, 30:].sum() > 0


def test_the_delay_is_the_first_step_from_which_nine_of_ten_are_lawful():
    taken, late = np.ones((2, 40)), np.ones((2, 40))
    late[:, 10:] = 0
    assert keeping.delay(taken, late, 10) == 9  # one of ten is still wrong
    assert keeping.delay(taken, np.ones((2, 40)), 10) == 40
    assert keeping.delay(0 * taken, 0 * taken, 10) == 40  # who takes nothing is not lawful for it
