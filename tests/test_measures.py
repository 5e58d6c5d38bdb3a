"""Every measure on one episode written by hand, the ledger that adds it up, and means over several of them."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.core import Governed, Outcome, Situation
from nomoi.core.events import VOCABULARY, Event
from nomoi.institutions.altar import Altar
from nomoi.institutions.contract import Contract
from nomoi.institutions.gift import Gift
from nomoi.institutions.interest import Interest
from nomoi.institutions.levy import Levy
from nomoi.institutions.mediator import Mediator
from nomoi.institutions.principal import Principal
from nomoi.institutions.sanction import Sanction
from nomoi.institutions.taboo import Taboo
from nomoi.institutions.tax import Tax
from nomoi.institutions.vote import Vote
from nomoi.measure.ledger import Ledger, Tally
from nomoi.measure.measures import Episode, equality, measures
from nomoi.situations.allelopathic import Allelopathic
from nomoi.situations.berries import Berries
from nomoi.situations.cleanup import Cleanup

# Sums over all agents and the episode.  The first agent does one unit in the first step, the second the rest in the
# third; nothing that is divided by something else gives the same number the other way round.
DONE = {
    "harvest": 10, "sparse": 3, "shot": 7, "clean": 5, "freeride": 4, "externality": -6, "defect": 6, "planted": 14,
    "yielded": 2, "sick": 3, "poison": 8, "silly": 21, "worn": 10,
    "levy.paid": 11, "contract.bound": 9, "contract.paid": 13, "gift.given": 17, "tax.paid": 19, "principal.paid": 23,
    "mediator.acted": 5, "taboo.violation": 16, "taboo.marked": 7,
    "altar.violation": 4, "altar.visit": 9, "altar.right": 6, "altar.heard": 3, "altar.switch": 5, "altar.ban": 8,
    "sanction.correct": 3, "sanction.wrong": 9, "sanction.struck": 15, "sanction.ripe": 8, "sanction.seized": 6,
    "sanction.idle": 5, "sanction.strayed": 1,
    "altar.violator": 20, "altar.marked": 22, "taboo.violator": 6, "tax.returned": 18, "mediator.whole": 4,
    "request": 25, "zap": 12, "frozen": 26, "vote.paid": 24, "vote.rate": 30, "interest.shared": 27,
}  # fmt: skip
#          the world's steps 1 and 2, one in which an institution convenes, and steps 3 and 4
TURN = [1, 2, 2, 3, 4]
REWARD = [[1, 0, 0], [2, 0, 0], [0, 0, 0], [1, 2, 0], [0, 0, 0]]
TRANSFER = [[0, 0, 0], [-3, 3, 0], [-1, 0, 1], [20, 0, 0], [0, 0, -4]]
MOVED, MADE, BURNT = [0, 3, 1, 0, 0], [0, 0, 0, 20, 0], [0, 0, 0, 0, 4]
PRESENT = [[1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1]]
STOCK, FIRST, CAPACITY = [[8, 15], [0, 12], [0, 12], [3, 10], [5, 10]], [10, 20], [10, 20]

WORTH = {
    "harvest": 10, "reward": 6, "moved": 4, "made": 20, "burnt": 4, "payoff": 22,
    "efficiency": 6 / 4,
    "equality": 1 - (2 * (2 + 4 + 2)) / (2 * 3 * 6),  # of 4, 2 and 0
    "sustainability": ((1 + 2 + 3) / 3 + 3 + 4) / 3,  # the third agent never took: the whole length
    "peace": (3 * 4 - 2) / 4, "removed": 2 / (3 * 4),
    "stock": (23 + 12 + 13 + 15) / (4 * 30), "left": 15 / 30, "depletion": 1 / 2,  # it grew back, but was gone once
    "sparse": 3, "shots": 7, "cleaned": 5, "freeriding": 4 / 10, "externality": -6, "defection": 6 / (3 * 4),
    "levied": 11, "bound": 9 / (3 * 4), "contracted": 13, "given": 17, "taxed": 19, "spent": 23,
    "mediated": 5 / (3 * 4), "yielded": 2, "poisoned": 3 / (3 * 4), "poison": 8, "silly": 21, "taboo": 16,
    "marked": 7 / (3 * 4), "seized": 6 / 8, "strayed": 1 / 5,
    "compliance": 1 - 4 / 10, "visits": 100 * 9 / (3 * 4), "informed": 6 / (3 * 4), "heard": 3 / 5,
    "ban": 8 / (3 * 4), "correct": 3, "wrong": 9, "precision": 3 / 12, "recall": 3 / 4,
    "planted": 14, "monoculture": 10 / 15, "accord": 47 / 63,  # of the last stock; of all four
    "violations": 1000 * 4 / 10, "struck": 15 / 3,
    "altar.violation": 4, "altar.violator": 20, "altar.marked": 22 / (3 * 4),
    "taboo.compliance": 1 - 16 / 10, "taboo.violator": 6, "tax.returned": 18, "mediator.whole": 4 / (3 * 4),
    "request": 25, "zap": 12, "frozen": 26, "worn": 10, "vote.paid": 24, "vote.rate": 30 / (3 * 4),
    "interest.shared": 27,  # the first two gave it; nobody of the three has a sum below zero
}  # fmt: skip
RULES = (
    Altar(), Sanction(), Levy(), Contract(), Gift(), Tax(), Principal(), Mediator(), Taboo(), Vote(), Interest(),
)  # fmt: skip


class Tape(Situation):
    """A world of which somebody has written down what happens: its state is the number of the line."""

    @property
    def agents(self):
        return 3

    @property
    def horizon(self):
        return 4

    @property
    def actions(self):
        return {}

    @property
    def emits(self):
        known = VOCABULARY | {name: e for name, e in Governed(Cleanup(), RULES).emits.items() if "." in name}
        done = {name: dataclasses.replace(known[name], unit="units") for name in DONE}  # so that shares are of one unit
        return done | {"kind": Event("kind", "[n]", "kind", "a label, which is not to be added up")}

    @property
    def measures(self):
        """All that is declared by what emits these events."""
        return (*Allelopathic().measures, *Berries().measures, *Governed(Cleanup(), RULES).measures)

    @property
    def kinds(self):
        return ("red", "blue")

    def reset(self, key):
        return jnp.array(0)

    def step(self, key, state, action):
        raise NotImplementedError

    def stock(self, state):
        return jnp.array([FIRST, *STOCK], jnp.float32)[state]

    def capacity(self):
        return jnp.array(CAPACITY, jnp.float32)

    def present(self, state):
        return jnp.array([[1, 1, 1], *PRESENT], bool)[state]


def happened(line):
    """The outcome of one line; `shot` is written as an event between two, of which the row's agent is the doer."""
    who = {0: 0, 3: 1}.get(line)
    amount = {name: (1 if line == 0 else total - 1) for name, total in DONE.items()}
    events = {name: np.eye(3)[who] * k if who is not None else np.zeros(3) for name, k in amount.items()}
    events["shot"] = np.outer(events["shot"], [0, 0, 1])
    events = {name: jnp.asarray(x, jnp.float32) for name, x in events.items()} | {"kind": jnp.full(3, 2)}
    paid = (jnp.float32(x[line]) for x in (MOVED, MADE, BURNT))
    return Outcome(
        jnp.array(REWARD[line], jnp.float32),
        jnp.array(TRANSFER[line], jnp.float32),
        events,
        jnp.array(line == 4),
        *paid,
    )


