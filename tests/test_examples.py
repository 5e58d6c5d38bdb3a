"""The examples of the documentation: they pass the checks, run, and do what their cards say."""

import doctest
import runpy
from functools import lru_cache
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS, run

from nomoi import catalogue
from nomoi.core import govern
from nomoi.core.own import module
from nomoi.errors import Refusal
from nomoi.institutions.levy import Levy
from nomoi.report import examples
from nomoi.testing import report

EXAMPLES = Path(__file__).parent.parent / "nomoi" / "examples"


@lru_cache
def example(word, kind):
    return catalogue.find(f"{EXAMPLES}/{word}", kind)


@pytest.mark.parametrize(
    ("file", "lines"),
    [("meadow.py", 100), ("canal.py", 100), ("fallow.py", 70), ("measure.py", 100), ("learner.py", 100)],
)
def test_an_example_passes_every_check_and_is_short(file, lines, monkeypatch):
    known = catalogue.situations()  # of those that fit the first is played: a small one
    monkeypatch.setattr(catalogue, "situations", lambda: {"pool": known["pool"]} | known)
    checks, well = report(f"{EXAMPLES}/{file}")
    assert well, [c for c in checks if c.passed is False]
    assert len((EXAMPLES / file).read_text().splitlines()) < lines
    assert not [c for c in checks if c.sentence.startswith("warning")]
    if file == "learner.py":
        names = {c.name.removeprefix("Bandit: ") for c in checks}
        assert names > {"defaults", "acts", "answers", "pure", "batch", "begins", "learns", "goes on"}


def test_a_learner_of_ones_own_learns_what_a_levy_changes(capsys):
    runpy.run_path(str(EXAMPLES / "learner.py"), run_name="__main__")
    assert capsys.readouterr().out.split() == ["0.98", "0.02"]


def test_on_the_meadow_bare_ground_stays_bare_and_tall_grass_does_not_grow():
    meadow = example("meadow.py", "situation")(horizon=26, growth=1.0)
    got = run(meadow, 1)
    before, after, harvest = got.before.grass, got.after.grass, got.outcome.events["harvest"]
    assert harvest.any()
    np.testing.assert_array_equal(got.outcome.reward, harvest)
    assert ((after == 0) | (before > 0)).all()
    assert after.max() == 3
    dear = run(meadow.replace(growth=0.0), 1)
    np.testing.assert_array_equal((dear.before.grass - dear.after.grass).sum(1), dear.outcome.reward.sum(1))
    assert got.outcome.done.tolist() == [False] * 25 + [True]


def test_the_last_blade_is_sparse_and_can_be_charged():
    meadow = example("meadow.py", "situation")(horizon=26, growth=0.0)
    got = run(govern(meadow, Levy(rate=5.0)), 1)
    bare = (got.before.world.grass > 0) & (got.after.world.grass == 0)
    np.testing.assert_array_equal(bare.sum(1), got.outcome.events["sparse"].sum(1))
    np.testing.assert_array_equal(got.outcome.transfer, -5 * got.outcome.events["sparse"])


def test_who_has_taken_lies_fallow():
    fallow, pool = example("fallow.py:Fallow", "institution"), SITUATIONS["pool"]
    got = run(govern(pool, fallow(rest=2)), 1)
    took, rested = (got.outcome.events[e] > 0 for e in ("harvest", "fallow.rested"))
    assert took.any()
    assert not (took & rested).any()
    np.testing.assert_array_equal(rested[2:], took[1:-1] | took[:-2])
    np.testing.assert_array_equal(got.seen["fallow.left"][..., 0] > 0, rested)


def test_fallow_takes_one_head_only_and_wants_it_to_be_there():
    fallow = example("fallow.py", "institution")
    meadow = example("meadow.py", "situation")(horizon=26)
    got = run(govern(meadow, fallow(head="graze", rest=3)), 1)
    rested = got.outcome.events["fallow.rested"] > 0
    moved = got.before.world.body.cell != got.after.world.body.cell
    assert moved[rested].any()
    with pytest.raises(Refusal, match=r"fallow.head is 'grace'; did you mean 'graze'"):
        govern(meadow, fallow(head="grace"))


def test_out_of_force_nobody_lies_fallow():
    fallow, pool = example("fallow.py", "institution"), SITUATIONS["pool"]
    got, plain = run(govern(pool, fallow(in_force=jnp.array(False))), 1), run(pool, 1)
    np.testing.assert_array_equal(got.outcome.reward, plain.outcome.reward)


def test_the_example_of_a_measure_prints_what_it_declares(capsys):
    home = module(EXAMPLES / "measure.py")
    home.main()
    printed = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    rows = {name: (float(value), rest) for name, value, rest in printed}
    assert 0 < rows["gauge.scarcity"][0] < 1  # a mean of shares
    assert rows["gauge.unmet"][0] == pytest.approx(rows["request"][0] - rows["harvest"][0], abs=2e-3)
    assert rows["gauge.unmet"][1].split(maxsplit=1) == ["units", "wanted and not got, all agents"]
    runner = doctest.DocTestRunner()
    for found in doctest.DocTestFinder().find(home.Gauge, module=home):
        assert not runner.run(found).failed


def test_each_example_is_written_once(nomoi):
    for kind, place in examples.EXAMPLES.items():
        status, out, err = nomoi("new", kind, "--to", f"mine-{kind}")
        assert (status, out.strip()) == (0, f"mine-{kind}")
        assert (f"next: `nomoi run mine-{kind}" if kind == "study" else f"next: `nomoi check mine-{kind}") in err or (
            kind not in examples.NEXT and err == ""
        )
        assert Path(f"mine-{kind}").read_bytes() == (EXAMPLES.parent / place).read_bytes()
    status, _, err = nomoi("new", "study", "--to", "mine-study")
    assert (status, "mine-study is there already" in err) == (2, True)
    status, _, err = nomoi("new", "situatoin")
    assert (status, "did you mean 'situation'" in err) == (2, True)
