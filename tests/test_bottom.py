"""Commons that differ: a public good, bookings, lobsters, a technique, an archive; and the rules made for them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core import govern
from nomoi.core.measure import Episode
from nomoi.errors import Refusal
from nomoi.institutions.berried import Berried
from nomoi.institutions.deposit import Deposit
from nomoi.institutions.fine import Fine
from nomoi.institutions.gate import Gate
from nomoi.institutions.gear import Gear
from nomoi.institutions.giveback import Giveback
from nomoi.institutions.licence import Licence
from nomoi.institutions.notch import Notch
from nomoi.institutions.peers import Peers
from nomoi.institutions.quota import Quota
from nomoi.institutions.season import Season
from nomoi.institutions.slot import Slot
from nomoi.institutions.traps import Traps
from nomoi.institutions.vent import Vent
from nomoi.institutions.wardens import Wardens
from nomoi.measure.measures import measures
from nomoi.populations.archives import Digital
from nomoi.populations.practice import Practice
from nomoi.situations.archive import Archive
from nomoi.situations.contribution import Contribution
from nomoi.situations.harvest import Harvest
from nomoi.situations.lobster import Lobster
from nomoi.situations.pool import Pool
from nomoi.situations.reservations import Reservations
from nomoi.situations.technique import Technique
from nomoi.studies import bookings, digital_commons, dynamite, groundfish, lobstering, punishing

KEY = jax.random.key(5)


def acts(place, state=None, **answers):
    """One step: heads as `keep`, and an institution's as `peers__punish`; whoever is not named answers 0."""
    state = born(place) if state is None else state
    said = {h: jnp.zeros(place.agents, jnp.int32) for h in place.actions}
    said |= {h.replace("__", "."): jnp.asarray(a, jnp.int32) for h, a in answers.items()}
    return stepped(place, state, said)


@eqx.filter_jit
def born(place):
    return place.reset(KEY)


@eqx.filter_jit
def stepped(place, state, said, key=KEY):
    return place.step(key, state, said)


def _all_say_yes(place):
    return {head: jnp.ones(place.agents, jnp.int32) for head in place.actions}


# --- a public good ----------------------------------------------------------------------------------------------


def test_a_round_of_the_public_good_by_hand():
    place = Contribution(members=3, bystanders=1, levels=5, endowment=2.0, multiplier=1.5)
    state, out = acts(place, keep=[0, 2, 4, 3])
    np.testing.assert_allclose(out.events["given"], [2, 1, 0, 0])
    np.testing.assert_allclose(out.events["shirked"], [0, 1, 2, 0])
    np.testing.assert_allclose(out.events["defect"], [0, 0.5, 1, 0])
    np.testing.assert_allclose(out.reward, [1.5, 2.5, 3.5, 2])  # the good is worth 1.5 x 3 / 3 to each member
    seen = place.observe(state)
    np.testing.assert_allclose(seen["given"][:, 0], 0.5)
    np.testing.assert_allclose(seen["kept"][:, 0], [0, 0.5, 1, 0])
    assert seen["stranger"][:, 0].tolist() == [0, 0, 0, 1]
    assert place.asked(state)["keep"].tolist() == [True, True, True, False]
    assert place.observe(place.reset(KEY))["given"][0, 0] == 1


def test_peers_punish_by_hand():
    place = govern(Contribution(members=3, bystanders=1, levels=3), Peers(seen=1.0, allowed=0.25))
    state, out = acts(place, keep=[0, 1, 2, 2], peers__punish=[1, 1, 0, 1])
    np.testing.assert_allclose(out.events["peers.violation"], [0, 0.25, 0.75, 0])
    np.testing.assert_allclose(out.events["peers.righted"], [1, 0.75, 0, 1])
    np.testing.assert_allclose(out.events["peers.paid"], [0, 0.6 * 0.25 * 2, 0.6 * 0.75 * 3, 0], rtol=1e-6)
    np.testing.assert_allclose(out.events["peers.spent"], [0.18, 0.135, 0, 0.18], rtol=1e-6)
    np.testing.assert_allclose(out.transfer, -out.events["peers.paid"] - out.events["peers.spent"], rtol=1e-6)
    np.testing.assert_allclose(place.observe(state)["peers.blamed"][:, 0], out.events["peers.paid"])


@pytest.mark.parametrize(
    ("who", "units"), [("all", [1, 0, 0, 1]), ("members", [1, 0, 0, 0]), ("strangers", [0, 0, 0, 1])]
)
def test_who_may_punish(who, units):
    place = govern(Contribution(members=3, bystanders=1, levels=2), Peers(seen=1.0, who=who))
    state, out = acts(place, keep=[0, 0, 1, 0], peers__punish=[1, 0, 0, 1])
    assert out.events["peers.righted"].tolist() == units
    may = {"all": [1, 1, 1, 1], "members": [1, 1, 1, 0], "strangers": [0, 0, 0, 1]}[who]
    assert place.asked(state)["peers.punish"].tolist() == [bool(x) for x in may]