@pytest.fixture(scope="module")
def episode():
    tape = Tape()
    add = eqx.filter_jit(lambda led, state, *x: led.add(tape, state, *x))
    ledger = Ledger.open(tape, jnp.array(0))
    for line, turn in enumerate(TURN):
        ledger = add(ledger, jnp.array(line + 1), happened(line), jnp.array(turn))
    return ledger.episode


def test_the_ledger_adds_up_what_happened(episode):
    want = {
        "steps": 4, "reward": [4, 2, 0], "transfer": [16, 3, -3], "moved": 4, "made": 20, "burnt": 4,
        "takes": [3, 1, 0], "when": [1 + 2 + 3, 3, 0], "out": [0, 0, 2],  # not while the world stood still
        "events": {name: [1, total - 1, 0] for name, total in DONE.items()},  # and no kind
        "stock": [8 + 0 + 3 + 5, 15 + 12 + 10 + 10], "least": [0, 10], "last": [5, 10], "capacity": [10, 20],
    }  # fmt: skip
    got = {field.name: getattr(episode, field.name) for field in dataclasses.fields(Episode)}
    assert jax.tree.map(lambda x: np.asarray(x).tolist(), got) == want


@pytest.mark.parametrize("name", WORTH)
def test_every_measure_by_hand(name, episode):
    assert float(measures(Tape())[name].of(episode)) == pytest.approx(WORTH[name])


