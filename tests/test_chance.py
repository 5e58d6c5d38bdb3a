"""The chance line: what random play reaches under a regime, beside what was learned under it."""

import numpy as np
import pytest
import small

from nomoi.core import govern
from nomoi.institutions.altar import Altar
from nomoi.learners.ppo import PPO
from nomoi.measure.measures import measures
from nomoi.report.comparison import curve
from nomoi.runs.compare import Comparison, Row, _chance
from nomoi.runs.store import Store
from nomoi.situations.harvest import Harvest

STEPS = np.array([100.0, 200.0, 300.0])


def row(store, label, compliance):
    """A regime that was learned in, with this compliance throughout."""
    record = store.put({"kind": "training", "label": label}, {"compliance": (STEPS, np.full(3, compliance))})
    return Row(label, label, {"compliance": np.array([compliance])}, (record,))


def test_chance_is_random_play_under_the_same_regime_where_there_is_compliance(tmp_path):
    """Where one kind of three is permitted for good, the shares of random play under the three rules make up one."""
    place = Harvest(map=str(small.MAP), agents=4, horizon=30, regrowth=(0.3, 0.3, 0.3, 0.3))
    altars = [govern(place, Altar(content=kind, threshold=0.0, recovery=0.0)) for kind in range(3)]
    store = Store(tmp_path)
    rows = [row(store, "nothing", np.nan), *(row(store, f"only {kind}", 0.9) for kind in range(3))]
    found = _chance(store, [place, *altars], rows, seeds=2)
    assert [r.label for r in found] == ["only 0", "only 1", "only 2"]
    shares = np.array([r.values["compliance"] for r in found])
    assert ((shares > 0.1) & (shares < 0.7)).all()
    np.testing.assert_allclose(shares.sum(0), 1, atol=1e-5)
    again = _chance(store, [place, *altars], rows, seeds=2)  # kept, like all records
    assert [[r.id for r in one.records] for one in again] == [[r.id for r in one.records] for one in found]


@pytest.mark.parametrize(("chance", "lines"), [((0.3, 0.3), {"chance"}), ((0.3, 0.4), {"chance: a", "chance: b"})])
def test_the_page_draws_it_and_says_what_it_is(tmp_path, chance, lines):
    rows = tuple(row(Store(tmp_path), label, value) for label, value in (("a", 0.5), ("b", 0.9)))
    by_chance = tuple(Row(r.label, "", {"compliance": np.array([c])}) for r, c in zip(rows, chance, strict=True))
    known = measures(govern(Harvest(), Altar()))
    result = Comparison(Harvest(), PPO(), 300, (0,), rows, (), 0, chance=by_chance, known=known)
    figure = curve(result, "compliance")
    assert all(f">{line}</text>" in figure.svg for line in lines)
    assert "random play" in figure.caption