def test_peers_see_each_with_their_chance_and_never_themselves():
    place = govern(Contribution(members=40, levels=2), Peers(seen=0.3))
    everybody = {h: jnp.ones(40, jnp.int32) for h in place.actions}
    step = jax.jit(jax.vmap(lambda k: place.step(k, place.reset(k), everybody)[1].events["peers.righted"]))
    per = np.asarray(step(jax.random.split(KEY, 50)))
    assert per.max() <= 39
    assert abs(per.mean() - 0.3 * 39) < 4 * np.sqrt(0.3 * 0.7 / (50 * 40 * 39)) * 39
    assert place.institutions[0].chance(place.bare)
    assert not Peers(seen=1.0).chance(place.bare)


def test_what_is_judged_can_be_fined_and_is_measured():
    place = govern(Contribution(), Peers(), Fine(on="peers.violation", rate=0.5))
    out = acts(place, keep=[10, 0, 0, 5])[1]
    np.testing.assert_allclose(out.events["fine.paid"], [0.5, 0, 0, 0.25])
    assert "giving" in measures(place)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: Contribution(members=1),
            "contribution.members is 1, who shares with nobody; members=2 would be right",
        ),
        (
            lambda: govern(Contribution(), Peers(who="strangers")),
            "peers.who is strangers, and all agents of contribution",
        ),
        (lambda: govern(Contribution(), Peers(on="harvest")), "harvest"),
        (lambda: Peers(seen=1.5), "peers.seen is 1.5"),
    ],
)
def test_what_a_public_good_and_peers_refuse(make, says):
    with pytest.raises(Refusal, match=says):
        make()


def test_the_study_of_punishing_agrees_with_algebra():
    """1 - r / n = .6; each willing observer adds seen x fine = .3; a sanction costs its giver .3 x .3."""
    found = punishing.solved(None, 0.6, 0.5, 0.3)
    gains = [found[f"giving, {s} punish"] for s in range(4)]
    np.testing.assert_allclose(gains, [-0.6, -0.3, 0, 0.3], atol=1e-6)
    assert found["punishing one who keeps"] == pytest.approx(-0.09, abs=1e-6)
    lived = punishing.lived(KEY, 16)
    assert lived["tips at"] == pytest.approx(0.92 / (0.5 * 19 * 0.6), abs=0.02)


@pytest.mark.parametrize(("rule", "gives"), [("peers", 0.0), ("peers who feel the norm", 1.0)])
def test_what_dominance_leaves_where_peers_punish(rule, gives):
    """For money punishing only costs; once nobody punishes, to keep is worth .6.  A duty of .2 outweighs its .09, and
    three who punish, with guilt of .4, make keeping cost 1.3."""
    assert punishing.undominated(None, rule) == {"least giving": gives, "most giving": gives}


# --- bookings ---------------------------------------------------------------------------------------------------


def test_an_evening_by_hand():
    place = Reservations(diners=2, cost=0.5, walkin=1.0)
    state, out = acts(place, book=[3, 0, 9])  # the restaurants' answer does nothing
    table = 1 - 0.8**3
    np.testing.assert_allclose(out.reward, [10 * table - 1.5, 0, -1.5], rtol=1e-6)
    for event, amount in {"request": 3, "booked": 3, "used": table, "cancelled": 3 - table}.items():
        np.testing.assert_allclose(out.events[event], [amount, 0, 0], rtol=1e-6)
    assert state.open == 1
    assert place.stock(state)[0] == 20 == place.capacity()[0]
    np.testing.assert_allclose(place.observe(state)["asked"][:, 0], 1.5 / 40, rtol=1e-6)
    half = eqx.tree_at(lambda s: s.open, state, jnp.array(0.5))
    later, out = acts(place, half, book=[11, 9, 0])  # 20 bookings of 20: just borne
    np.testing.assert_allclose(out.reward[:2], [0.5 * (10 * (1 - 0.8**k) - k / 2) + 0.5 for k in (11, 9)], rtol=1e-6)
    np.testing.assert_allclose(out.reward[2], -0.5 * 0.5 * 20)
    assert later.open == pytest.approx(0.55)
    later, out = acts(place, half, book=[11, 10, 0])  # one more is too many
    assert later.open == pytest.approx(0.45)
    assert out.events["standing"].tolist() == [1, 1, 1]
    low = eqx.tree_at(lambda s: s.open, state, jnp.array(0.2))
    assert acts(place, low, book=[11, 10, 0])[1].events["standing"].tolist() == [0, 0, 0]


def test_the_best_of_several_spots_is_worth_more_than_a_table():
    place = Reservations.preset("square", diners=2)
    out = acts(place, book=[4, 0, 0])[1]
    np.testing.assert_allclose(out.reward, [40 * 4 / 5, 0, -4], rtol=1e-6)
    np.testing.assert_allclose(out.events["used"], [1, 0, 0])


