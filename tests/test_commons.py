"""Commons that people govern: the villages, and each of Ostrom's principles as an institution, by hand and by law."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS, run
from test_institutions import SHELF, happened

from nomoi import catalogue
from nomoi.core import Outcome, govern
from nomoi.core.worlds import step
from nomoi.errors import Refusal
from nomoi.institutions.assembly import Assembly
from nomoi.institutions.challenged import Challenged
from nomoi.institutions.court import Court, Docket
from nomoi.institutions.fine import Fine
from nomoi.institutions.levy import Levy
from nomoi.institutions.licence import Licence
from nomoi.institutions.monitor import Monitor
from nomoi.institutions.quota import Basis, Quota
from nomoi.institutions.shares import Shares
from nomoi.institutions.survey import Survey
from nomoi.institutions.units import heads, members, within
from nomoi.institutions.wardens import Posts, Wardens
from nomoi.runs import regimes
from nomoi.situations.commons import Commons, State
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.studies import quotas

CANAL = Path(__file__).parent.parent / "nomoi" / "examples" / "canal.py"
SMALL = Commons(villages=2, patches=2, insiders=3, outsiders=2, horizon=40)
KEY = jax.random.key(3)
STACK = (
    Licence(),
    Survey(),
    Shares(),
    Assembly(),
    Quota(rate=0.245, target=0, constant=0.1225, public=True, pool=True),
    Wardens(posts=1),
    Court(),
    Fine(ladder=True, proceeds="members"),
    Challenged(of="licence,quota,shares,assembly,fine"),
)
OFF = {i.name: {"in_force": False} for i in STACK}
PRINCIPLES = {  # what is changed in a stack in which all are on, to switch one off
    "1A licence": {"licence": {"in_force": False}},
    "2A follows": {"quota": {"follows": False}},
    "2B shares": {"shares": {"in_force": False}},
    "3 assembly": {"assembly": {"in_force": False}},
    "4A wardens": {"wardens": {"paid": False}},
    "4B survey": {"survey": {"in_force": False}},
    "5 ladder": {"fine": {"ladder": False}},
    "6 court": {"court": {"near": False}},
    "7 recognised": {"challenged": {"in_force": True}},
    "8 league": {"quota": {"pool": False}, "wardens": {"everywhere": False}},
}


def stack(changes: dict[str, dict[str, Any]], *, whole: bool = True) -> tuple[Any, ...]:
    """The stack with everything on (or as it is), and some of it changed; leaves alone, so it is one program."""
    on = {"wardens": {"everywhere": True}, "challenged": {"in_force": False}} if whole else {}
    return tuple(i.replace(**(on.get(i.name, {}) | changes.get(i.name, {}))) for i in STACK)


@eqx.filter_jit
def lived(place, key, steps=40):
    """Random play of a governed commons: what each step brought, and the world after it."""

    def tick(state, t):
        own = {}
        for k, (head, choices) in enumerate(sorted(place.actions.items())):
            mine = jax.random.fold_in(jax.random.fold_in(key, t), k if "." in head else 100 + len(head))
            own[head] = jax.random.randint(mine, (place.agents,), 0, choices)
        after, _, outcome = step(place, key, t, state, own)
        return after, (getattr(after, "world", after), outcome)

    return jax.lax.scan(tick, place.reset(key), jnp.arange(steps))[1]


@lru_cache
def played(name: str = "") -> Any:
    changes = OFF if name == "off" else PRINCIPLES.get(name, {})
    got = lived(govern(SMALL, *stack(changes, whole=name != "challenged")), KEY)
    return jax.tree.map(np.asarray, got)


# --- the world ------------------------------------------------------------------------------------------------


def test_a_season_by_hand():
    """One patch, two people of whom one works, no luck: every number with a pencil."""
    quiet = {"crash": 0.0, "spread": 0.0, "noise": 0.0, "leak": 0.1, "mixing": 0.0, "arrival": 1.0}
    place = Commons(villages=1, patches=1, insiders=2, outsiders=1, levels=3, **quiet)
    need, zero = jnp.array([4.0, 6.0, 0.0]), jnp.zeros(1)
    state = State(jnp.array([60.0]), jnp.array([0.5]), zero, jnp.ones(()), need, jnp.array([0.5, 0.5, 0.0]),
                  jnp.zeros(3), jnp.array([60.0]), jnp.zeros((), jnp.int32))  # fmt: skip
    action = {"effort": jnp.array([2, 1, 2]), "range": jnp.array([0, 1, 0]), "provide": jnp.array([1, 0, 1])}
    season = eqx.filter_jit(place.step)
    after, out = season(KEY, state, action)
    effort = np.array([9.0, 6.75, 10.0])  # 2.25 x 4, half of 2.25 x 6, the boat
    taken = 60 * (1 - np.exp(-25.75 / 100))
    catch = taken * effort / 25.75
    np.testing.assert_allclose(out.events["harvest"], catch, rtol=1e-5)
    np.testing.assert_allclose(out.events["intrusion"], [0, 0, catch[2]], rtol=1e-5)
    np.testing.assert_allclose(out.events["request"], effort * 0.6, rtol=1e-5)
    np.testing.assert_allclose(out.events["worked"], [1, 0, 0])
    worth = [4 * np.log(1 + catch[0] / 4) - 0.9 - 0.4, 6 * np.log(1 + catch[1] / 6) - 0.675, catch[2] - 1]
    np.testing.assert_allclose(out.reward, worth, rtol=1e-5)
    works = 0.5 + 0.25 / 2 - 0.15 * 0.5
    left, d = 60 - taken, (60 - taken) / 100
    grown = 0.7 * (0.6 + 0.4 * works) * left * (1 - d) * d / (d + 0.05 + 1e-6)
    np.testing.assert_allclose(after.stock, [left + grown - 0.1 * (left - 10)], rtol=1e-5)
    np.testing.assert_allclose(after.works, [works], rtol=1e-6)
    np.testing.assert_allclose(after.perceived, after.stock, rtol=1e-6)  # one patch and no luck: nothing misleads
    away = season(KEY, state, action | {"effort": jnp.array([2, 1, 0])})[1]
    assert float(away.reward[2]) == pytest.approx(1.5)


def test_the_richest_patches_make_the_stock_look_larger():
    place = SMALL.replace(noise=0.0)
    stock = jnp.array([90.0, 10.0, 50.0, 50.0])
    seen = np.asarray(place._sighted(stock, jnp.zeros(2)))
    assert seen[0] > 150
    assert seen[1] == pytest.approx(100)


@eqx.filter_jit
def rested(place, stock=None):
    """The stock after a season in which nobody fishes."""
    state = place.reset(KEY)
    state = state if stock is None else eqx.tree_at(lambda s: s.stock, state, stock)
    return place.step(KEY, state, {h: jnp.zeros(8, jnp.int32) for h in place.actions})[0].stock


def test_a_closed_ground_keeps_what_an_open_one_leaks():
    """1B is a setting: at a tenth of the leak less of what is above the density outside is lost."""
    still = {"growth": 0.0, "crash": 0.0, "mixing": 0.0}
    ends = [float(rested(SMALL.replace(leak=k, **still)).sum()) for k in (0.1, 0.01)]
    np.testing.assert_allclose(ends, [240 - 0.1 * 200, 240 - 0.01 * 200], rtol=1e-6)


def test_patches_leak_mix_and_crash():
    place = SMALL.replace(growth=0.0, leak=0.1, mixing=0.5, crash=1.0)
    stock = rested(place, jnp.array([90.0, 10.0, 50.0, 50.0]))
    np.testing.assert_allclose(stock, [32, 14, 23, 23], rtol=1e-5)  # half of half way from 82, 10, 46, 46 to 46


# --- each institution by hand ---------------------------------------------------------------------------------


def settled(institution, memory, outcome, tried=None, place=SMALL, key=KEY):
    """What an institution makes of an outcome on the small commons: its memory, its events, and what it moved."""
    state, tried = place.reset(KEY), {f"{institution.name}.{h}": jnp.asarray(v) for h, v in (tried or {}).items()}
    full = {h: jnp.ones(place.agents, jnp.int32) for h in place.actions} | tried
    after, _, out = institution.settle(key, memory, place, state, full, full, outcome)
    own = {e.partition(".")[2]: np.asarray(x) for e, x in out.events.items() if e.startswith(institution.name + ".")}
    return after, own, np.asarray(out.transfer)


def brought(**events) -> Outcome:
    """A season of the small commons in which all took 5, and what is said beside."""
    base = {"harvest": jnp.full(8, 5.0), "intrusion": jnp.array([0.0] * 6 + [5.0] * 2), "worked": jnp.zeros(8)}
    more = {name.replace("__", "."): jnp.asarray(x, jnp.float32) for name, x in events.items()}
    return Outcome(jnp.zeros(8), jnp.zeros(8), base | more, jnp.array(False))


def test_units_share_and_strangers_belong_to_none():
    assert members(SMALL).tolist() == [1] * 6 + [0] * 2
    assert heads(SMALL).tolist() == [3] * 6 + [1] * 2
    assert within(SMALL, jnp.arange(8.0)).tolist() == [3, 3, 3, 12, 12, 12, 0, 0]
    assert members(Pool(agents=3, outsiders=1)).tolist() == [1, 1, 0]
    assert govern(SMALL, Levy(on="harvest")).belongs.tolist() == SMALL.belongs.tolist()


def test_a_licence_stops_strangers_alone():
    place, licence = SMALL.replace(arrival=1.0), Licence(bar=1.0, fee=0.3, lost=1.0)
    memory = licence.found(KEY, place, place.reset(KEY))
    assert memory.tolist() == [False] * 6 + [True] * 2
    answers = {h: jnp.ones(8, jnp.int32) for h in place.actions}
    let = licence.permit(memory, place, place.reset(KEY), answers)
    assert let["effort"].tolist() == [1] * 6 + [0] * 2
    assert let["range"].tolist() == [1] * 8
    _, own, moved = settled(licence, memory, brought())
    assert own["tried"].tolist() == own["barred"].tolist() == [0] * 6 + [1] * 2
    assert own["poached"].tolist() == [0] * 6 + [5] * 2
    np.testing.assert_allclose(moved, [-0.1] * 6 + [-1.0] * 2, rtol=1e-6)


def test_a_quota_follows_the_stock_or_is_imported():
    """200 of capacity for three people: half of what is beyond 100 of 160, or a tenth of 200, whatever is left."""
    one = jnp.ones(8)
    left = jnp.array([160.0] * 3 + [100.0] * 3 + [0.0] * 2)
    follows, constant = Quota(rate=0.5), Quota(follows=False, constant=0.1)
    np.testing.assert_allclose(follows.each(Basis(left, one, one, one), SMALL), [10] * 3 + [0] * 5)
    np.testing.assert_allclose(constant.each(Basis(left, one, one, one), SMALL), [20 / 3] * 6 + [0] * 2, rtol=1e-6)
    pooled = follows.replace(pool=True).each(Basis(left, one, one, one), SMALL)
    np.testing.assert_allclose(pooled, [5] * 6 + [0] * 2)
    np.testing.assert_allclose(follows.replace(lot=4.0).each(Basis(left, one, one, one), SMALL), [8] * 3 + [0] * 5)
    half = Basis(left, one * 0.5, jnp.array([2.0, 1, 0] + [1.0] * 5), one)
    np.testing.assert_allclose(follows.each(half, SMALL)[:3], [10, 5, 0])


def test_a_quota_hears_a_survey_an_assembly_and_shares_and_else_goes_by_the_catch():
    quota, one = Quota(fee=0.3, pool=False), jnp.ones(8)
    basis = Basis(jnp.array([115.0] * 6 + [0.0] * 2), one, one, one)  # 5 each
    after, own, moved = settled(quota, basis, brought(perceived=[150.0] * 6 + [0.0] * 2, encroached=[0.0] * 8))
    assert own["allowed"].tolist() == [5] * 6 + [0] * 2
    assert not own["excess"].any()
    assert not moved.any()
    assert after.left.tolist() == [150] * 6 + [0] * 2
    said = {"survey__estimate": [120.0] * 6 + [0.0] * 2, "assembly__factor": [2.0] * 8, "shares__part": [0.5] * 8}
    after, _, moved = settled(quota.replace(pool=True), basis, brought(perceived=[150.0] * 8, **said))
    assert after.left.tolist()[:6] == [120] * 6
    assert (after.factor.tolist(), after.part.tolist()) == ([2.0] * 8, [0.5] * 8)
    np.testing.assert_allclose(moved, [-0.1] * 6 + [0] * 2, rtol=1e-6)
    tight = Basis(basis.left - 6, one, one, one)  # 3 each, so 2 too much
    assert settled(quota, tight, brought(perceived=[1.0] * 8))[1]["excess"].tolist() == [2] * 6 + [0] * 2
    for tolerance, excess in ((0.6, 2), (0.7, 0)):  # 2 is two thirds of the 3 that were allowed
        own = settled(quota.replace(tolerance=tolerance), tight, brought(perceived=[1.0] * 8))[1]
        assert own["excess"].tolist() == [excess] * 6 + [0] * 2


def test_what_people_see_of_quotas_counts_who_took_and_where():
    """Three took 5 at home where 3 was allowed; the others' 2 and half of the strangers' 10 were landed there too."""
    quota, one = Quota(public=True), jnp.ones(8)
    basis = Basis(jnp.array([109.0] * 6 + [0.0] * 2), one, one, one)
    seen = settled(quota, basis, brought(perceived=[1.0] * 8, encroached=[0, 0, 0, 2, 0, 0, 0, 0]))[0].seen
    assert seen[0] == pytest.approx(9 / (15 + 2 + 5))
    assert seen[3] == pytest.approx((3 + 3 + 3) / (13 + 5))


def test_shares_go_by_what_one_gave():
    shares = Shares(base=0.1, memory=0.5, start=0.4)
    after, own, _ = settled(shares, shares.found(KEY, SMALL, None), brought(worked=[1.0, 0, 0, 1, 1, 1, 1, 0]))
    np.testing.assert_allclose(after, [0.7, 0.2, 0.2, 0.7, 0.7, 0.7, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(own["part"], [0.8 * 3 / 1.4, 0.3 * 3 / 1.4, 0.3 * 3 / 1.4, 1, 1, 1, 0, 0], rtol=1e-5)


def test_an_assembly_moves_the_rule_of_each_village_by_its_majority():
    assembly = Assembly(period=2, step=0.5, fee=0.1)
    memory = assembly.found(KEY, SMALL, None)
    votes = {"vote": jnp.array([0, 0, 2, 2, 2, 1, 2, 2])}
    memory, own, moved = settled(assembly, memory, brought(), votes)
    assert not own["moved"].any()
    assert not moved.any()
    asked = assembly.asked(memory, jnp.ones(8, bool))["vote"]
    assert asked.tolist() == [True] * 6 + [False] * 2
    memory, own, moved = settled(assembly, memory, brought(), votes)
    assert own["moved"].tolist() == [-1] * 3 + [1] * 3 + [0] * 2
    np.testing.assert_allclose(own["factor"], [np.exp(-0.5)] * 3 + [np.exp(0.5)] * 3 + [0] * 2, rtol=1e-6)
    np.testing.assert_allclose(moved, [-0.1] * 6 + [0] * 2, rtol=1e-6)
    assert not assembly.asked(memory, jnp.ones(8, bool))["vote"].any()


def test_wardens_are_paid_by_their_village_and_lose_the_wage_where_they_did_not_watch():
    sure = Wardens(posts=1, sight=1.0, base=0.0, false=1.0, wage=3.0, effort=0.5, accountable=1.0)
    post = jnp.array([True, False, False, False, True, False, False, False])
    over = {"quota__excess": [0.0, 2, 0, 0, 0, 4, 0, 0], "licence__poached": [0.0] * 6 + [5.0, 0.0]}
    watch = {"watch": jnp.array([1, 1, 0, 0, 0, 0, 1, 1])}
    _, own, moved = settled(sure, Posts(post, post), brought(encroached=[0.0] * 8, **over), watch)
    assert own["watched"].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]  # who holds no post does not watch
    assert own["accused"][1] == 2  # seen; nobody looks in the other village
    assert own["accused"][5] == 0
    assert own["wrong"][[0, 2]].tolist() == [2.5, 2.5]  # half of the 5 they took
    assert own["wage"].tolist() == [3, 0, 0, 0, 0, 0, 0, 0]  # the second looked away while one took too much
    np.testing.assert_allclose(moved, [3 - 1 - 0.5, -1, -1, 0, 0, 0, 0, 0], atol=1e-6)
    free = settled(sure.replace(paid=False), Posts(post & False, jnp.arange(8) < 6), brought(**over), watch)[1]
    assert free["watched"].tolist() == [0.5, 0.5, 0, 0, 0, 0, 0, 0]
    assert not free["wage"].any()


def test_the_risk_of_being_seen_is_that_of_the_ground_where_one_took():
    watched = jnp.array([1.0, 0, 0, 1, 1, 0, 0, 0])
    away = brought(encroached=[5.0, 0, 0, 0, 0, 0, 0, 0])
    each = [1 - 0.9 * 0.6, 1 - 0.9 * 0.6**2]
    for everywhere in (False, True):
        home, risk = Wardens(base=0.1, sight=0.4, everywhere=everywhere)._risk(watched, SMALL, away)
        np.testing.assert_allclose(home, [each[0]] * 3 + [each[1]] * 3 + [0] * 2, rtol=1e-5)
        np.testing.assert_allclose(risk[0], each[1] if everywhere else 0, rtol=1e-5)
        np.testing.assert_allclose(risk[6], sum(each) / 2, rtol=1e-5)


def test_each_village_gives_its_posts_by_lot():
    wardens = Wardens(posts=2)
    posts = [np.asarray(wardens.found(k, SMALL, None).post) for k in jax.random.split(KEY, 20)]
    assert all(p[:3].sum() == p[3:6].sum() == 2 and not p[6:].any() for p in posts)
    assert np.stack(posts)[:, :6].sum(0).min() > 5


def test_a_court_frees_who_appeals_and_is_right():
    court, docket = Court(right=1.0, fee=0.2), Docket(jnp.array([2.0, 2, 3, 0, 0, 0, 0, 0]), jnp.arange(8) == 1)
    said = {"wardens__accused": [0.0, 0, 0, 7, 0, 0, 0, 0], "wardens__wrong": [0.0, 0, 0, 7, 0, 0, 0, 0]}
    after, own, moved = settled(court, docket, brought(**said), {"appeal": jnp.array([0, 1, 1, 1, 0, 0, 0, 0])})
    assert own["convicted"].tolist() == [2, 0, 3, 0, 0, 0, 0, 0]
    assert own["acquitted"].tolist() == [0, 2, 0, 0, 0, 0, 0, 0]
    assert own["appealed"].tolist() == [0, 1, 1, 0, 0, 0, 0, 0]  # who is not accused cannot
    np.testing.assert_allclose(moved, [0, -0.2, -0.2, 0, 0, 0, 0, 0], rtol=1e-6)
    assert after.units.tolist() == [0, 0, 0, 7, 0, 0, 0, 0]
    assert after.baseless.tolist() == [False] * 3 + [True] + [False] * 4
    wrong = settled(court.replace(right=0.0, near=False), docket, brought(**said), {"appeal": jnp.ones(8, jnp.int32)})
    assert wrong[1]["convicted"].tolist() == [0, 2, 0, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(wrong[2], [-3, -3, -3, 0, 0, 0, 0, 0], rtol=1e-6)


def test_a_fine_goes_by_convictions_where_a_court_sits_and_else_by_accusations():
    said = {"wardens__accused": [1.0, 0, 0, 0, 0, 0, 2, 0], "court__convicted": [0.0, 3, 0, 0, 0, 0, 0, 0]}
    fine, record = Fine(rate=2.0, proceeds="members"), jnp.zeros(8)
    _, own, moved = settled(fine, record, brought(court__sat=[0.0] * 8, **said))
    assert own["paid"].tolist() == [2, 0, 0, 0, 0, 0, 4, 0]
    np.testing.assert_allclose(moved, [2 / 3 - 2, 2 / 3, 2 / 3, 0, 0, 0, -4, 0], rtol=1e-5)  # a stranger's is burnt
    _, own, _ = settled(fine, record, brought(court__sat=[1.0] * 8, **said))
    assert own["paid"].tolist() == [0, 6, 0, 0, 0, 0, 0, 0]


def test_a_ladder_doubles_up_to_its_cap_and_forgets():
    fine, record, paid = Fine(on="sparse", rate=1.0, ladder=True, cap=3.0, decay=0.5), jnp.zeros(4), []
    for took in ((1, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0), (1, 0, 0, 0)):
        record, _, out = fine.settle(KEY, record, SHELF, None, {}, {}, happened(took))
        paid.append(float(out.events["fine.paid"][0]))
    assert paid == [1, 2, 3, 0, 3]
    assert record.tolist() == [3.5, 0, 0, 0]


def test_while_an_authority_annuls_them_rules_are_void_and_the_imported_quota_holds():
    always = Challenged(enter=1.0, leave=0.0, of="licence,quota,fine")
    place = govern(SMALL, Licence(), Quota(constant=0.03, rate=0.2), Fine(on="quota.excess"), always)
    _, out = jax.tree.map(np.asarray, lived(place, KEY))
    void = out.events["challenged.void"][:, 0]
    assert void.tolist() == [0] + [1] * 39
    assert out.events["licence.barred"][0].any() or out.events["licence.cost"][0].any()
    assert not out.events["licence.cost"][1:].any()
    assert not out.events["fine.paid"][1:].any()
    assert out.events["quota.excess"][1:].any()
    np.testing.assert_allclose(out.events["quota.allowed"][1:, :6], 0.03 * 200 / 3, rtol=1e-5)
    np.testing.assert_allclose(out.events["quota.allowed"][0, :6], 0.2 * (120 - 100) / 3, rtol=1e-5)


def test_a_quota_that_is_annulled_is_neither_local_nor_pooled():
    there, one = Quota(pool=True, constant=0.1).annulled, jnp.ones(8)
    assert (bool(there.follows), bool(there.pool)) == (False, False)
    assert not settled(there, Basis(one, one, one, one), brought(perceived=[1.0] * 8))[1]["cost"].any()


# --- laws of the whole stack ----------------------------------------------------------------------------------


def test_with_all_out_of_force_the_governed_commons_is_the_bare_one():
    """The same keys, within float dust."""
    world, out = played("off")
    plain, bare = jax.tree.map(np.asarray, lived(SMALL, KEY))
    for x, y in zip(jax.tree.leaves(world), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(out.reward, bare.reward, rtol=1e-4, atol=1e-4)
    assert not out.transfer.any()
    assert not any(out.events[e].any() for e in out.events if "." in e)


@pytest.mark.parametrize("name", PRINCIPLES)
def test_every_principle_is_alive_and_acts_through_events(name):
    """Switching one off changes what is recorded, and an event of an institution is among what changes."""
    (_, on), (_, off) = played(), played(name)
    changed = [e for e in on.events if "." in e and not np.allclose(on.events[e], off.events[e], atol=1e-5)]
    assert changed
    assert not np.allclose(on.transfer, off.transfer, atol=1e-5)


@pytest.mark.parametrize("name", ["", "4A wardens", "5 ladder", "challenged"])
def test_budgets_are_balanced_village_by_village(name):
    """Wages are what members are levied; what fines bring goes to the unit; costs and strangers' fines are burnt."""
    _, out = played(name)
    e, of = out.events, SMALL.belongs
    village = lambda x: x @ of  # noqa: E731
    np.testing.assert_allclose(village(e["wardens.wage"]), village(e["wardens.levied"]), atol=1e-4)
    burnt = (
        e["licence.cost"]
        + e["survey.cost"]
        + e["assembly.cost"]
        + e["quota.cost"]
        + e["wardens.toil"]
        + e["court.cost"]
    )
    np.testing.assert_allclose(village(out.transfer), -village(burnt), atol=1e-4)
    strange = ~of.any(1)
    np.testing.assert_allclose(out.transfer[:, strange], -(e["fine.paid"] + e["court.cost"])[:, strange], atol=1e-4)
    np.testing.assert_allclose(out.burnt - out.made, -out.transfer.sum(1), atol=1e-4)


