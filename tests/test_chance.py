"""The chance line: what random play reaches under a regime, beside what was learned under it."""

import numpy as np
import pytest
import small
from training import put, what

from nomoi.core import govern
from nomoi.institutions.altar import Altar
from nomoi.learners.ppo import PPO
from nomoi.measure.measures import measures
from nomoi.report.comparison import curve
from nomoi.runs.compare import Comparison, Row, compare
from nomoi.scripts.fixed import Forager
from nomoi.situations.harvest import Harvest

STEPS = np.array([100.0, 200.0, 300.0])


def row(place, label, compliance):
    """A regime that was learned in, with this compliance throughout."""
    words = {m: (one.unit, one.meaning) for m, one in measures(govern(Harvest(), Altar())).items()}
    record = put(place, {"compliance": (STEPS, np.full(3, compliance))}, what(label), measures=words)
    return Row(label, label, {"compliance": np.array([compliance])}, (record,))


def test_chance_is_random_play_under_the_same_regime_where_there_is_compliance(tmp_path, monkeypatch):
    """Where one kind of three is permitted for good, the shares of random play under the three rules make up one."""
    monkeypatch.setattr("nomoi.runs.compare._scripts", lambda _: [])  # nothing of theirs is looked at
    place = Harvest(map=str(small.MAP), agents=4, horizon=30, regrowth=(0.3, 0.3, 0.3, 0.3))
    altars = {f"only {kind}": Altar(content=kind, threshold=0.0, recovery=0.0) for kind in range(3)}
    result = compare(place, {"nothing": ()} | altars, who="forager", seeds=2, out=tmp_path)
    found = result.chance
    assert [r.label for r in found] == list(altars)
    shares = np.array([r.values["compliance"] for r in found])
    assert ((shares > 0.1) & (shares < 0.7)).all()
    np.testing.assert_allclose(shares.sum(0), 1, atol=1e-5)
    again = compare(place, altars, who=Forager(), seeds=2, out=tmp_path)  # kept, like all records
    assert again.fresh == 0
    assert [[r.id for r in one.records] for one in again.chance] == [[r.id for r in one.records] for one in found]
    assert [row.label for row in result.rows] == ["nothing", *altars]
    assert (result.who.name, result.steps) == ("forager", 0)
    assert all(r.sentence == f"Random play: {of.sentence}" for r, of in zip(found, result.rows[1:], strict=True))
    random = compare(place, altars, who="random", seeds=2, out=tmp_path)  # who is chance needs no line of it
    assert random.chance == ()
    np.testing.assert_array_equal([r.values["compliance"] for r in random.rows], shares)


@pytest.mark.parametrize(("chance", "lines"), [((0.3, 0.3), {"chance"}), ((0.3, 0.4), {"chance: a", "chance: b"})])
def test_the_page_draws_it_and_says_what_it_is(tmp_path, chance, lines):
    rows = tuple(row(tmp_path, label, value) for label, value in (("a", 0.5), ("b", 0.9)))
    by_chance = tuple(Row(r.label, "", {"compliance": np.array([c])}) for r, c in zip(rows, chance, strict=True))
    result = Comparison(Harvest(), PPO(), 300, (0,), rows, (), by_chance)
    figure = curve(result, "compliance")
    assert all(f">{line}</text>" in figure.svg for line in lines)
    assert "random play" in figure.caption
