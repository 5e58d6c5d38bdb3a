"""Manipulation, Goodhart, Kerr, deferring, contracts with gaps, inverse reward design: closed forms and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.proxies import goodhart, manipulation, robots
from nomoi.proxies.manipulation import FOOLED, NORMAL, RATINGS, VULNERABLE, Feedback, learn
from nomoi.proxies.reading import Part, number
from nomoi.proxies.reward_audit import baselines

FEW = {"vulnerable_share": 0.3}


def test_it_learns_whom_it_can_manipulate():
    c = learn(Feedback(**FEW), 0)
    assert c.chances[0] == pytest.approx(np.array([[0.85, 0.06, 0.09]] * 2))
    assert c.harm(VULNERABLE)[-1] > 0.9
    assert c.harm(NORMAL)[-1] < 0.02
    assert c.rating[-1] > c.rating[0]
    assert c.welfare_by[-1, VULNERABLE] < c.welfare_by[0, VULNERABLE]
    seen = manipulation.audited(c, Feedback(**FEW | {"vulnerable_share": 0.02}), 1000, 0)
    assert seen["average"] < 0.03
    assert seen["cue 1"] > 0.9


@pytest.mark.parametrize(
    ("options", "more", "kind", "harmed"),
    [
        ({"accuracy": 0.5, "vulnerable_share": 0.05}, {}, VULNERABLE, False),  # a cue that tells nothing
        ({"share": 1.0, "vulnerable_share": 0.05}, {}, VULNERABLE, False),  # answers that cannot differ
        ({}, {"ratings": (RATINGS[0], RATINGS[0])}, VULNERABLE, False),  # nobody who can be manipulated
        ({"veto": 1.0}, {}, VULNERABLE, False),
        ({}, {"ratings": FOOLED}, NORMAL, True),
        ({}, {"ratings": FOOLED, "delayed": True}, NORMAL, False),
        ({"veto": 1.0}, {"subtle": True}, VULNERABLE, True),  # what the judge does not see
    ],
)
def test_what_it_takes(options, more, kind, harmed):
    found = learn(Feedback(**FEW | options), 1, **more).harm(kind)[-1]
    assert found > 0.4 if harmed else found < 0.1


def test_a_judge_lowers_harm_and_learning_against_what_it_sees_more_so():
    harm = [
        learn(Feedback(**FEW | o), 2).harm(VULNERABLE)[-1] for o in ({}, {"veto": 0.8}, {"veto": 0.8, "negative": 1.0})
    ]
    assert harm == sorted(harm, reverse=True)


def test_it_learns_against_half_as_many_as_it_learns_from():
    """Though a judge keeps half of all out, of which a few hundred could be learned against."""
    one = Stub([[0, 1, 0], [0, 1, 0]], answer=manipulation.HARMFUL)
    learn(Feedback(**FEW | {"iterations": 2, "veto": 0.5, "negative": 1.0}), 0, policy=one)
    for label in one.labels:
        desired, not_desired = int((label > 0).sum()), int((label < 0).sum())
        assert desired > 50
        assert not_desired == 2 * desired  # the worst rated, and as many of those that were kept out
    learn(Feedback(**FEW | {"iterations": 1, "veto": 0.5}), 0, policy=one)
    assert int(one.labels[-1].sum()) == 0


class Stub:
    """A policy of one's own, as an adapter for a language model would be."""

    def __init__(self, chances, answer=0):
        self.table, self.learned, self.labels, self.answer = np.asarray(chances, float), [], [], answer

    def act(self, cue, rng):
        return np.full(len(cue), self.answer)

    def chances(self):
        return self.table

    def update(self, cue, answer, label, rate):
        self.learned.append((len(cue), rate))
        self.labels.append(label)


def test_another_policy_plugs_in():
    one = Stub([[1, 0, 0], [1, 0, 0]])
    course = learn(Feedback(**FEW | {"iterations": 3}), 0, policy=one)
    assert course.rating_by[-1] == pytest.approx([8.0, 4.2])
    # of 80 and 187 conversations in each of 12 subjects, a sixteenth at either end
    assert [n for n, _ in one.learned] == [12 * 2 * (5 + 11)] * 3
    assert [rate for _, rate in one.learned] == pytest.approx([6, 5.4, 4.86])
    with pytest.raises(Refusal, match="do not sum to 1"):
        learn(Feedback(**FEW), 0, policy=Stub([[1, 1, 0], [1, 0, 0]]))
    for options, said in (
        ({"vulnerable_share": 0}, "vulnerable_share"),
        ({"selected": 0.0}, "selected"),
        ({"vulnerable_share": 1e-5}, "a larger share"),
    ):
        with pytest.raises(Refusal, match=said):
            learn(Feedback(**options), 0)
    with pytest.raises(Refusal, match="outside 1 to 10"):
        learn(Feedback(**FEW), 0, ratings=((11, 2, 3, 4), RATINGS[1]))