def test_villages_do_not_pay_for_one_another_and_people_of_one_are_alike():
    """What the first village does in a season moves nothing in the other but through the stock."""
    (wage, levied), strange = (played()[1].events[f"wardens.{x}"] for x in ("wage", "levied")), slice(6, None)
    assert not wage[:, strange].any()
    assert not levied[:, strange].any()
    assert (np.ptp(levied[:, :3], axis=1) < 1e-6).all()
    assert (np.ptp(levied[:, 3:6], axis=1) < 1e-6).all()
    assert (levied[:, 0] != levied[:, 3]).any()


def on_the_canal() -> Any:
    return catalogue.find(f"{CANAL}", "situation")(horizon=30)


@pytest.mark.parametrize("where", ["canal", "pool"])
def test_the_stack_runs_unchanged_on_situations_that_it_was_not_written_for(where):
    """A file of one's own, and the fishery; of the fishery all but the shares, as nobody works there."""
    place = on_the_canal() if where == "canal" else Pool(agents=5, outsiders=1, horizon=30, most=0.1)
    some = [
        i for i in stack({"quota": {"rate": 0.2, "target": 0.3}}, whole=False) if where == "canal" or i.name != "shares"
    ]
    some[-1] = some[-1].replace(of="licence,quota,assembly,fine")
    out = run(govern(place, *some), 1).outcome
    for event in ("licence.poached", "licence.barred", "survey.estimate", "assembly.moved", "quota.excess",
                  "wardens.accused", "wardens.wage", "court.convicted", "court.appealed", "fine.paid",
                  "challenged.void", *(("shares.part",) if where == "canal" else ())):  # fmt: skip
        assert out.events[event].any(), event
    assert np.isfinite(out.transfer).all()


