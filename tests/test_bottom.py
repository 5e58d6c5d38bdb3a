"""Commons that differ: a public good, bookings, lobsters, a technique, an archive; and the rules made for them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.deposit import Deposit
from nomoi.institutions.fine import Fine
from nomoi.institutions.peers import Peers
from nomoi.institutions.quota import Quota
from nomoi.measure.measures import measures
from nomoi.situations.contribution import Contribution
from nomoi.situations.pool import Pool
from nomoi.situations.reservations import Reservations
from nomoi.studies import bookings, punishing

KEY = jax.random.key(5)


def acts(place, state=None, **answers):
    """One step: heads as `keep`, and an institution's as `peers__punish`; whoever is not named answers 0."""
    state = place.reset(KEY) if state is None else state
    said = {h: jnp.zeros(place.agents, jnp.int32) for h in place.actions}
    said |= {h.replace("__", "."): jnp.asarray(a, jnp.int32) for h, a in answers.items()}
    return place.step(KEY, state, said)


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
    """k while v q (1 - q)^(k - 1) is at least the cost: whole numbers around the continuous 4.1, 7.2, 14.4, 24.7."""
    found = bookings.tables(None, [1.0, 0.5, 0.1, 0.01], 0.5)
    assert [found[f"made, cost {c:g}"] for c in (1.0, 0.5, 0.1, 0.01)] == [4, 7, 14, 24]
    assert [found[f"best, cost {c:g}"] for c in (1.0, 0.5, 0.1, 0.01)] == [2, 4, 6, 7]
    assert [found[f"made with a fee, cost {c:g}"] for c in (1.0, 0.5, 0.1, 0.01)] == [2, 4, 6, 7]
    assert found["closes below"] == pytest.approx(10 * 0.2 * 0.8**10, abs=1e-5)  # the worth of the eleventh


def test_the_best_of_k_spots():
    found = bookings.picks(None, range(15, 25))
    assert (found["made"], found["best"], found["made by hand"], found["assistants that close it"]) == (100, 5, 5, 20)
    worth = [found[x] for x in ("worth to who books 100", "worth to who books 1", "to all, best", "to all, 100")]
    np.testing.assert_allclose(worth, [39.60, 20.0, 28.33, -60.40], atol=0.01)
    assert found["to all, 1"] == pytest.approx(19)
