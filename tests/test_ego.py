"""What became of one agent: sums recounted step by step, and a newcomer beside a resident in its place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS

from nomoi.core import govern
from nomoi.core.rollout import rollout
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.sanction import Sanction
from nomoi.measure.evaluate import episodes
from nomoi.measure.measures import Episode, measures
from nomoi.probes.ego import ego, gaps
from nomoi.runs.regimes import parse
from nomoi.scripts.fixed import Mixed, Random
from nomoi.scripts.wardens import Warden
from nomoi.situations.allelopathic import Allelopathic

REGIME = Allelopathic.regimes["altar"].replace("grace=50", "grace=10,content=2")
RULES = parse("", REGIME).institutions
G = govern(SITUATIONS["allelopathic"].replace(horizon=60), *RULES)
KEY = jax.random.key(4)


@pytest.fixture(scope="module")
def newcomer():
    """On a small pond all strike so often at random that every sum has something to add."""
    return jax.jit(lambda key: episodes(key, G, Random(), worlds=3))(KEY)


def test_an_ego_is_recounted_step_by_step(newcomer):
    got = {name: np.asarray(x) for name, x in ego(G, newcomer).items()}
    out = jax.jit(lambda key: rollout(key, G, Random(), 60, 3))(KEY).outcome  # [T, W, n]: the same lives
    own = {name: np.asarray(x)[:, :, 0] for name, x in out.events.items() if x.ndim == 3}
    for w in range(3):
        here = own["worn"][:, w].sum()  # steps in play
        fired = earned = paid = lost = wrongs = met = caught = 0.0
        for t in range(60):
            shot, right, wrong = (own[name][t, w] for name in ("shot", "sanction.correct", "sanction.wrong"))
            fired, earned, paid = fired + shot, earned + 5 * right, paid + 0.5 * shot + 5 * wrong
            lost += 5 * right - 0.5 * shot - 5 * wrong - float(out.transfer[t, w, 0])
            wrongs += own["altar.violation"][t, w]
            met, caught = met + own["sanction.ripe"][t, w], caught + own["sanction.ripe"][t, w] * shot
        assert got["reward"][w] == float(out.reward[:, w, 0].sum())
        assert got["earned"][w] == earned
        assert got["costs"][w] == paid
        assert got["lost"][w] == pytest.approx(lost, abs=1e-4)
        assert got["lost"][w] % 10 == pytest.approx(0, abs=1e-4)  # a deserved hit takes ten
        assert got["lost"][w] <= 10 * got["struck"][w]
        assert got["value"][w] == pytest.approx(got["reward"][w] - paid - lost, abs=1e-4)
        assert got["compliance"][w] == pytest.approx(1 - wrongs / (here - 10))
        assert got["violations"][w] == pytest.approx(1000 * wrongs / here)
        assert got["strayed"][w] == pytest.approx((fired - caught) / (here - met))
        assert np.isnan(got["seized"][w]) if met == 0 else got["seized"][w] == pytest.approx(caught / met)
    assert got["struck"].sum() > 0
    assert 60 < own["worn"].sum() < 180
    assert got["wrong"].sum() + got["correct"].sum() > 0


@pytest.mark.slow
def test_a_newcomer_who_acts_at_random_falls_short_of_a_resident():
    place, warden = govern(Allelopathic(horizon=60), *RULES), Warden(colour=2, grace=10)
    live = lambda who: jax.jit(lambda key: episodes(key, place, who, worlds=3))(KEY)  # noqa: E731
    one, resident = (ego(place, live(who)) for who in (Mixed(Random(), warden, 1), warden))
    gap = gaps(one, resident)
    assert float(gap["value gap"].mean()) > 0
    np.testing.assert_allclose(gap["sanction regret"], one["lost"] - resident["lost"])
    assert float(resident["compliance"].mean()) > float(one["compliance"].mean())


def test_an_ego_needs_an_altar_and_a_sanction(newcomer):
    with pytest.raises(Refusal, match="harvest is not under 'altar'"):
        ego(SITUATIONS["harvest"], newcomer)
    with pytest.raises(Refusal, match="is not under 'sanction'"):
        ego(govern(SITUATIONS["harvest"], Altar()), newcomer)


def test_measures_of_bushes_and_colours():
    there = measures(G)
    assert "compliance" not in there  # which is about what was taken
    assert "compliance" in measures(govern(SITUATIONS["harvest"], Altar(), Sanction()))
    assert not {"monoculture", "accord", "violations", "struck"} & set(measures(SITUATIONS["harvest"]))
    n, zero = jnp.zeros(2), jnp.zeros(())
    events = {"planted": n + 3, "altar.violation": n + 2, "worn": n + 40, "sanction.struck": jnp.array([1.0, 4.0])}
    stock = jnp.array([100.0, 40.0, 60.0]), jnp.array([2.0, 1.0, 1.0])
    episode = Episode(zero + 50, n, n, zero, zero, zero, n, n, n, events, stock[0], stock[1], stock[1], stock[1])
    want = {"planted": 6, "monoculture": 0.5, "accord": 0.5, "violations": 50, "struck": 2.5}
    for name, value in want.items():
        assert float(there[name].of(episode)) == pytest.approx(value)