def test_a_quota_needs_no_land_and_works_on_it():
    out = run(
        govern(SITUATIONS["harvest"], Quota(on="sparse", target=0.9), Fine(on="quota.excess", rate=2.0)), 1
    ).outcome
    excess, sparse = out.events["quota.excess"], out.events["sparse"]
    assert excess.any()
    assert (excess <= sparse).all()
    np.testing.assert_allclose(out.transfer, -2 * excess)


# --- what is refused ------------------------------------------------------------------------------------------


class Silent(Pool):
    """Has a stranger, and does not say what it takes."""

    @property
    def belongs(self):
        return np.array([[1.0], [0.0]], np.float32)


class Claiming(Pool):
    """Says that its agents belong to whatever its test says."""

    says: Any = eqx.field(default=None, static=True)

    @property
    def belongs(self):
        return self.says()


WRONG = [
    (Matrix(), (Quota(on="defect"),), "quota needs 'stock', which matrix does not offer"),
    (
        Pool(),
        (Quota(), Fine(on="quota.poached")),
        "fine needs 'quota.poached'.*did you mean 'quota.cost'|does not offer",
    ),
    (Pool(), (Fine(on="quota.excess"), Quota()), "does not offer; quota does, and acts after it: write quota first"),
    (Pool(), (Quota(), Fine()), "fine has nobody to go by: nothing that governs pool before it accuses anybody"),
    (Pool(), (Quota(), Court()), "court has nobody to hear.*wardens or a monitor do"),
    (Pool(), (Wardens(),), "wardens has nothing to watch for: nothing that governs pool before it says"),
    (Pool(), (Quota(), Wardens(posts=3)), "wardens.posts is 3, and a unit of pool has 2 people; no more"),
    (Pool(), (Licence(),), "licence keeps strangers out, and there are none in pool; pool.outsiders=1 makes one"),
    (
        Pool(),
        (Survey(title="a"), Survey(title="b"), Quota()),
        r"quota goes by one estimate, and a\.estimate, b\.estimate",
    ),
    (Pool(), (Assembly(), Assembly(title="b"), Quota()), r"quota goes by one factor, and assembly\.factor, b\.factor"),
    (Matrix(), (Licence(),), "none in matrix; a stranger is of no unit .`belongs`., and what it takes an event `intru"),
    (Silent(), (Licence(),), "licence goes by what strangers take, the event intrusion, which silent does not emit"),
    (Commons(outsiders=0), (Licence(),), "none in commons; commons.outsiders=1 makes one"),
    (SMALL, (Licence(head="efort"),), "licence.head is 'efort'; did you mean 'effort'"),
    (SMALL, (Challenged(),), "challenged has nothing to annul: no institution governs commons before it"),
    (SMALL, (Licence(), Challenged(of="licens")), "challenged.of names 'licens'.*did you mean 'licence'"),
    (Pool(), (Quota(on="kind"),), "quota.on is 'kind', which is no amount that one takes"),
]


