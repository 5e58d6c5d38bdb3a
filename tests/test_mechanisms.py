"""Gifts, self-interest, a principal, taxes, a mediator, votes: each beside a plain twin, and what it promises."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import SITUATIONS, run

from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.institutions.gift import Gift
from nomoi.institutions.interest import Interest
from nomoi.institutions.levy import Levy
from nomoi.institutions.mediator import Mediator
from nomoi.institutions.principal import Principal
from nomoi.institutions.tax import Tax
from nomoi.institutions.vote import Vote
from nomoi.situations.matrix import Matrix

POOL, DILEMMA = SITUATIONS["pool"], Matrix()
SEEDS = st.integers(0, 2**30)


def played(situation, *rounds):
    """Total payoff and last outcome of the answers given round by round."""
    key, state = jax.random.key(0), situation.reset(jax.random.key(0))
    total = np.zeros(situation.agents)
    outcome = None
    for answers in rounds:
        heads = {h: jnp.zeros(situation.agents, jnp.int32) for h in situation.actions}
        state, outcome = situation.step(key, state, heads | {h: jnp.asarray(a) for h, a in answers.items()})
        total += np.asarray(outcome.payoff)
    return total, outcome, state


# --- gifts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["all", "one"])
@pytest.mark.parametrize("source", ["own", "budget", "replenished"])
@given(amount=st.floats(0, 2, width=32), budget=st.floats(0, 4, width=32), seed=SEEDS)
def test_gifts_as_a_plain_loop(to, source, amount, budget, seed):
    rule = Gift(amount=amount, source=source, budget=budget, refill=0.5, to=to)
    got, n = run(govern(POOL, rule), seed), 3
    purse = [0.0 if source == "own" else budget] * n
    for t in range(len(got.held)):
        want, spent = [0.0] * n, [0.0] * n
        for i in range(n):
            give = got.action["gift.give"][t, i]
            if not give:
                continue
            spent[i] = amount if source == "own" else min(amount, purse[i])
            for j in [(i + give) % n] if to == "one" else [j for j in range(n) if j != i]:
                want[j] += spent[i] if to == "one" else spent[i] / (n - 1)
            want[i] -= spent[i] if source == "own" else 0
        np.testing.assert_allclose(got.outcome.transfer[t], want, atol=1e-5)
        np.testing.assert_allclose(got.outcome.events["gift.given"][t], spent, atol=1e-5)
        if source != "own":
            purse = [purse[i] - spent[i] for i in range(n)]
        if source == "replenished":
            purse = [purse[i] + 0.5 * max(float(got.outcome.reward[t, i]), 0.0) for i in range(n)]
        np.testing.assert_allclose(got.after.memory[0][t], purse, atol=1e-4)


def test_a_purse_is_an_outside_principals_and_never_overdrawn():
    got = run(govern(POOL, Gift(amount=1.0, source="budget", budget=2.5)), 3, give=1).outcome
    np.testing.assert_allclose(got.events["gift.given"].sum(0), 2.5, atol=1e-6)
    np.testing.assert_allclose(got.transfer.sum(1), got.events["gift.given"].sum(1), atol=1e-6)


# --- self-interest --------------------------------------------------------------------------------------------


@given(share=st.floats(0, 1, width=32), seed=SEEDS)
def test_shared_interest_as_a_plain_sum(share, seed):
    got = run(govern(POOL, Levy(on="request", rate=0.5), Interest(share=share)), seed).outcome
    own = got.reward - got.events["levy.paid"]
    others = np.stack([(own.sum(1) - own[:, i]) / 2 for i in range(3)], 1)
    np.testing.assert_allclose(got.reward + got.transfer, share * own + (1 - share) * others, atol=1e-6)


def test_all_of_ones_interest_is_the_identity_and_an_nth_is_the_mean():
    for share in (1.0, 1 / 3):
        got = run(govern(POOL, Interest(share=share)), 1).outcome
        want = got.reward if share == 1 else np.broadcast_to(got.reward.mean(1, keepdims=True), got.reward.shape)
        np.testing.assert_allclose(got.reward + got.transfer, want, atol=1e-6)


@pytest.mark.parametrize(
    ("preset", "level"), [("dilemma", 0.5), ("classic", 0.75), ("stag", 2 / 3), ("chicken", 2 / 3)]
)
def test_the_self_interest_levels_of_the_spec(preset, level):
    """Cooperation is dominant just below s*, and not just above."""
    for share, dominant in ((level - 0.01, True), (level + 0.01, False)):
        game = govern(Matrix.preset(preset), Interest(share=share))
        worth = {c: played(game, {"choose": np.array(c, np.int32)})[0][0] for c in product((0, 1), repeat=2)}
        assert all(worth[0, other] >= worth[1, other] for other in (0, 1)) == dominant


# --- a principal ----------------------------------------------------------------------------------------------


@given(rate=st.floats(0, 3, width=32), budget=st.floats(0.125, 5, width=32), seed=SEEDS)
def test_a_principal_pays_from_outside_and_no_more_than_it_has(rate, budget, seed):
    stack = (
        Principal(on="request,harvest", rates=[rate, 1.0]),
        Principal(title="poor", on="request", rates=[rate], budget=budget),
    )
    got = run(govern(POOL, *stack), seed).outcome
    rich, poor = got.events["principal.paid"], got.events["poor.paid"]
    np.testing.assert_allclose(rich, rate * got.events["request"] + got.events["harvest"], atol=1e-5)
    np.testing.assert_allclose(got.transfer, rich + poor, atol=1e-5)
    due, spent = rate * got.events["request"], 0.0
    for t in range(len(due)):
        paid = due[t] * min(1.0, (budget - spent) / due[t].sum()) if due[t].sum() > 0 else 0 * due[t]
        np.testing.assert_allclose(poor[t], paid, atol=1e-4)
        spent += paid.sum()


# --- taxes ----------------------------------------------------------------------------------------------------


def test_brackets_by_hand():
    tax = Tax.preset("us 2018")
    by_hand = [0, 0.1 * 5, 0.1 * 9.7, 0.1 * 9.7 + 0.12 * 29.775 + 0.22 * 10.525, 0]
    np.testing.assert_allclose(tax.due([0.0, 5.0, 9.7, 50.0, -3.0]), by_hand, rtol=1e-5)
    top = sum(r * (b - a) for r, a, b in zip(tax.rates, tax.cutoffs, [*tax.cutoffs[1:], 1000.0], strict=True))
    np.testing.assert_allclose(tax.due([1000.0])[0], top, rtol=1e-5)


@given(rates=st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), period=st.integers(1, 8), seed=SEEDS)
def test_taxes_as_a_plain_loop(rates, period, seed):
    """Income is what the world gave and what a levy before the tax moved."""
    cutoffs = [0.0, 0.125, 0.25]
    levy = Levy(on="request", rate=8.0, proceeds="shared")
    got = run(govern(POOL, levy, Tax(cutoffs=cutoffs, rates=rates, period=period)), seed).outcome
    moved = got.events["levy.paid"].mean(1, keepdims=True) - got.events["levy.paid"]
    assert np.abs(moved).max() > 0.125
    income, time = [0.0] * 3, 0
    for t in range(len(got.done)):
        income, time = [a + float(b) for a, b in zip(income, got.reward[t] + moved[t], strict=True)], time + 1
        paid = [0.0] * 3
        if time == period or got.done[t]:
            for i in range(3):
                for rate, low, high in zip(rates, cutoffs, [*cutoffs[1:], np.inf], strict=True):
                    paid[i] += rate * max(min(income[i], high) - low, 0.0)
            income, time = [0.0] * 3, 0
        np.testing.assert_allclose(got.events["tax.paid"][t], paid, atol=1e-5)
        np.testing.assert_allclose(got.transfer[t] - moved[t], np.mean(paid) - np.array(paid), atol=1e-5)
    np.testing.assert_allclose(got.events["tax.paid"].sum(), got.events["tax.returned"].sum(), rtol=1e-5)


def test_the_own_burden_is_shown():
    got = run(govern(POOL, Tax(rates=[0.25], period=4)), 1)
    standing = got.seen["tax.standing"]
    np.testing.assert_allclose(standing[:5, 0, 0], [0, 0.25, 0.5, 0.75, 0])
    earned = got.outcome.reward[0] > 0
    np.testing.assert_allclose(standing[1, :, 1], np.where(earned, 0.25, 0), atol=1e-5)


# --- a mediator -----------------------------------------------------------------------------------------------


def value(one, other):
    """The first player's payoff in the dilemma; a strategy is "commit", or a choice of one's own."""
    commit = np.array([s == "commit" for s in (one, other)], np.int32)
    choose = np.array([0 if s == "commit" else s for s in (one, other)], np.int32)
    return played(govern(DILEMMA, Mediator()), {"mediator.commit": commit}, {"choose": choose})[0][0]


def test_to_commit_is_never_worse_than_to_defect_and_all_commit_in_equilibrium():
    assert value("commit", "commit") == 2
    for other in ("commit", 0, 1):
        assert value("commit", other) >= value(1, other)  # V_commit >= V_not, whatever the other does
    assert value("commit", "commit") > max(value(0, "commit"), value(1, "commit"))
    assert (value(1, 1), value(0, 1), value(1, 0), value(0, 0)) == (1, 0, 4, 2)  # nobody commits: the dilemma


def test_a_mediator_acts_for_the_committed_only():
    trio = SITUATIONS["matrix"]
    for commit in product((0, 1), repeat=3):
        for quorum in (0, 2):
            who, choose = np.array(commit, np.int32), np.array([0, 1, 0], np.int32)
            game = govern(trio, Mediator(quorum=quorum))
            _, outcome, state = played(game, {"mediator.commit": who}, {"choose": choose})
            answer = 0 if who.sum() >= (quorum or 3) else 1
            np.testing.assert_array_equal(state.world.last, np.where(who == 1, answer, choose))
            np.testing.assert_array_equal(outcome.events["mediator.acted"], who)
            np.testing.assert_array_equal(outcome.events["mediator.whole"], who * (answer == 0))


def test_agents_may_commit_anew():
    trio, yes, no = SITUATIONS["matrix"], {"mediator.commit": np.ones(3, np.int32)}, {}
    acted = [
        played(govern(trio, Mediator(period=2)), *rounds)[1].events["mediator.acted"].any()
        for rounds in (
            (yes, no),
            (yes, no, no),
            (yes, no, no, no),
            (yes, no, yes, no),
            (no, yes, no),
            (no, no, yes, no),
        )
    ]
    assert acted == [True, True, False, True, False, True]


# --- votes ----------------------------------------------------------------------------------------------------


@given(votes=st.lists(st.integers(0, 3), min_size=1, max_size=7), standing=st.integers(0, 3))
def test_votes_are_counted_as_by_hand(votes, standing):
    tally = [votes.count(k) for k in range(4)]
    majority = [k for k in range(4) if 2 * tally[k] > len(votes)]
    want = {
        "majority": majority[0] if majority else standing,
        "plurality": tally.index(max(tally)),
        "median": sorted(votes)[(len(votes) - 1) // 2],
    }
    for rule, place in want.items():
        count = Vote(rates=[0, 1, 2, 3], rule=rule).count(
            jnp.asarray(votes, jnp.int32), jnp.asarray(standing, jnp.int32)
        )
        assert count == place, rule


def test_the_rate_that_was_voted_for_binds_until_the_next_vote():
    ask, vote = {"request": np.full(3, 6, np.int32)}, lambda *v: {"vote.rate": np.array(v, np.int32)}
    game = govern(POOL, Vote(on="request", rates=[0.0, 1.0, 2.0], period=2))
    for rounds, rate in (
        ([vote(1, 1, 2)], 1.0),
        ([vote(1, 2, 0)], 0.0),  # no majority: as it was
        ([vote(1, 1, 1), ask], 1.0),
        ([vote(1, 1, 1), ask, ask | vote(2, 2, 2)], 2.0),
        ([vote(1, 1, 1), ask | vote(2, 2, 2), ask | vote(0, 1, 2)], 1.0),
    ):
        _, outcome, _ = played(game, *rounds, {"request": np.array([0, 6, 12], np.int32)})
        due = rate * outcome.events["request"]
        np.testing.assert_allclose(outcome.events["vote.rate"], rate)
        np.testing.assert_allclose(outcome.events["vote.paid"], due)
        np.testing.assert_allclose(outcome.transfer, due.mean() - due, atol=1e-6)


# --- whom a contract pays -------------------------------------------------------------------------------------


@given(theta=st.just(0.0) | st.floats(2**-20, 5, width=32), seed=SEEDS)
def test_a_contract_may_pay_the_doer_or_whom_it_was_done_to(theta, seed):
    harvest = SITUATIONS["harvest"]
    done = {"low": theta, "high": theta}
    doer = run(govern(POOL, Contract(on="request", to="doer", **done)), seed, propose=1, sign=1).outcome
    asked = doer.events["request"]
    np.testing.assert_allclose(doer.transfer, theta * (asked - (asked.sum(1, keepdims=True) - asked) / 2), atol=1e-5)
    np.testing.assert_allclose(doer.events["contract.paid"].sum(1), theta * asked.sum(1), rtol=1e-5)
    whom = run(govern(harvest, Contract(on="zap", to="whom", **done)), seed, propose=1, sign=1).outcome
    zap = whom.events["zap"]
    np.testing.assert_allclose(whom.transfer, theta * (zap.sum(1) - zap.sum(2)), atol=1e-5)


# --- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Gift(to="some"), "gift.to is 'some'"),
        (lambda: Gift(amount=-1.0), "gift.amount is -1.0"),
        (lambda: Gift(amount=float("nan")), "gift.amount is nan"),
        (lambda: govern(POOL.replace(agents=1), Gift()), "gift needs at least 2 agents"),
        (lambda: govern(POOL.replace(agents=1), Interest()), "interest needs at least 2 agents"),
        (lambda: Interest(share=1.5), "interest.share is 1.5"),
        (lambda: Principal(on="clean,harvest", rates=[1.0]), "1 numbers for 2 events"),
        (lambda: Principal(rates=[-1.0]), "principal.rates"),
        (lambda: Tax(cutoffs=[0.0, 1.0], rates=[0.5]), "1 numbers for 2 cutoffs"),
        (lambda: Tax(cutoffs=[0.0, 0.0], rates=[0.5, 0.5]), "must be above the one before"),
        (lambda: Tax(rates=[1.5]), "tax.rates"),
        (lambda: Tax(period=0), "tax.period is 0"),
        (lambda: govern(DILEMMA, Mediator(head="move")), "mediator.head is 'move'"),
        (lambda: govern(DILEMMA, Mediator(together=2)), "mediator.together is 2, and matrix has 2 choices"),
        (lambda: Vote(rates=[1.0]), "at least two"),
        (lambda: govern(POOL, Contract(on="request", to="whom")), "done to nobody in particular"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(Refusal, match=sentence):
        make()


def test_the_least_that_makes_sense_is_taken():
    pair = POOL.replace(agents=2)
    for rule in (Gift(amount=0.0), Interest(share=0.0), Interest(share=1.0), Principal(on="request", rates=[0.0]),
                 Tax(rates=[0.0], period=1), Tax(rates=[1.0]), Vote(on="request", rates=[0.0, 1.0]),
                 Contract(on="request", low=1.0, high=1.0, levels=1)):  # fmt: skip
        assert govern(pair, rule).agents == 2
    assert govern(DILEMMA, Mediator(together=1, otherwise=0)).agents == 2


def test_every_one_says_what_it_does():
    said = [
        Gift(source="replenished").sentence, Interest(share=0.75).sentence, Principal(budget=3.0).sentence,
        Tax().sentence, Mediator(quorum=2).sentence, Vote(on="request", rule="median").sentence,
        Contract(on="zap", to="whom").sentence,
    ]  # fmt: skip
    words = ("refills", "75%", "up to 3 an episode", "30% above 0", "where 2 do", "the median vote", "whom it was done")
    assert all(word in sentence for word, sentence in zip(words, said, strict=True)), said
