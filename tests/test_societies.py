"""Groups that fight, labour that is divided, polities, transitions, third parties, arrows."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.law.boycott import Trade
from nomoi.populations import arrows, groups, labour
from nomoi.populations.groups import COOPERATE, DEFECT, PUNISH, TYPE, Groups, evolve
from nomoi.populations.ladder import CLASSIFIERS, ENFORCEMENTS, rung
from nomoi.populations.polities import Polity, follow, rests
from nomoi.populations.third_party import Commons, Descent, internalise
from nomoi.populations.transitions import TRANSITIONS, Colony, Policing

share = st.floats(0, 1)

# --- groups that fight ----------------------------------------------------------------------------------------


def twin(rng, w, members):
    """One period, person by person: `members` [N][n] types; the same order of events as the model."""
    n = w.size
    gave = [[t != DEFECT and rng.random() >= w.error for t in g] for g in members]
    worth = []
    for g, done in zip(members, gave, strict=True):
        pay = [1 + w.benefit * sum(done) / n - w.cost * d for d in done]
        for i, t in enumerate(g):
            for j in range(n):
                if t == PUNISH and j != i and not done[j]:
                    pay[i] -= w.punishing / n
                    pay[j] -= w.punished / n
        worth.append(pay)
    new = []
    for k, g in enumerate(members):
        row = []
        for i, t in enumerate(g):
            away = rng.random() < w.mixing
            there = rng.choice([x for x in range(len(members)) if x != k]) if away else k
            who = rng.integers(n) if away else rng.choice([x for x in range(n) if x != i])
            a, b = worth[there][who], worth[k][i]
            row.append(members[there][who] if rng.random() < a / (a + b) else t)
        new.append(row)
    order = rng.permutation(len(new))
    fought = [list(g) for g in new]
    for a, b in order.reshape(-1, 2):
        if rng.random() < w.conflict:
            bad = [sum(t == DEFECT for t in new[x]) / n for x in (a, b)]
            won = rng.random() < 0.5 + (bad[1] - bad[0]) / 2
            fought[b if won else a] = list(new[a if won else b])
    return [[(t + rng.integers(1, 3)) % 3 if rng.random() < w.mutation else t for t in g] for g in fought]


@pytest.mark.parametrize("size", [2, 5])
def test_counts_live_as_people_do_one_by_one(size):
    """Mean and variance of what three periods bring, over many worlds, within 4 standard errors of the twin's."""
    w = Groups(groups=4, size=size, error=0.2, cost=0.5, benefit=1.0, punished=0.7, punishing=0.4, mixing=0.3,
               mutation=0.1, conflict=0.6)  # fmt: skip
    start = [[(k + i) % 3 for i in range(size)] for k in range(4)]
    rng, trials = np.random.default_rng(0), 1500
    slow = []
    for _ in range(trials):
        now = start
        for _ in range(3):
            now = twin(rng, w, now)
        slow.append([[sum(t == kind for t in g) for kind in range(3)] for g in now])
    slow = np.array(slow)
    value = groups._Values.of([w] * 8000)
    many = np.array([[[sum(t == kind for t in g) for kind in range(3)] for g in start]] * 8000)
    for _ in range(3):
        many, low = groups.step(rng, many, value)
        assert (many.sum(-1) == size).all()
    assert not low
    for view in (lambda x: x, lambda x: x**2, lambda x: x.sum(1) ** 2):
        a, b = view(slow).reshape(trials, -1).astype(float), view(many).reshape(8000, -1).astype(float)
        error = np.sqrt(a.var(0) / len(a) + b.var(0) / len(b)) + 1e-9
        assert (np.abs(a.mean(0) - b.mean(0)) / error).max() < 4.5