@pytest.mark.parametrize(("place", "rules", "sentence"), WRONG, ids=[w[2][:24] for w in WRONG])
def test_what_cannot_be_is_refused_in_a_sentence(place, rules, sentence):
    with pytest.raises(Refusal, match=sentence):
        govern(place, *rules)


LATE = {
    "quota+survey": "But survey acts after quota, which does not hear it: survey+quota would be heard.",
    "shares+quota+assembly": "But assembly acts after quota",
    "quota+wardens+licence": "But licence acts after wardens",
    "quota+wardens+fine+court": "But court acts after fine",
    "quota+wardens(on=quota.excess)+court+monitor(on=harvest)": "But monitor acts after court",
}


@pytest.mark.parametrize("text", LATE)
def test_a_regime_in_which_somebody_speaks_too_late_says_so(text):
    said = regimes.parse("", text).sentences()
    assert said.count("But ") == 1
    assert LATE[text] in said


def test_in_the_order_of_the_page_everybody_is_heard():
    text = "licence+survey+shares+assembly+quota+wardens+court+fine+challenged"
    assert "But " not in regimes.parse("", text).sentences()
    assert "But " not in regimes.parse("", "quota+fine(on=quota.excess)+monitor(on=harvest)").sentences()


BELONGS = {
    "is of type list; a NumPy array": lambda: [[1.0], [1.0]],
    "Tracer|Array.*; a NumPy array": lambda: jnp.ones((2, 1)),
    r"is \[3, 1\]; \[2, units\], a row an agent": lambda: np.ones((3, 1)),
    r"is \[2\]; \[2, units\]": lambda: np.ones(2),
    "must be 1 and 0: nobody is of two units": lambda: np.full((2, 1), 0.5),
    "nobody is of two units": lambda: np.ones((2, 2)),
    "and none is empty": lambda: np.zeros((2, 1)),
    "has 2 units, and there are 1 kinds of stock; one for each": lambda: np.eye(2),
}