def test_a_deposit_by_hand():
    place = Reservations(diners=2)
    used = 1 - 0.8**3
    for back, due in ((1.0, 3 - used), (0.5, 3 - used / 2), (0.0, 3.0)):
        out = acts(govern(place, Deposit(amount=0.4, back=back)), book=[3, 0, 0])[1]
        np.testing.assert_allclose(out.events["deposit.paid"], [0.4 * due, 0, 0], rtol=1e-6)
        np.testing.assert_allclose(out.events["deposit.held"], [3, 0, 0])
        np.testing.assert_allclose(out.transfer, [-0.4 * due, 0, 0], rtol=1e-6)
    none = acts(govern(Pool(), Deposit(on="sparse", kept="harvest")), request=[3, 0])[1]
    assert none.events["deposit.paid"].tolist() == [0, 0]  # no more comes back than was held
    shared = acts(govern(place, Deposit(proceeds="shared")), book=[3, 0, 0])[1]
    assert float(shared.transfer.sum()) == pytest.approx(0, abs=1e-6)


def test_a_quota_of_bookings_follows_what_restaurants_will_answer():
    place = govern(Reservations(diners=2), Quota(on="request", rate=0.5, target=0.0), Fine(on="quota.excess", rate=1.0))
    out = acts(place, book=[8, 3, 0])[1]
    np.testing.assert_allclose(out.events["quota.allowed"], [5, 5, 0])
    np.testing.assert_allclose(out.events["fine.paid"], [3, 0, 0])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: govern(Reservations(), Deposit(kept="kept")), "kept"),
        (lambda: govern(Pool(), Deposit(on="harvest", kept="kind")), "deposit.kept is 'kind', a label, no amount"),
        (lambda: Deposit(back=2.0), "deposit.back is 2"),
        (lambda: Reservations(free=1.2), "reservations.free is 1.2"),
    ],
)
def test_what_bookings_and_deposits_refuse(make, says):
    with pytest.raises(Refusal, match=says):
        make()


def test_bookings_by_cost_are_those_of_algebra():
    """The last k for which v q (1 - q)^(k - 1), what the k-th is worth, is at least the cost."""
    found = bookings.tables(None, [1.0, 0.5, 0.1, 0.01], 0.5)
    assert [found[f"made, cost {c:g}"] for c in (1.0, 0.5, 0.1, 0.01)] == [4, 7, 14, 24]
    assert [found[f"best, cost {c:g}"] for c in (1.0, 0.5, 0.1, 0.01)] == [2, 4, 6, 7]
    assert [found[f"made with a fee, cost {c:g}"] for c in (1.0, 0.5, 0.1, 0.01)] == [2, 4, 6, 7]
    assert found["lost, cost 0.1"] == pytest.approx(10 * (0.8**14 - 0.8**6) + 8 * 0.6, abs=1e-5)
    assert found["closes below"] == pytest.approx(10 * 0.2 * 0.8**10, abs=1e-5)  # the worth of the eleventh
    divided = -10 * np.log(0.8) * 0.8**10  # of bookings that could be divided, what a little more than ten is worth
    assert any(f"{divided:.3f}".lstrip("0") in reading.text for reading in bookings.READINGS)


def test_the_best_of_k_spots():
    found = bookings.picks(None, range(15, 25))
    assert (found["made"], found["best"], found["made by hand"], found["assistants that close it"]) == (100, 5, 5, 20)
    worth = [found[x] for x in ("worth to who books 100", "worth to who books 1", "to all, best", "to all, 100")]
    np.testing.assert_allclose(worth, [39.60, 20.0, 28.33, -60.40], atol=0.01)
    assert found["to all, 1"] == pytest.approx(19)


# --- lobsters ---------------------------------------------------------------------------------------------------

ONE = Lobster(harbours=1, cells=1, boats=1, outsiders=1, luck=0.0, levels=3)


def at_sea(place, lobsters, **answers):
    """One season from so many lobsters [4, P]: the state after it, and what it brought."""
    state = born(place)
    world = getattr(state, "world", state)
    world = eqx.tree_at(lambda s: s.lobsters, world, jnp.asarray(lobsters, jnp.float32))
    state = eqx.tree_at(lambda s: s.world, state, world) if hasattr(state, "world") else world
    return acts(place, state, **answers)