def test_no_measure_is_left_out():
    assert set(measures(Tape())) == set(WORTH)


def test_payoffs_are_what_is_earned_and_made_less_what_is_burnt():
    assert WORTH["payoff"] == WORTH["reward"] + WORTH["made"] - WORTH["burnt"]


@pytest.mark.parametrize("name", WORTH)
def test_a_measure_is_defined_where_all_that_it_needs_is_there(name):
    measure, emits = measures(Tape())[name], Tape().emits
    assert measure.defined(emits, set(measure.needs))
    for one in measure.needs:
        assert not measure.defined(emits, {"stock", *DONE} - {one})


def test_ratios_of_nothing_are_not_defined(episode):
    """Who took nothing complied with nothing; the altar that never changed was heard by nobody, and so on."""
    nothing = {name: jnp.zeros(3) for name in DONE}
    idle = dataclasses.replace(episode, events=nothing, reward=jnp.zeros(3))
    found = {name for name, m in measures(Tape()).items() if np.isnan(m.of(idle))}
    ratios = {"freeriding", "seized", "strayed", "compliance", "heard", "precision", "recall", "violations"}
    assert found == {"equality", "taboo.compliance", *ratios}


# --- equality ---------------------------------------------------------------------------------------------------------


def of(reward):
    zero, none = jnp.zeros(()), jnp.zeros(len(reward))
    empty = jnp.zeros(0)
    return float(equality(Episode(
        zero, jnp.asarray(reward, jnp.float32), none, zero, zero, zero, none, none, none, {}, empty, empty, empty, empty
    )))  # fmt: skip


@given(st.lists(st.floats(0, 1e3, width=16), min_size=4, max_size=4).filter(any))
def test_equality_is_one_less_gini_and_keeps_to_its_heading(reward):
    n, total = len(reward), sum(reward)
    ranked = sum((2 * k - n - 1) * x for k, x in enumerate(sorted(reward), 1)) / (n * total)  # Gini, by ranks
    assert of(reward) == pytest.approx(1 - ranked, abs=1e-5)
    assert 1 / n - 1e-5 <= of(reward) <= 1 + 1e-5


def test_equality_at_its_ends():
    assert of([5, 5, 5]) == 1
    assert of([0, 0, 7]) == pytest.approx(1 / 3)
    assert of([9, 1]) == pytest.approx(0.6)


@pytest.mark.parametrize("reward", [[4, -1, -1], [-1, -1], [0, 0], [7, -0.5]])
def test_equality_of_losses_or_of_nothing_is_not_defined(reward):
    assert np.isnan(of(reward))  # 4, -1 and -1 would give -0.67


# --- means ------------------------------------------------------------------------------------------------------------


def test_means_are_over_ended_episodes_in_which_the_measure_is_defined(episode):
    tape = Tape()
    double = dataclasses.replace(episode, reward=2 * episode.reward)
    losing = dataclasses.replace(episode, reward=episode.reward - 1)  # has no equality
    three = Ledger(jax.tree.map(lambda *x: jnp.stack(x), episode, double, losing))
    close = eqx.filter_jit(lambda tally, done: tally.close(tape, three, done))
    names = list(measures(tape))

    def after(*rounds):
        tally = Tally.empty(tape)
        for done in rounds:
            tally = close(tally, jnp.array(done))
        return dict(zip(names, np.asarray(tally.means()), strict=True))

    none = after([False, False, False])
    assert np.isnan(list(none.values())).all()
    assert after([True, False, False])["reward"] == 6  # the episodes that run on are in no mean
    assert after([False, True, False])["reward"] == 12
    both = after([True, False, False], [False, False, False], [False, True, True])
    assert both["reward"] == pytest.approx((6 + 12 + 3) / 3)
    assert both["equality"] == pytest.approx(WORTH["equality"])  # of the two in which there is one
    alike = {name: value for name, value in both.items() if name not in ("reward", "efficiency", "payoff")}
    assert alike == pytest.approx({name: WORTH[name] for name in alike})


def test_a_ledger_is_emptied_where_an_episode_is_done(episode):
    tape = Tape()
    for done in (False, True):
        got = Ledger(episode).reopen(jnp.array(done), tape, jnp.array(0)).episode
        want = Ledger.open(tape, jnp.array(0)).episode if done else episode
        assert all(map(np.array_equal, jax.tree.leaves(got), jax.tree.leaves(want)))
    assert np.array_equal(want.least, FIRST)