@given(seed=st.integers(0, 99), benefit=st.floats(0, 2), size=st.integers(2, 9))
def test_payoffs_are_those_of_people_one_by_one(seed, benefit, size):
    rng = np.random.default_rng(seed)
    w = Groups(groups=2, size=size, benefit=benefit)
    kinds = rng.integers(0, 5, size)
    classes = np.bincount(kinds, minlength=5)[None, None]
    found = groups.payoffs(classes, groups._Values.of([w]))[0, 0]
    gave = [k in (0, 2) for k in kinds]
    for i, k in enumerate(kinds):
        pay = 1 + benefit * sum(gave) / size - w.cost * gave[i]
        for j in range(size):
            if j != i and not gave[i] and kinds[j] in (2, 3):
                pay -= w.punished / size
            if j != i and not gave[j] and k in (2, 3):
                pay -= w.punishing / size
        assert found[k] == pytest.approx(pay)


@pytest.mark.slow
def test_the_table_worked_out_before_in_groups_of_eight():
    """Means over 4 seeds and 2,000 periods (the whole table is the study group_size)."""
    base = Groups(size=8)
    found = evolve([base, base.but(punished=0.0, punishing=0.0)], range(4)).late().reshape(2, 4)
    assert found.mean(1) == pytest.approx([0.834, 0.347], abs=0.03)


def test_worlds_are_repeatable_and_start_with_one_group_of_punishers():
    w = Groups(groups=4, size=3, error=0.0, mixing=0.0, mutation=0.0, conflict=0.0)
    course = evolve([w], [5], 1)
    assert course.last[0, 0].tolist() == [0, 3, 0]  # nothing can change where nobody meets another kind
    assert course.punishers[0, 0] == 0.25
    a, b = (evolve([Groups(size=4)], [1, 2], 30) for _ in range(2))
    np.testing.assert_array_equal(a.cooperation, b.cooperation)
    assert (a.cooperation[-1, 0] != a.cooperation[-1, 1]) or (a.last[0] != a.last[1]).any()


def test_floored_payoffs_are_flagged_and_others_not():
    assert not evolve([Groups(groups=2, size=4)], [0], 5).flags
    assert "raised" in evolve([Groups(groups=2, size=4, punished=4.0)], [0], 20).flags[0]


def test_worlds_that_cannot_be_are_refused():
    for make, sentence in (
        (lambda: Groups(groups=3), "groups.groups is 3; an even number"),
        (lambda: Groups(mixing=1.2), r"groups.mixing is 1.2; a number in \[0, 1\]"),
        (lambda: Groups(size=1), "groups.size is 1; a whole number of at least 2"),
        (lambda: evolve([Groups(size=2), Groups(size=3)], [0]), "side by side"),
        (lambda: evolve([], [0]), "at least one world"),
        (lambda: evolve([Groups()], [0], 0), "steps is 0"),
    ):
        with pytest.raises(Refusal, match=sentence):
            make()
    assert (TYPE == [COOPERATE, COOPERATE, PUNISH, PUNISH, DEFECT]).all()


# --- labour ---------------------------------------------------------------------------------------------------


def test_the_pin_factory():
    assert labour.learning_for(240, 18) == pytest.approx(2.8962, abs=1e-4)
    assert labour.learning_for(4800, 18) == pytest.approx(3.9326, abs=1e-4)
    assert labour.Factory().gain == pytest.approx(240, abs=0.2)
    assert labour.Factory(learning=1.0).gain == pytest.approx(1)
    assert labour.Factory(learning=0.9).gain < 1
    assert labour.Factory().trust == pytest.approx(0.7375, abs=1e-4)
    trust = labour.Factory().trust
    assert labour.Factory(delivery=trust).gain == pytest.approx(1)
    assert labour.SMITH_TEAM / labour.SMITH_ALONE == 240
    assert labour.assign(18, 10) == [2] * 8 + [1] * 2
    k, a, h = sp.symbols("K alpha h", positive=True)
    assert sp.simplify((h**k / k) / k**-a - h**k * k ** (a - 1)) == 0
    for bad in (lambda: labour.learning_for(0, 18), lambda: labour.learning_for(2, 1), lambda: labour.assign(0, 1)):
        with pytest.raises(Refusal):
            bad()