def test_a_season_at_sea_by_hand():
    """A boat that lands the legal alone and notches, and a stranger who drags, in one cell."""
    start = np.array([[8.0], [4.0], [2.0], [1.0]])
    after, out = at_sea(ONE, start, traps=[2, 1], mark=[1, 0], drag=[0, 1], small=[0, 1], large=[0, 1], blind=[0, 0])
    pull = np.array([1.0, 0.5 * 1.5])
    effort = np.array([[0.1, 0.75], pull, pull / 2, pull])  # vents hold a tenth of the young, a net all
    gone = 1 - np.exp(-effort.sum(1) / 6)
    taken = effort * (start[:, 0] * gone / effort.sum(1))[:, None]
    landed = taken * np.array([[0, 1], [0.75, 0.75], [0, 0.75], [0, 0]])
    pounds = np.array([0.5, 1.0, 2.5, 1.0])
    catch = (landed * pounds[:, None]).sum(0)
    np.testing.assert_allclose(out.events["harvest"], catch, rtol=1e-5)
    np.testing.assert_allclose(out.events["intrusion"], [0, catch[1]], rtol=1e-5)
    np.testing.assert_allclose(out.events["small"], landed[0] * 0.5, rtol=1e-5)
    np.testing.assert_allclose(out.events["large"], landed[2] * 2.5, rtol=1e-5)
    notched = 0.9 * 0.25 * taken[:, 0] * [0, 1, 1, 0]
    np.testing.assert_allclose(out.events["notched"], [notched.sum(), 0], rtol=1e-5)
    np.testing.assert_allclose(out.reward, catch - [0.2 + 0.02 * notched.sum(), 0.1], rtol=1e-5)
    left = start[:, 0] * (1 - gone) + 0.9 * (taken - landed).sum(1) - notched
    left[3] += notched.sum()
    left[0] *= np.exp(-1.5 * 0.5 / 6)
    eggs = 0.25 * (left[1] + 2.5 * left[2]) + left[3]
    grown = [
        0.9 * 0.75 * left[0] + 4 * eggs / (eggs + 2),
        0.9 * (0.85 * left[1] + 0.25 * left[0] + 0.2 * left[3]),
        0.9 * (left[2] + 0.15 * left[1]),
        0.9 * 0.8 * left[3],
    ]
    np.testing.assert_allclose(after.lobsters[:, 0], grown, rtol=1e-5)
    assert out.events["dragged"].tolist() == [0, 1]
    assert out.events["blind"].tolist() == [0, 0]
    assert out.events["came"].tolist() == [0, 1]
    np.testing.assert_allclose(ONE.stock(after), (np.array(grown) * pounds).sum(), rtol=1e-5)


