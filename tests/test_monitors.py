"""What is watched, who is caught, and what that costs: on any situation, with or without land."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS, run
from test_institutions import SHELF, N, found, happened, settle

from nomoi import catalogue
from nomoi.core import govern, options
from nomoi.core.outline import outline
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.contract import Contract
from nomoi.institutions.fine import Fine
from nomoi.institutions.levy import Levy
from nomoi.institutions.monitor import Monitor
from nomoi.situations.matrix import Matrix
from nomoi.solve.unfold import normal_form


def test_a_monitor_that_sees_everything():
    """Two did more than the one unit that is allowed; four looks cost .1 each."""
    _, facts, moved = settle(Monitor(allowed=1.0), (), happened((3, 1, 0, 2)))
    assert facts["violation"].tolist() == facts["caught"].tolist() == [2, 0, 0, 1]
    assert facts["looked"].tolist() == [1] * N
    np.testing.assert_allclose(moved, [-0.1] * N)
    _, facts, moved = settle(Monitor(share=0.0), (), happened((3, 1, 0, 2)))
    assert facts["violation"].tolist() == [3, 1, 0, 2]
    assert not facts["caught"].any()
    assert not moved.any()


@pytest.mark.parametrize("payer", ["all", "watched"])
def test_a_monitor_sees_its_share_and_looks_are_paid_for(payer):
    """Binomial: 4 agents, 500 steps, share .3, so looks are 600 on average with standard deviation 20.5."""
    watch, units = Monitor(share=0.3, cost=1.0, payer=payer), happened((1, 2, 1, 1))
    step = lambda key: watch.settle(key, (), SHELF, jnp.zeros(3), {}, {}, units)[2]  # noqa: E731
    out = jax.jit(jax.vmap(step))(jax.random.split(jax.random.key(0), 500))
    looked, caught, paid = (np.asarray(out.events[f"monitor.{e}"]) for e in ("looked", "caught", "paid"))
    assert abs(looked.sum() - 600) < 4 * 20.5
    np.testing.assert_array_equal(caught, looked * [1, 2, 1, 1])
    each = looked if payer == "watched" else np.broadcast_to(looked.mean(1, keepdims=True), looked.shape)
    np.testing.assert_allclose(paid, each, rtol=1e-6)
    np.testing.assert_allclose(out.transfer, -paid)


def test_a_fine_grows_with_the_offences_of_an_episode():
    fine = Fine(on="sparse", rate=2.0, growth=0.5)
    record = found(fine, SITUATIONS["pool"])[:1].repeat(N)
    paid = []
    for took in ((1, 0, 0, 0), (1, 1, 0, 0), (3, 0, 0, 0)):
        record, facts, moved = settle(fine, record, happened(took))
        paid.append(facts["paid"].tolist())
        assert moved.tolist() == [-p for p in paid[-1]]
    assert paid == [[2, 0, 0, 0], [3, 2, 0, 0], [12, 0, 0, 0]]
    assert record.tolist() == [3, 1, 0, 0]


def test_a_flat_fine_is_a_levy_and_keeps_no_record():
    took = happened((2, 0, 1, 0))
    for proceeds in ("burnt", "shared"):
        record, facts, moved = settle(Fine(on="sparse", rate=3.0, proceeds=proceeds), jnp.zeros(N), took)
        _, same, alike = settle(Levy(rate=3.0, proceeds=proceeds), jnp.zeros(()), took)
        assert facts["paid"].tolist() == same["paid"].tolist()
        assert moved.tolist() == alike.tolist()
        assert not record.any()


def test_a_matrix_game_can_be_watched_and_fined_exactly():
    """In the tutorial's dilemma (2, 0, 4, 1) cheating gains 2 at most: a fine above it makes cooperation dominant."""
    game = normal_form(govern(Matrix(), Monitor(on="defect", cost=0.25), Fine(rate=3.0)))
    np.testing.assert_allclose(game.payoff[0], [[2 - 0.25, 0 - 0.25], [4 - 3.25, 1 - 3.25]])
    with pytest.raises(Refusal, match=r"leaves to chance whom it looks at \(share=1"):
        normal_form(govern(Matrix(), Monitor(on="defect", share=0.5)))


def test_what_a_monitor_catches_is_fined_on_the_pool_and_an_institution_may_be_watched():
    place = govern(SITUATIONS["pool"], Levy(on="request"), Monitor(on="levy.paid", share=0.5), Fine())
    out = run(place, 1).outcome
    caught = out.events["monitor.caught"]
    assert (caught > 0).any()
    assert ((out.events["levy.paid"] > 0) & (caught == 0)).any()
    np.testing.assert_allclose(out.events["fine.paid"], 2 * caught)
    with pytest.raises(Refusal, match="fine has nobody to go by: nothing that governs pool"):
        govern(SITUATIONS["pool"], Fine())


ELSEWHERE = ("disclosure", "escrow", "ostracism", "deposit", "giveback")  # they need a market, bookings, an archive


@pytest.mark.parametrize("word", [word for word, cls in catalogue.institutions().items()
                                  if "on" in options(cls) and word not in ELSEWHERE])  # fmt: skip
def test_whatever_names_an_event_may_name_an_institutions(word):
    """Whether it is an amount, a label, or of the right shape is checked of those events too."""
    first = Levy(on="harvest", title="toll")
    cls = catalogue.institutions()[word]
    named = dict.fromkeys({"on", "effect"} & set(options(cls)), "toll.paid")
    place = govern(SITUATIONS["harvest"], first, cls(**named))
    state = outline(place).state
    still = {head: jnp.zeros(place.agents, jnp.int32) for head in place.actions}
    out = eqx.filter_eval_shape(place.step, jax.random.key(0), state, still)[1]
    assert {event for event in out.events if event.startswith(f"{word}.")}


def test_events_of_institutions_are_checked_as_those_of_the_world():
    place = govern(SITUATIONS["harvest"], Levy())
    with pytest.raises(Refusal, match=r"altar\.of is 'levy\.paid', which in harvest does not say of which kind"):
        govern(place, Altar(of="levy.paid"))
    with pytest.raises(Refusal, match=r"contract\.to is whom, and 'levy\.paid' is done to nobody"):
        govern(place, Contract(on="levy.paid", to="whom"))