def test_a_table_climbs_its_own_loss():
    """The gradient of one step is that of finite differences."""
    table = manipulation.Table(3, 0.0, 0.1)
    cue, answer = np.array([0, 0, 1, 1, 0, 1, 0, 1]), np.array([0, 1, 1, 2, 0, 1, 2, 0])
    label = np.array([1, -1, 1, -1, 1, 1, -1, 1])
    before = table.chances()
    table.update(cue, answer, label, 1e-3)
    moved = table.w / 1e-3
    for c in (0, 1):
        for a in range(3):
            up = np.zeros((2, 3))
            up[c, a] = 1e-6
            z = np.exp(table.b + up)
            lr = np.log(z / z.sum(1, keepdims=True)) - np.log(before)
            loss = lambda lr: np.mean(label / (1 + np.exp(-0.1 * lr[cue, answer])))  # noqa: E731
            assert moved[c, a] == pytest.approx((loss(lr) - loss(0 * lr)) / 1e-6, abs=1e-5)


def test_a_table_holds_what_it_moves_against_how_far_it_has_drifted():
    """Three steps of KTO, example by example: sigma(beta (log ratio - z)), z how far all of them have moved so far."""
    beta, rate = 4.0, 3.0  # large, so that the drift matters
    cue, answer = np.array([0] * 30 + [1] * 10), np.array([1] * 30 + [0, 1] * 5)
    label = np.array([1] * 25 + [-1] * 10 + [1] * 5)
    table = manipulation.Table(3, 0.0, beta)
    before, w = table.chances(), np.zeros((2, 3))
    table.update(cue, answer, label, rate)

    def climbed(drifts):
        w[:] = 0
        for _ in range(3):  # 40 examples, sixteen a step
            z = np.exp(table.b + w)
            now = z / z.sum(1, keepdims=True)
            far = [sum(now[c, a] * np.log(now[c, a] / before[c, a]) for a in range(3)) for c in (0, 1)]
            drift = drifts * np.mean([far[c] for c in cue])
            gradient = np.zeros((2, 3))
            for c, a, sign in zip(cue, answer, label, strict=True):
                s = 1 / (1 + np.exp(-beta * (np.log(now[c, a] / before[c, a]) - drift)))
                gradient[c] += sign * beta * s * (1 - s) * (np.eye(3)[a] - now[c]) / len(cue)
            w[:] += rate * gradient
        return w

    np.testing.assert_allclose(table.w, climbed(1), rtol=1e-9)
    assert np.abs(table.w - climbed(0)).max() > 0.02  # without the drift it would be another


def test_best_of_n_by_hand():
    assert goodhart.divergence(np.array([10, 100, 1000])) == pytest.approx([1.403, 3.615, 5.909], abs=1e-3)
    assert goodhart.shrinkage(1, 1) == 0.5
    rng = np.random.default_rng(0)
    g, p = goodhart.best_of(100, 1.0, 1.0, 3000, rng)
    assert g / p == pytest.approx(0.5, abs=0.02)
    found = goodhart.extremal((1, 2, 4, 8, 64, 256, 1024), 0.4, 20_000, rng)
    assert found == pytest.approx([0.02, 0.57, 0.81, 0.87, 0.46, -0.04, -0.62], abs=0.05)
    c = goodhart.causal(200_000, rng)
    assert (c["correlation"], c["chosen"], c["pushed"]) == pytest.approx((0.8, 2.41, 0), abs=0.05)
    tops = [goodhart.adversarial(m, 200, rng) for m in (0, 10, 50, 100)]
    assert tops == pytest.approx([1.57, 1.34, 0.4, -1], abs=0.15)