def test_larvae_drift_and_a_season_has_its_luck():
    """Eight in ten settle anywhere; luck fills no more than the shelter there is."""
    place = Lobster(harbours=1, cells=2, boats=1, outsiders=1, luck=0.0)
    left = jnp.array([[0.0, 0.0], [4.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    eggs = np.array([0.8 * 0.5 + 0.2, 0.8 * 0.5])
    np.testing.assert_allclose(place._grown(left, KEY)[0], 4 * eggs / (eggs + 2), rtol=1e-6)
    lucky = place.replace(luck=50.0)
    young = [float(lucky._grown(left, jax.random.key(k))[0, 0]) for k in range(4)]
    assert max(young) == 4
    assert min(young) < 0.1


def test_what_a_boat_and_a_stranger_see():
    place = Lobster(harbours=2, cells=1, boats=1, outsiders=1)
    young = 4 / (1 - 0.9 * 0.75)
    legal = 0.9 * 0.25 * young / (1 - 0.9 * 0.85)
    full = young / 2 + legal + 2.5 * 0.9 * 0.15 * legal / 0.1
    state = eqx.tree_at(lambda s: s.lobsters, born(place), jnp.zeros((4, 2)).at[1, 0].set(4.0))
    seen = {name: np.asarray(x) for name, x in place.senses(state).items()}
    np.testing.assert_allclose(place.capacity(), [full, full], rtol=1e-5)
    np.testing.assert_allclose(seen["stock"][:, 0], [4 / full, 0, 2 / full], rtol=1e-5)
    worth = np.array([0.75 * 4 / 6, 0.0])  # pounds landed for a boatload in either cell
    drawn = [np.exp(8 * (worth - way) / (0.75 * legal / 6)) for way in ([0, 0.05], [0.05, 0], [0, 0])]
    np.testing.assert_allclose(seen["density"][:, 1], [d @ worth / d.sum() for d in drawn], rtol=1e-5)
    np.testing.assert_allclose(seen["density"][:2, 0], worth, rtol=1e-5)
    assert seen["stranger"][:, 0].tolist() == [0, 0, 1]
    np.testing.assert_allclose(seen["outside"][:, 0], [0, 0, 0.15])


def test_what_lands_berried_and_marked_and_who_stays_away():
    start = np.array([[0.0], [4.0], [0.0], [2.0]])
    _, out = at_sea(ONE, start, traps=[2, 0], berried=[1, 0], breeders=[1, 0])
    gone = 1 - np.exp(-1 / 6)
    np.testing.assert_allclose(out.events["berried"], [4 * gone * 0.25, 0], rtol=1e-5)
    np.testing.assert_allclose(out.events["breeders"], [2 * gone, 0], rtol=1e-5)
    np.testing.assert_allclose(out.events["harvest"], [6 * gone, 0], rtol=1e-5)
    assert out.reward[1] == pytest.approx(0.15)


def test_guards_cut_traps_near_the_harbour_or_along_the_border():
    place = Lobster(harbours=2, cells=2, boats=1, outsiders=1)
    guards = jnp.array([True, False, False])
    even = np.asarray(place.replace(border="perimeter").cuts(guards))
    np.testing.assert_allclose(even, [[0, 0, 0, 0], *[[1 - np.exp(-1)] * 2 + [0, 0]] * 2], rtol=1e-5)
    close = np.asarray(Lobster(harbours=1, cells=5, boats=1, outsiders=1).cuts(jnp.array([True, False])))
    weight = np.exp(-np.abs(np.arange(5) - 2) / 0.7)
    np.testing.assert_allclose(close, [[0] * 5, 1 - np.exp(-2 * weight / weight.sum())], rtol=1e-5)
    _, out = acts(place.replace(border="perimeter"), traps=[0, 10, 10], range=[0, 1, 0], guard=[1, 0, 1])
    assert out.events["guarded"].tolist() == [1, 0, 0]  # strangers have nothing to guard
    assert out.events["cut"][0] == 0
    assert (out.events["cut"][1:] > 0.01).all()
    assert out.reward[0] == pytest.approx(-0.05 - 0.05 * 0.5)  # the way to the middle of its ground
    assert 0 < out.events["encroached"][1] < out.events["harvest"][1]
    home = acts(place, traps=[10, 0, 0])[1]
    assert home.events["encroached"][0] == 0
    assert home.reward[0] == pytest.approx(home.events["harvest"][0] - 0.2 - 0.05 * 0.5)


EVERYTHING = {head: [1, 1] for head in ("small", "large", "berried", "breeders", "blind", "drag")}


@pytest.mark.parametrize(
    ("rule", "events", "free"),
    [
        (Slot(), ("small", "large"), ("berried", "blind")),
        (Slot(low=2.0), ("large",), ("small",)),
        (Slot(high=6.0), ("small",), ("large",)),
        (Berried(), ("berried",), ("small", "breeders")),
        (Notch(), ("breeders",), ("small", "berried")),
        (Vent(), ("blind",), ("small", "dragged")),
        (Gear(), ("dragged",), ("small", "blind")),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_what_each_rule_forbids_is_not_done_and_what_is_done_against_it_is_a_violation(rule, events, free):
    start, idle = np.ones((4, 1)) * 3, (Slot(), Berried(), Notch(), Vent(), Gear())
    for kept in (1.0, 0.0):  # one program for all: the others are not in force
        rules = (rule.replace(kept=kept) if r.name == rule.name else r.replace(in_force=False) for r in idle)
        out = at_sea(govern(ONE, *rules), start, traps=[2, 1], **EVERYTHING)[1]
        did = sum(np.asarray(out.events[e]) for e in events)
        np.testing.assert_allclose(out.events[f"{rule.name}.violation"], did)
        assert (did == 0).all() if kept else (did > 0).all()
        assert all((np.asarray(out.events[e]) > 0).all() for e in free)


def test_what_is_just_long_enough_may_be_landed():
    edge = Slot(low=3.0, high=5.5)
    assert not any(edge.binds(ONE, head) for head in ("small", "large"))


def test_a_rule_that_some_keep_is_for_wardens_and_fines():
    place = govern(Lobster(), Slot(kept=0.0), Wardens(), Fine())
    out = acts(place, traps=[10] * 20, small=[1] * 20, range=[1] * 20)[1]
    assert (out.events["slot.violation"] > 0).all()
    accused = np.asarray(out.events["wardens.accused"])
    assert set(np.flatnonzero(np.asarray(out.events["fine.paid"]))) == set(np.flatnonzero(accused))
    some = govern(Lobster(), Slot(kept=0.5), Wardens(), Fine())
    state = born(some)
    keeps, later = state.memory[0], stepped(some, state, _all_say_yes(some), jax.random.key(9))[0].memory[0]
    assert 0 < keeps.sum() < 20
    assert (keeps != later).any()  # who keeps to it is drawn anew
    assert Slot(kept=0.5).chance(place.bare)
    assert not Slot().chance(place.bare)


def test_a_limit_of_traps_and_a_closed_season():
    place = govern(Pool(levels=5), Traps(most=0.65))
    out = acts(place, request=[4, 2])[1]
    np.testing.assert_allclose(out.events["request"], [0.25, 0.25])  # 2 of 4 steps to .5
    assert out.events["traps.curbed"].tolist() == [1, 0]
    place = govern(Pool(most=0.0), Season(year=4, closed=0.5))
    state, kept, told = place.reset(KEY), [], []
    for _ in range(6):
        told.append(place.observe(state))
        state, out = acts(place, state, request=[3, 0])
        kept.append(out.events["season.kept"].tolist())
    assert kept == [[0, 0], [0, 0], [1, 0], [1, 0], [0, 0], [0, 0]]
    assert [float(t["season.closed"][0, 0]) for t in told] == [0, 0, 1, 1, 0, 0]
    assert [float(t["season.left"][0, 0]) for t in told] == [0.5, 0.25, 0, 0, 0.5, 0.25]
    assert "Of every 3 steps 2 are closed" in Season(year=3, closed=0.6).sentence  # in whole steps
    closed = govern(Pool(), Season(year=1, closed=1.0))
    assert acts(closed, request=[5, 5])[1].events["harvest"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Slot(low=6.0), "slot.low is 6, above its high of 5; nothing could be landed"),
        (lambda: govern(Pool(), Slot()), "slot goes by length, and pool does not say how long"),
        (lambda: govern(Pool(), Gear()), "dragged"),
        (lambda: govern(Harvest(), Traps()), "traps is about how much one chooses, and in harvest one walks"),
        (lambda: govern(Harvest(), Season()), "season is about how much one chooses, and in harvest one walks"),
        (lambda: govern(Pool(), Season(head="reqest")), "season.head is 'reqest'"),
        (lambda: govern(Pool(), Traps(head="reqest")), "traps.head is 'reqest'"),
        (lambda: Lobster(drift=1.5), "lobster.drift is 1.5"),
        (lambda: govern(Lobster(outsiders=0), Licence()), "licence keeps strangers out"),
    ],
)
def test_what_rules_of_a_lobster_bottom_refuse(make, says):
    with pytest.raises(Refusal, match=says):
        make()


def test_the_study_of_lobstering_finds_who_comes_by_what_guards_cut(monkeypatch):
    """The whole border held by one of five keeps all out; near the harbour alone it does not."""
    monkeypatch.setattr(lobstering, "COAST", lobstering.COAST | {"outsiders": 12, "horizon": 100})
    monkeypatch.setattr(lobstering, "LATE", 20)
    near, even = (lobstering.borders(None, b, [0, 1], 0.05) for b in lobstering.BORDERS)
    assert near["strangers, 0 guard"] == even["strangers, 0 guard"] > near["strangers, 1 guard"]
    assert near["strangers, 1 guard"] > even["strangers, 1 guard"]
    assert even["stock, 1 guard"] > near["stock, 1 guard"] > near["stock, 0 guard"]
    assert even["best"] == 1


# --- a technique ------------------------------------------------------------------------------------------------


def test_a_season_with_dynamite_by_hand():
    place = Technique(agents=3, start=0.5)
    state, out = acts(place, dynamite=[1, 0, 1])
    np.testing.assert_allclose(out.reward, [0.5 + 0.4 - 0.3, 0.5, 0.5 + 0.4 - 0.3], rtol=1e-6)
    assert out.events["defect"].tolist() == [1, 0, 1]
    np.testing.assert_allclose(out.events["harvest"], [0.05, 0.025 / 3, 0.05], rtol=1e-6)
    left = 0.5 * (1 - 0.2 - 0.05 / 3)
    np.testing.assert_allclose(state.stock, left + 0.5 * left * (1 - left), rtol=1e-6)
    np.testing.assert_allclose(place.observe(state)["share"][:, 0], 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(place.observe(state)["stock"][:, 0], state.stock, rtol=1e-6)
    assert place.observe(state)["mine"][:, 0].tolist() == [1, 0, 1]
    alone = acts(Technique(agents=3), dynamite=[1, 0, 0])[1]
    assert alone.reward[0] == pytest.approx(0.9 + 0.4 - 0.6)


def test_dynamite_tips_at_gain_less_disapproval_and_is_given_up_at_gain():
    """Both are conventions between .4 and 1; a slow sweep goes over within .03 of that, a fine of .3 moves both."""
    bare, fined = (dynamite.loop(None, arm, 0.6) for arm in ("nothing", "fine"))
    np.testing.assert_allclose([bare["tips at"], bare["given up at"]], [0.4, 1.0], atol=0.03)
    np.testing.assert_allclose([fined["tips at"], fined["given up at"]], [0.1, 0.7], atol=0.03)
    assert bare["falling, cost 1.2"] < 0.01
    assert bare["rising, cost 1.2"] < 0.01
    assert bare["falling, cost 0"] > 0.99


def test_where_nobody_would_change_between_spears_and_dynamite():
    """One more user of .7 gains .3 less .6 of the others' spears, so both ends stay; at .3 nobody keeps a spear."""
    ends = [dynamite.settled(None, *arm) for arm in dynamite.LIVED.values()]
    assert [(e["least"], e["most"]) for e in ends] == [(0, 1), (1, 1), (0, 0)]


def test_what_dynamite_leaves_of_a_reef():
    found = dynamite.reef(None, 0.6)  # stays where growth pays for what is killed: 1 - x = k / (r (1 - k))
    at = lambda k: (1 - k) ** -1 - (k / (1 - k)) / (0.5 * (1 - k))  # noqa: E731
    np.testing.assert_allclose([found["reef, spears"], found["reef, dynamite"]], [at(0.05), at(0.3)], rtol=1e-3)


def test_where_a_practice_tips_by_algebra():
    """With no spread at gain - resistance, and back at gain + feedback; with spread where the map is tangent."""
    sharp = Practice(gain=0.5, feedback=0.5, resistance=0.4, spread=1e-4)
    np.testing.assert_allclose([sharp.tips.value, sharp.returns.value], [0.1, 1.0], atol=2e-3)
    soft = Practice(gain=0.5, feedback=0.5, resistance=0.4, spread=0.1)
    for cost, rests in ((soft.tips.value - 1e-3, 1), (soft.tips.value + 1e-3, 3), (soft.returns.value + 1e-3, 1)):
        share = np.linspace(0, 1, 200_001)
        gap = soft.answer(share, cost) - share
        assert (np.diff(np.sign(gap)) != 0).sum() == rests
    assert soft.width == pytest.approx(soft.returns.value - soft.tips.value)
    wide = Practice(spread=0.6 / np.sqrt(2 * np.pi) + 1e-3)
    assert wide.tips.flags
    assert wide.width == 0
    assert not soft.tips.flags


def test_people_tip_where_the_formula_says():
    p = Practice()
    costs = np.arange(1.0, 0.2, -0.02)
    down, up = p.swept(costs, 400, 1, steps=60), p.swept(costs[::-1], 400, 1, steps=60, first=1.0)
    assert costs[np.argmax(down >= 0.5)] == pytest.approx(p.tips.value, abs=0.04)
    assert costs[::-1][np.argmax(up < 0.5)] == pytest.approx(p.returns.value, abs=0.04)
    with pytest.raises(Refusal, match=r"practice\.spread is 0"):
        Practice(spread=0.0)


# --- an archive -------------------------------------------------------------------------------------------------


def test_a_week_of_the_archive_by_hand():
    place = Archive(agents=3)
    state = born(place)
    assert float(state.human) == 10
    state = eqx.tree_at(lambda s: (s.human, s.machine), state, (jnp.array(4.0), jnp.array(2.0)))
    after, out = acts(place, state, ask=[0, 1, 1], give=[1, 1, 0], post=[1, 1, 0])
    q, k = 4.6 / 6, 6 / 9
    reward = [q * k - 0.1 + 0.3 * 0 - 0.1, q * q * k + 0.3 * 0.5 - 0.1 + 0.05, q * q * k]
    np.testing.assert_allclose(out.reward, reward, rtol=1e-5)
    assert out.events["posted"].tolist() == [0, 1, 0]  # who asked the archive has nothing to post
    assert out.events["prompted"].tolist() == [0, 1, 1]
    np.testing.assert_allclose([after.human, after.machine], [3.6 + 2 / 3, 1.8 + 0.5], rtol=1e-6)
    sound = (after.human + 0.3 * after.machine) / (after.human + after.machine)
    np.testing.assert_allclose(out.events["sound"], [sound] * 3, rtol=1e-6)
    np.testing.assert_allclose(place.observe(after)["readers"][:, 0], 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(place.observe(after)["human"][:, 0], after.human / 10, rtol=1e-6)
    np.testing.assert_allclose(place.observe(after)["quality"][:, 0], sound, rtol=1e-6)


def test_a_gate_and_a_giveback_by_hand():
    place = govern(Archive(agents=3), Gate(strict=1.0), Giveback(rate=0.2))
    out = acts(place, ask=[0, 1, 1], give=[1, 1, 0], post=[0, 1, 1])[1]
    assert out.events["posted"].sum() == 0
    assert out.events["gate.tried"].tolist() == out.events["gate.stopped"].tolist() == [0, 1, 1]
    np.testing.assert_allclose(out.events["gate.cost"], 0.02 * 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(out.events["giveback.paid"], [0, 0.2, 0.2])
    np.testing.assert_allclose(out.events["giveback.got"], [0.2, 0.2, 0], rtol=1e-6)
    np.testing.assert_allclose(out.transfer, np.array([0.2, 0, -0.2]) - 0.04 / 3, rtol=1e-5, atol=1e-7)
    nobody = acts(place, ask=[1, 1, 1])[1]
    assert nobody.events["giveback.paid"].tolist() == [0, 0, 0]
    good = govern(Contribution(members=3, levels=5), Giveback(on="shirked", to="given", rate=0.2))
    np.testing.assert_allclose(acts(good, keep=[0, 2, 4])[1].events["giveback.got"], [0.2, 0.1, 0], rtol=1e-6)
    assert not Gate(strict=1.0).chance(place.bare)
    assert Gate().chance(place.bare)
    many = govern(Archive(agents=30), Gate(strict=0.5))
    state = born(many)
    turned = stepped(many, state, _all_say_yes(many), jax.random.key(9))[0].memory
    assert (state.memory[0] != turned[0]).any()  # whose is turned away is drawn anew
    e = episode(30, {"gate.tried": np.full(30, 4.0), "gate.stopped": np.full(30, 1.0), "prompted": np.full(30, 2.0)})
    table = measures(many)
    assert float(table["gate.turned"].of(e)) == 0.25
    assert float(table["machines"].of(e)) == 0.5


def episode(n, events, reward=0.0, transfer=0.0):
    """Four steps of n agents, with such sums."""
    one, each, k = jnp.ones(()), jnp.ones(n), jnp.ones(1)
    own = {name: jnp.asarray(x, jnp.float32) for name, x in events.items()}
    return Episode(4 * one, reward * each, transfer * each, one, one, one, each, each, each, own, k, k, k, k)


def test_incomes_are_of_members_after_transfers():
    """Strangers and restaurants are left out."""
    for place, members in ((Reservations(diners=2), 2), (Lobster(), 10)):
        e = episode(place.agents, {})
        pay = np.where(np.arange(place.agents) < members, 4.0, 100.0)
        e = eqx.tree_at(lambda e: (e.reward, e.transfer), e, (jnp.asarray(pay), jnp.full(place.agents, 4.0)))
        assert float(measures(place)["income"].of(e)) == 2
    found = {
        "stock": np.array([0.5]),
        "payoff": np.array([[1.0, 2.0, 9.0]]),
        "harvest": np.ones((1, 3)),
        "effort": np.ones((1, 3)),
    }
    assert lobstering._told(found, 0, 2)["income"] == 1.5


@pytest.mark.parametrize("name", digital_commons.WORLDS)
def test_where_an_archive_settles_is_where_our_earlier_program_had_it(name):
    found = digital_commons.settled(None, True, digital_commons.WORLDS[name])
    human, quality = digital_commons.EARLIER[name]
    assert found["human"] == pytest.approx(human, rel=0.02)
    assert found["quality"] == pytest.approx(quality, rel=0.02)
    assert found["apart"] < 1e-6


def test_without_machines_people_write_what_they_can():
    assert Digital().settles(machines=False)[0] == pytest.approx([10, 10])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: govern(Pool(), Gate()), "gate looks at 'post'"),
        (lambda: govern(Pool(), Giveback()), "prompted"),
        (lambda: govern(Pool(), Giveback(on="kind", to="harvest")), "giveback.on is 'kind', a label, no amount"),
        (lambda: Archive(decay=0.0), "archive.decay is 0"),
        (lambda: Digital(gate=1.5), "digital.gate is 1.5"),
    ],
)
def test_what_archives_refuse(make, says):
    with pytest.raises(Refusal, match=says):
        make()


# --- a rule from elsewhere --------------------------------------------------------------------------------------


def test_an_imported_constant_empties_a_poorer_water_and_cheats_any():
    rules = {rule: groundfish.path(None, rule, [0, 5]) for rule in groundfish.RULES}
    assert rules["imported"]["left, 0 cheat"] == 0
    assert rules["follows"]["left, 0 cheat"] > 0.5
    x, landed = 1.0, 0.0
    while x > 0:  # a fifth of capacity each year, as long as it is there
        landed, left = landed + min(x, 0.2), x - min(x, 0.2)
        x = left + 0.4 * left * (1 - left)
    assert rules["imported"]["catch, 0 cheat"] == pytest.approx(landed, abs=1e-5)
    assert rules["follows"]["left, 5 cheat"] == 0
    assert rules["imported"]["0 cheat, year 2"] == pytest.approx(0.664 + 0.4 * 0.664 * 0.336, abs=1e-5)  # .8, .864


def test_landings_are_shares_of_their_own_peaks(data):
    data("landings/maine_lobster.csv")
    found = groundfish.landed(None, 1950)
    assert max(v for k, v in found.items() if k.startswith("maine_lobster ")) == found["maine_lobster 2016"] == 1
    assert max(v for k, v in found.items() if k.startswith("maine_cod ")) == found["maine_cod 1991"] == 1
    assert found["maine_cod 2019"] == pytest.approx(0.004, abs=5e-4)
    assert found["traps 2019"] == 3.004


def test_files_that_are_no_landings_are_refused_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "landings").mkdir()
    (tmp_path / "landings" / "maine_lobster.csv").write_text("year,tons\n1950,3\n")
    monkeypatch.setenv("NOMOI_DATA", str(tmp_path))
    with pytest.raises(Refusal, match="has no columns YEAR and METRIC"):
        groundfish.landed(None, 1950)