@given(seed=st.integers(0, 50))
def test_a_period_of_the_village_is_that_of_people_one_by_one(seed):
    """What is fined is got, and what a fine costs is lost: sums agree with a slow count where norms are certain."""
    v = labour.Village(agents=6, needed=2)
    rng = np.random.default_rng(seed)
    role = rng.integers(0, 2, (2, 3, 6))
    norms = rng.integers(0, 2, (2, 3, 2, 2)).astype(float)
    paid = labour.period(np.random.default_rng(seed), v, norms, role)
    met = (np.arange(6) + np.random.default_rng(seed).integers(1, 6, role.shape)) % 6
    for r in range(2):
        for g in range(3):
            mine, holders = role[r, g], int(role[r, g].sum())
            pay = [v.easy * (m == labour.EASY) + v.bonus * (holders >= v.needed) for m in mine]
            for i in range(6):
                j = met[r, g, i]
                if norms[r, g, mine[i], mine[j]]:
                    pay[i] -= v.fining
                    pay[j] -= v.fine
                    for x in range(6):
                        pay[x] += v.fine / holders if mine[x] == labour.HARD else 0.0
            np.testing.assert_allclose(paid[r, g], pay, atol=1e-12)


def test_norms_that_are_selected_fill_the_role_that_does_not_pay():
    v = labour.Village(groups=12, needed=6)
    last = {}
    for way in ("none", "any", "better"):
        a = labour.live(v, 3, 0, 25, 120, way)
        last[way] = a.payoff[-5:].mean(0)
        if way == "none":
            assert not a.norms.any()
    assert last["better"].min() > last["none"].max() + 0.3
    np.testing.assert_array_equal(labour.live(v, 2, 1, 2, 20).payoff, labour.live(v, 2, 1, 2, 20).payoff)
    with pytest.raises(Refusal, match="did you mean 'better'"):
        labour.live(v, 1, 0, 1, 1, "beter")
    with pytest.raises(Refusal, match="more than the 20 agents"):
        labour.Village(needed=21)


# --- polities -------------------------------------------------------------------------------------------------


def test_two_regimes_and_the_line_between_them():
    low, middle, high = rests(Polity())
    for rest, wealth, tau, stable in ((low, 0.106, 0.007, True), (high, 0.801, 0.779, True)):
        assert (rest.wealth, rest.extraction) == pytest.approx((wealth, tau), abs=0.003)
        assert rest.stable is stable
    assert middle.wealth == pytest.approx(0.5355, abs=0.003)
    assert not middle.stable
    assert low.growth > high.growth
    for start, end in ((middle.wealth - 1e-3, low), (middle.wealth + 1e-3, high)):
        assert follow(Polity(), start, start, 4000).wealth[-1] == pytest.approx(end.wealth, abs=1e-6)


def test_few_rents_constraints_and_shocks():
    for rents in (0.5, 0.6, 0.7):
        assert [r.stable for r in rests(Polity(rents=rents))] == [True]
    for cap, wealth in ((0.2, 0.106), (0.4, 0.106), (0.5, 0.55), (0.6, 0.64)):
        assert follow(Polity(cap=cap), 0.9, 0.9).wealth[-1] == pytest.approx(wealth, abs=0.003)
    high = rests(Polity())[-1].wealth
    assert follow(Polity(), 0.0, high).wealth[-1] == pytest.approx(0.106, abs=0.003)
    assert follow(Polity(), high, 0.1).wealth[-1] == pytest.approx(0.106, abs=0.003)


@given(rents=st.floats(0.1, 1), cap=st.floats(0.1, 1), steep=st.floats(0, 20), s=st.floats(0, 0.9))
def test_rests_are_at_rest_and_stability_is_that_of_the_path(rents, cap, steep, s):
    p = Polity(rents=rents, cap=cap, steep=steep, share=s)
    found = rests(p)
    assert found
    for r in found:
        path = follow(p, r.wealth, r.wealth, 1)
        assert (path.law[-1], path.wealth[-1]) == pytest.approx((r.wealth, r.wealth), abs=1e-9)
    many = follow(p, np.linspace(0, 1, 7), np.linspace(0, 1, 7), 6000).wealth[-1]
    stable = [r.wealth for r in found if r.stable]
    assert np.abs(many[:, None] - np.array(stable)).min(1).max() < 2e-2