@pytest.mark.parametrize("rule", [Quota(), Survey(), Assembly(), Shares(of="harvest"), Licence(head="request")])
@pytest.mark.parametrize("sentence", BELONGS)
def test_units_that_cannot_be_are_refused_by_whoever_governs_them(sentence, rule):
    place = Claiming(says=BELONGS[sentence])
    look = lambda key: (governed := govern(place, rule)).observe(governed.reset(key))  # noqa: E731
    with pytest.raises(Refusal, match=sentence):
        jax.eval_shape(look, KEY)


def test_parts_that_sum_to_nothing_are_refused():
    with pytest.raises(Refusal, match=r"shares\.base is 0, and then the parts of people who did nothing sum to 0"):
        Shares(base=0.0)


def test_who_will_not_watch_is_told_of():
    with pytest.warns(UserWarning, match=r"wardens\.wage is below the effort of watching.*nobody will watch"):
        govern(Pool(), Quota(), Wardens(posts=1, wage=0.2, accountable=0.0))
    govern(Pool(), Quota(), Wardens(posts=1, wage=0.2))


# --- solved, adapted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "target", "welfare", "constant"), [("rich", 0.38, 4.099, None), ("poor", 0.34, 2.327, 1.414)]
)
def test_the_quota_is_solved_exactly(place, target, welfare, constant):
    """On 41 points and 13 amounts, at a fine of 1.1: computed before by a program of its own."""
    found = quotas.solved(None, place, targets=(target,))
    assert found["welfare, announced"] == pytest.approx(1.0, abs=1e-3)
    assert found["welfare, best target"] == pytest.approx(welfare, abs=1e-3)
    assert found["least welfare, best target"] == pytest.approx(welfare, abs=1e-3)  # there is no other equilibrium
    assert found[f"gain from departing, target {target:g}"] == 0
    if constant:
        assert found["welfare, constant"] == pytest.approx(constant, abs=1e-3)
    else:
        assert found["welfare, any amount, target 0.5"] == pytest.approx(3.964, abs=1e-3)
        assert found["gain from departing, any amount, target 0.5"] == pytest.approx(0.083, abs=1e-3)


def test_half_a_boundary_is_no_boundary():
    found = [quotas.licensed(None, bar)["income"] for bar in quotas.BARS]
    np.testing.assert_allclose(found, [0.20, 0.25, 2.18, 3.34], atol=0.01)


def test_replicators_keep_a_quota_where_a_fine_stands_behind_it():
    fined, told = (quotas.adapted(None, "poor", arm) for arm in ("follows", "announced"))
    assert [round(fined[f"keep, from {s:g}"], 3) for s in quotas.STARTS] == [1, 1, 1]
    assert [round(told[f"keep, from {s:g}"], 3) for s in quotas.STARTS] == [0, 0, 1]


def test_who_is_caught_is_heard_in_the_next_step_and_fined_then():
    """On a game without a stock."""
    place = govern(SITUATIONS["matrix"], Monitor(on="defect", cost=0.0), Court(right=1.0, fee=0.5), Fine(rate=1.0))
    out = run(place, 2, appeal=0).outcome
    caught, convicted = out.events["monitor.caught"], out.events["court.convicted"]
    ends = out.done[:-1]
    np.testing.assert_array_equal(convicted[1:][~ends], caught[:-1][~ends])
    np.testing.assert_allclose(out.transfer, -convicted)