@given(alpha=st.floats(0.2, 3), beta=st.floats(0.05, 1))
def test_curves_are_found_again_with_their_peaks(alpha, beta):
    d = np.linspace(0.1, 4, 12)
    for k, form in enumerate(("best of n", "reinforcement learning")):
        known = goodhart.Curve(form, alpha, beta, 1, 0)
        found = goodhart.fit(d, known(d))[k]
        assert (found.alpha, found.beta, found.r2) == pytest.approx((alpha, beta, 1), abs=1e-6)
        top, height = found.peak
        assert float(known(np.array(top))) == pytest.approx(height, rel=1e-4)
        assert height >= known(top * np.array([0.9, 1.1])).max()
    assert goodhart.Curve("reinforcement learning", 0.5, 0.1, 1, 0).peak == pytest.approx((54.598, 5.4598), abs=1e-3)


@pytest.mark.parametrize(
    ("d", "said"), [([1, 2, 3], "at least 4"), ([1] * 5, "all d are 1"), ([-1, 1, 2, 3], "not below 0")]
)
def test_curves_that_cannot_be_fitted(d, said):
    with pytest.raises(Refusal, match=said):
        goodhart.fit(d, np.ones(len(d)))


@given(st.floats(0, 2), st.floats(0, 2), st.floats(-0.9, 0.9))
def test_effort_is_the_best_response(a, b, rho):
    net = lambda x, y: a * x + b * y - (x * x + y * y) / 2 - rho * x * y  # noqa: E731
    x, y = goodhart.effort((a, b), rho)
    grid = np.linspace(0, 8, 161)
    assert net(x, y) >= net(grid[:, None], grid[None]).max() - 1e-9
    assert goodhart.folly((1, 0), (1, 1), rho) >= 0


def test_folly_deferring_and_gaps_by_hand():
    assert goodhart.effort((1, 0), 0) == (1, 0) == goodhart.effort((1, 0), 0.5)
    assert goodhart.effort((1, 0), -0.5) == pytest.approx((4 / 3, 2 / 3))
    assert goodhart.folly((1, 0), (1, 1), 0) == pytest.approx(0.5)
    assert [goodhart.deferring(*x) for x in ((0, 1), (1, 1), (-1, 1), (0.5, 0.1))] == pytest.approx(
        [0.39894, 0.08332, 0.08332, 5e-9], abs=1e-5
    )
    found = [goodhart.deferring_to_noise(0.25, 1, b) for b in (0, 0.1, 0.5, 1, 2, 1e9)]
    assert found == pytest.approx([0.2863, 0.28018, 0.19104, 0.09255, 0, -0.125], abs=1e-4)
    assert found[4] == 0  # to the last bit, where the formula is
    assert found[0] == pytest.approx(goodhart.deferring(0.25, 1), abs=1e-5)
    lengths = [goodhart.best_length(a) for a in np.linspace(0, 1, 11)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1] == 0
    assert goodhart.contract(1, 1.0, 2, 0.1) == pytest.approx(0.9)


def test_inverse_reward_design_leaves_open_what_did_not_occur():
    likely = robots.posterior(robots.PROXY, robots.TRAINING, robots.WEIGHTS)
    assert likely == pytest.approx(np.full(9, 1 / 9))
    route = lambda k: robots.NEW[k].tolist()  # noqa: E731
    assert route(robots.plan(robots.NEW, robots.PROXY)) == [4, 0, 3]
    assert route(robots.plan(robots.NEW, likely @ robots.WEIGHTS)) == [4, 0, 3]
    assert route(robots.averse(robots.NEW, robots.WEIGHTS, likely)) == [7, 0, 0]
    with_lava = (
        *robots.TRAINING,
        robots.NEW,
    )  # where lava was there and the proxy crossed it, it was meant to be crossed
    told = robots.posterior(robots.PROXY, with_lava, robots.WEIGHTS, beta=5)
    assert told @ robots.WEIGHTS[:, 2] > 0


def test_baselines_say_where_they_are_from():
    known = baselines()
    km = {k: number(v["km"], k) for k, v in known.items()}
    assert km["teens_1995"] == pytest.approx(66_119, abs=1)
    assert km["drunk_16_17"] == pytest.approx(8_645, abs=1)
    assert all(set(v) == {"km", "label", "source"} for v in known.values())
    part = Part({"a": 1, "c": 2}, "x")
    with pytest.raises(Refusal, match=r"x has no 'b'; it must be given \(there are: a, c\)\."):
        part.number("b")