def test_polities_that_cannot_be():
    for make, sentence in (
        (lambda: Polity(cap=2.0), "polity.cap"), (lambda: Polity(steep=-1.0), "polity.steep"),
        (lambda: rests(Polity(change=0.0)), "every law is at rest"), (lambda: follow(Polity(), 1.2, 0.1), "in .0, 1."),
        (lambda: follow(Polity(), 0.1, np.nan), "in .0, 1."), (lambda: follow(Polity(), 0.1, 0.1, -1), "steps is -1"),
    ):  # fmt: skip
        with pytest.raises(Refusal, match=sentence):
            make()


# --- transitions ----------------------------------------------------------------------------------------------


def test_germ_and_soma():
    for colony, known in ((Colony(), 0.25), (Colony(depth=2.0), 4 / 27), (Colony(curve=2.0), 2 / (3 * 3**0.5))):
        assert colony.generalists == pytest.approx(known, abs=1e-8)
    b = sp.symbols("b", positive=True)
    best = sp.solve(sp.diff(b * (1 - b) ** 2, b), b)
    assert max(float((b * (1 - b) ** 2).subs(b, x)) for x in best) == pytest.approx(4 / 27)
    assert Colony().specialists == 0.25


@given(gain=st.floats(0.01, 5), loss=st.floats(0, 5))
def test_policing_holds_just_above_its_least(gain, loss):
    p = Policing(gain=gain, loss=loss)
    z = p.least.value
    assert 0 <= z <= 1
    if 0 < z < 0.999:
        assert p.but(policing=min(1.0, z + 1e-6)).cooperation
        assert not p.but(policing=z - 1e-6).cooperation
    assert p.but(benefit=1e9).pays
    assert Policing(gain=0.0).least.flags
    assert len(TRANSITIONS) == 8


# --- third parties --------------------------------------------------------------------------------------------


def test_the_margin_of_third_party_punishment():
    game = Commons()
    assert game.temptation == pytest.approx(0.6)
    assert game.complies(2)
    assert not game.but(fine=0.599).complies(2)
    assert game.but(fine=0.0, guilt=0.6).complies(0)
    assert game.but(seen=0.5).least_fine.value == pytest.approx(1.2)
    assert not game.punishes
    assert game.but(duty=0.18).punishes
    assert Commons(seen=0.0).least_fine.flags


@given(x=share, fine=st.floats(0, 3), n=st.integers(3, 12), seen=share)
def test_tipping_is_where_the_best_reply_of_the_others_turns(x, fine, n, seen):
    game = Commons(members=n, fine=fine, seen=seen)
    complies = game.complies((n - 1) * x)
    near = abs(x - game.tip.value) < 1e-9
    assert near or game.compliance(x) == pytest.approx(x + (1 - x) * complies)
    assert bool(game.tip.flags) == (game.tip.value > 1)


def test_the_best_gift_is_the_corner_that_the_margin_says():
    """By enumeration of gifts: payoff less expected fines and guilt is highest at the norm iff the margin holds."""
    for fine in (0.0, 0.5, 0.7, 1.5):
        game = Commons(fine=fine, guilt=0.1)
        worth = []
        for g in np.linspace(0, 1, 11):
            gifts = np.array([g, 0.3, 0.3, 0.3])
            material = game.payoffs(gifts, np.zeros((4, 4)))[0]
            worth.append(material - game.seen * 1 * fine * (1 - g) - game.guilt * (1 - g))
        assert (np.argmax(worth) == 10) == game.complies(1)


@given(seed=st.integers(0, 99))
def test_fines_are_paid_and_taken_as_counted(seed):
    rng = np.random.default_rng(seed)
    game, gifts, fines = Commons(), rng.random(4), (rng.random((4, 4)) < 0.5).astype(float)
    pay = [game.endowment - gifts[i] + 0.4 * gifts.sum() for i in range(4)]
    for i in range(4):
        for j in range(4):
            pay[j] -= fines[i, j] * game.fine * (1 - gifts[j])
            pay[i] -= fines[i, j] * game.fining * game.fine * (1 - gifts[j])
    np.testing.assert_allclose(game.payoffs(gifts, fines), pay)


def test_internalisation_goes_further_where_punishing_is_promoted():
    game, late = Commons(fine=1.0), {}
    for name, kept in (
        ("both", {}),
        ("giving", {"promoted": False}),
        ("neither", {"promoted": False, "wholly": False}),
    ):
        late[name] = np.array(
            [[c[-50:].mean() for c in internalise(game, Descent(), s, 250, **kept)] for s in range(4)]
        )
    assert late["both"][:, 0].min() > late["giving"][:, 0].max()
    assert late["both"][:, 1].min() > 0.7
    assert late["giving"][:, 1].max() < 0.3
    assert late["neither"][:, 1].max() == 0
    with pytest.raises(Refusal, match="it is a dilemma"):
        Commons(multiplier=5.0)
    with pytest.raises(Refusal, match="more than the endowment"):
        Commons(norm=2.0)
    with pytest.raises(Refusal, match="an even number"):
        Descent(groups=3)


def test_the_ladder_is_that_of_the_slide():
    assert [c.name for c in CLASSIFIERS][::6] == ["emergent practices", "lawyers"]
    assert [e.name for e in ENFORCEMENTS][::6] == ["mocking", "incarceration"]
    rows = [[rung(c, e, Trade(), Commons(members=20)) for e in ENFORCEMENTS] for c in (CLASSIFIERS[0], CLASSIFIERS[-1])]
    assert all(b["bound"] > a["bound"] and b["tip"] < a["tip"] for a, b in zip(*rows, strict=True))


# --- arrows ---------------------------------------------------------------------------------------------------


@given(t=st.integers(1, 60), f=share)
def test_copying_alone_keeps_a_rule_for_f_to_the_t(t, f):
    v, x = arrows.Village(fidelity=f, judgement=0.0), 1.0
    for _ in range(t):
        x = float(arrows.after(v, x, 0.3))
    assert x == pytest.approx(f**t, abs=1e-12)


@given(x=st.floats(0.01, 0.99), worth=st.floats(-1, 1), p=st.floats(0, 1), a=st.floats(0.5, 3))
def test_one_generation_is_that_of_the_definition(x, worth, p, a):
    v = arrows.Village(conformity=a, punishment=p, fidelity=0.9, invention=0.05)
    copied = x**a / (x**a + (1 - x) ** a)
    learnt = 0.9 * copied + 0.05 * (1 - copied)
    keep, drop = learnt * np.exp(worth), (1 - learnt) * np.exp(-p * learnt)
    assert float(arrows.after(v, x, worth)) == pytest.approx(keep / (keep + drop))


def test_judgement_keeps_what_helps_and_only_conformity_or_punishment_the_rest():
    judged, conform, punish = (arrows.Village(), arrows.Village(conformity=1.5), arrows.Village(punishment=0.2))
    assert arrows.kept(judged, 0.05) > 0.3
    assert arrows.kept(judged, -0.02) < 1e-6
    assert arrows.kept(conform, -0.02) > 0.9
    assert arrows.kept(punish, -0.02) > 0.7
    worths = np.array([r.worth for r in arrows.RULES])
    a = arrows.persist(punish, worths, 60, 3, 40)
    assert a.shape == (61, 40, 7)
    np.testing.assert_array_equal(a, arrows.persist(punish, worths, 60, 3, 40))
    expected = arrows.kept(punish, 0.0)
    assert a[-1, :, -1].mean() == pytest.approx(expected, abs=0.15)
    with pytest.raises(Refusal, match="generations is 0"):
        arrows.persist(punish, worths, 0, 0)
