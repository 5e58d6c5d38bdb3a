"""The checks find what they promise to find, each in a sentence; and files are found and loaded."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi import catalogue
from nomoi.core import Institution, Outcome, Situation, setting, vocabulary
from nomoi.errors import Refusal
from nomoi.institutions.levy import Levy
from nomoi.situations.harvest import Harvest
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.testing import check, report, reports
from nomoi.testing.common import ask
from nomoi.testing.institution import Seat, seats
from nomoi.testing.situation import Bench


class Pond(Pool):
    """Pool, to be spoilt in one way at a time."""

    agents: int = eqx.field(default=3, static=True)
    horizon: int = eqx.field(default=6, static=True)


def changed(outcome, **parts):
    fields = {"reward": outcome.reward, "transfer": outcome.transfer, "events": outcome.events, "done": outcome.done}
    return Outcome(**(fields | parts))


class Spoilt(Pond):
    """A pond whose outcome is changed by `spoil`."""

    def step(self, key, state, action):
        after, outcome = super().step(key, state, action)
        return self.spoil(key, state, after, outcome)


class Paying(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, transfer=jnp.ones(3))


class Endless(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, done=jnp.array(False))


class Late(Pond):
    def step(self, key, state, action):
        after, outcome = super().step(key, state, {"request": jnp.zeros_like(action["request"])})
        return after, changed(outcome, done=after.time >= self.horizon + 1)


class Silent(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, events={e: x for e, x in outcome.events.items() if e != "kind"})


class Chatty(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, events=outcome.events | {"trespass": jnp.zeros(3)})


class Counting(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, events=outcome.events | {"sparse": jnp.zeros(3, jnp.int32)})


class Greedy(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, events=outcome.events | {"harvest": outcome.events["harvest"] + 0.5})


class Broken(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, reward=jnp.where(after.time > 1, jnp.nan, outcome.reward))


class Unfair(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, reward=outcome.reward * jnp.arange(3))


class Chancy(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, reward=outcome.reward + np.random.default_rng().random())


class Growing(Spoilt):
    def spoil(self, key, state, after, outcome):
        return eqx.tree_at(lambda s: s.time, after, after.time.astype(jnp.float32)), outcome


class Overflowing(Spoilt):
    def spoil(self, key, state, after, outcome):
        return eqx.tree_at(lambda s: s.stock, after, after.stock + 2.0), changed(
            outcome, done=after.time >= self.horizon
        )


class Lax(Spoilt):
    def spoil(self, key, state, after, outcome):
        return after, changed(outcome, reward=outcome.reward + jnp.asarray(after.time, jnp.int16) * outcome.reward)


class Single(Pond):
    levels: int = eqx.field(default=1, static=True)


class Sideways(Pond):
    def senses(self, state):
        return {"level": super().senses(state)["level"].T}


class Deaf(Pond):
    def asked(self, state):
        return {"requests": self.present(state)}


class Halves(Pond):
    @property
    def belongs(self):
        return np.full((self.agents, 1), 0.5, np.float32)


class Mixed(Pond):
    @property
    def belongs(self):
        return np.arange(self.agents)[:, None] > 0


WRONG = {
    Halves: ("units", "halves.belongs must be 1 and 0"),
    Mixed: ("units", "'agent' are of different units, or some of them of none; name them apart in `roles`"),
    Paying: ("outcome", "only institutions do"),
    Endless: ("ends", "not done after its horizon of 6 steps"),
    Late: ("ends", "not done after its horizon|beyond its horizon"),
    Silent: ("events", "says it emits 'kind' and does not"),
    Chatty: ("events", "emits 'trespass' and does not say so"),
    Counting: ("events", "'sparse' of counting is int32; an amount must be float32"),
    Greedy: ("conservation", "nobody can take what is not there"),
    Broken: ("finite", "reward of broken is not finite at step 1"),
    Unfair: ("impersonality", "treats agents of one role differently"),
    Chancy: ("pure", "draw all chance from the key"),
    Growing: ("reset and state", r"time: \[\] int32 became \[\] float32"),
    Overflowing: ("stock", "must lie between 0 and"),
    Lax: ("strict types", "TypePromotionError"),
    Single: ("actions", "'request' of single has 1 choices"),
    Sideways: ("observe", "its first axis must be the agents, 3"),
    Deaf: ("asked", r"names \['requests'\]; it must name the heads, \['request'\]"),
}


@pytest.mark.parametrize("cls", WRONG, ids=lambda cls: cls.__name__)
def test_a_spoilt_situation_fails_the_check_that_is_about_it(cls):
    name, sentence = WRONG[cls]
    with jax.numpy_dtype_promotion("standard"):
        found = ask(name, Bench(cls()).questions()[name])
    assert found.passed is False
    assert re.search(sentence, found.sentence), found.sentence


def test_what_comes_with_nomoi_passes():
    for thing in (Pond(), Levy()):
        among = [Pond()] if isinstance(thing, Institution) else []
        assert not [c for c in check(thing, among) if c.passed is False]


def test_a_spatial_situation_is_checked_as_one():
    bench = Bench(Harvest(agents=2, horizon=5, extent=(1, 1, 1)))
    for name, passed in (("scene", True), ("abilities", True), ("impersonality", None)):
        assert ask(name, bench.questions()[name]).passed is passed


class Needy(Institution):
    @property
    def needs(self):
        return ("sunshine",)


class Bribe(Institution):
    """Changes the reward."""

    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory, state, Outcome(outcome.reward + 1.0, outcome.transfer, outcome.events, outcome.done)


class Hoarder(Institution):
    """A memory that changes its type."""

    def found(self, key, situation, state):
        return jnp.zeros((), jnp.int32)

    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory.astype(jnp.float32), state, outcome


class Stubborn(Institution):
    """Never stops convening."""

    def heads(self, situation):
        return {"vote": 2}

    def holds(self, memory):
        return jnp.array(True)


class Dotted(Institution):
    """Names its head in full."""

    def heads(self, situation):
        return {"dotted.vote": 2}


class Censor(Institution):
    """Shows less than was there: what agents see changes although it is not in force."""

    def layers(self, memory, scene):
        return eqx.tree_at(lambda s: s.sites, scene, {"apple": scene.sites["apple"] & False})


class Muddler(Institution):
    """Answers with numbers of another kind."""

    def permit(self, memory, situation, state, action):
        return {h: a.astype(jnp.float32) for h, a in action.items()}


class Bare(Institution):
    rate: jax.Array = setting(1.0, "a rate")

    @property
    def emits(self):
        return vocabulary("harvest")

    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory, state, outcome.note(self, harvest=outcome.events["harvest"])


@pytest.mark.parametrize(
    ("cls", "name", "sentence"),
    [
        (Needy, "needs", "needy needs 'sunshine', which pond does not offer"),
        (Bribe, "reward", "bribe changes the reward at step 0"),
        (Hoarder, "memory", "the whole: [] int32 became [] float32"),
        (Stubborn, "ends", "convenes for ever"),
        (Dotted, "names", "leave the dot out"),
        (Muddler, "permit", "changes the kind of an action"),
    ],
)
def test_a_spoilt_institution_fails_the_check_that_is_about_it(cls, name, sentence):
    fits = {"needs": lambda: seats(cls(), [Pond()])}
    if name != "needs":
        seat = Seat(seats(cls(), [Pond()])[0])
        fits = seat.questions() | {"names": seat._names, "permit": seat._permit, "memory": seat._memory}
    found = ask(name, fits[name])
    assert found.passed is False
    assert sentence in found.sentence


def test_marks_that_hide_the_world_out_of_force_are_found():
    small = Harvest(agents=2, horizon=5, extent=(1, 1, 1))
    found = ask("identity", Seat(seats(Censor(), [small])[0])._identity)
    assert found.passed is False
    assert "differs in what agents see" in found.sentence


def test_a_thin_docstring_is_a_warning():
    cards = [c for c in check(Bare, [Pond()]) if c.name == "card"]
    assert [c.passed for c in cards] == [None]
    assert "does not say" in cards[0].sentence


# --- finding files --------------------------------------------------------------------------------------------

GOOD = """
from nomoi.situations.pool import Pool
from nomoi.institutions.levy import Levy
import dataclasses, equinox as eqx

@dataclasses.dataclass
class Note:
    text: str = ""

class Well(Pool):
    deep: bool = eqx.field(default=True, static=True)

class Toll(Levy):
    pass
"""


def write(folder, text, name="mine.py"):
    (folder / name).write_text(text)
    return str(folder / name)


def test_names_are_found_in_the_files_of_the_package():
    assert {"harvest", "matrix", "pool"} <= set(catalogue.situations())
    assert {"altar", "contract", "levy", "sanction"} <= set(catalogue.institutions())
    assert catalogue.find("Harvest", "situation") is Harvest
    for name, cls in (catalogue.situations() | catalogue.institutions()).items():
        assert name == cls.__name__.lower() == cls().name
        assert issubclass(cls, Situation | Institution)


def test_a_file_from_anywhere_is_loaded_once_and_anew_when_it_changes(tmp_path):
    path = write(tmp_path, GOOD)
    well, toll = catalogue.load(path)
    assert (well.__name__, toll.__name__) == ("Well", "Toll")
    assert catalogue.load(f"{path}:Well") is well
    assert catalogue.find(path, "institution") is toll
    assert well().deep
    write(tmp_path, GOOD.replace("True", "False"))
    assert not catalogue.load(f"{path}:Well")().deep


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("{0}/mime.py:Well", r"there is no file .*mime.py; did you mean 'mine.py'"),
        ("{0}/nowhere/x.py", "nor a folder"),
        ("{0}/notes.txt", "is not a Python file"),
        ("{0}/mine.py:Wall", "has no class 'Wall'; did you mean 'Well'"),
        ("{0}/mine.py:Note", "neither a Situation nor an Institution"),
        ("{0}/empty.py", "defines neither"),
        ("{0}/half.py:Half", "still lacks: .*horizon.*reset"),
        ("{0}/broken.py", r"broken.py, line 2, cannot be loaded: ZeroDivisionError: division by zero"),
        ("{0}/typo.py", r"typo.py, line 1, cannot be loaded: SyntaxError"),
        ("{0}/lost.py", r"lost.py, line 1, cannot be loaded: ModuleNotFoundError: No module named 'no_such_thing'"),
        ("{0}/quits.py", r"quits.py, line 1, cannot be loaded: SystemExit"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_a_sentence(tmp_path, spec, sentence):
    write(tmp_path, GOOD)
    write(tmp_path, "x = 1", "empty.py")
    write(tmp_path, "from nomoi.core import Situation\nclass Half(Situation): agents = 2", "half.py")
    write(tmp_path, "x = 1\ny = x / 0", "broken.py")
    write(tmp_path, "class (", "typo.py")
    write(tmp_path, "import no_such_thing", "lost.py")
    write(tmp_path, "raise SystemExit(1)", "quits.py")
    write(tmp_path, "notes", "notes.txt")
    with pytest.raises(Refusal, match=sentence) as caught:
        catalogue.load(spec.format(tmp_path))
    assert "\n" not in str(caught.value)


def test_find_wants_one_of_the_kind_and_offers_the_nearest(tmp_path):
    with pytest.raises(Refusal, match="no situation called 'harvst'; did you mean 'harvest'"):
        catalogue.find("harvst", "situation")
    with pytest.raises(Refusal, match=r"no institution called 'zzz'; there are .*, such as agenda"):
        catalogue.find("zzz", "institution")
    two = write(tmp_path, GOOD + "\nclass Lake(Pool): pass")
    with pytest.raises(Refusal, match="must name one situation and has Well, Lake"):
        catalogue.find(two, "situation")
    with pytest.raises(Refusal, match="must name one institution and has none"):
        catalogue.find(f"{two}:Lake", "institution")


def test_checks_are_told_as_they_are_done(tmp_path, monkeypatch):
    monkeypatch.setattr(Bench, "questions", lambda self: pytest.fail("not yet"))
    told = reports(write(tmp_path, GOOD) + ":Well")
    assert [next(told).name for _ in range(3)] == ["Well: defaults", "Well: card", "Well: reset, step, observe"]


def test_a_report_names_the_class_and_says_whether_all_is_well(tmp_path):
    checks, well = report(write(tmp_path, GOOD) + ":Well")
    assert well
    assert all(c.name.startswith("Well: ") for c in checks)
    spoilt = GOOD.replace("    pass", "    @property\n    def needs(self): return ('sunshine',)")
    checks, well = report(write(tmp_path, spoilt) + ":Toll")
    assert not well
    assert [c.name for c in checks if c.passed is False] == ["Toll: needs"]


WANTS = """
import jax.numpy as jnp
from nomoi.core import size
from nomoi.core.learner import Learner
from nomoi.learners.objectives import Objective
from nomoi.situations.pool import Pool

class Well(Pool):
    \"\"\"A pool that thirst empties.\"\"\"
    @property
    def emits(self):
        return super().emits | {"thirst": super().emits["harvest"]}
    def step(self, key, state, action):
        state, outcome = super().step(key, state, action)
        return state, outcome.note("", thirst=outcome.reward)

class Still(Learner):
    \"\"\"Does the first thing there is.\"\"\"
    def act(self, key, mind, situation, seen, carry):
        return {head: jnp.zeros(situation.agents, jnp.int32) for head in situation.actions}, carry

class Plenty(Objective):
    \"\"\"Twice the payoff.\"\"\"
    def feel(self, memory, situation, outcome):
        return memory + outcome.payoff, 2 * outcome.payoff
"""


def wrong(checks):
    return {c.name: c.sentence for c in checks if c.passed is False}


def test_scripts_and_objectives_of_a_file_are_checked(tmp_path):
    path = write(tmp_path, WANTS)
    checks, well = report(path + ":Still")
    assert well
    assert {c.name for c in checks} == {
        "Still: defaults",
        "Still: card",
        "Still: acts",
        "Still: answers",
        "Still: pure",
    }
    checks, well = report(path + ":Plenty")
    assert well
    assert {c.name for c in checks} == {f"Plenty: {word}" for word in ("defaults", "card", "feels", "finite", "pure")}
    assert {c.__name__ for c in catalogue.load(path, "checked")} == {"Well", "Still", "Plenty"}


@pytest.mark.parametrize(
    ("right", "spoilt", "name", "sentence"),
    [
        (
            "2 * outcome.payoff",
            "outcome.payoff.sum()",
            "feels",
            r"the utility of plenty in matrix is \[\] float32; \[2\]",
        ),
        ("memory + outcome.payoff, 2", "memory[:1], 2", "feels", r"the memory of plenty in matrix is \[1\] float32"),
        ("2 * outcome.payoff", "outcome.payoff / 0", "finite", "the utility of plenty in matrix is not finite"),
        ("2 * outcome.payoff", "outcome.units('x')", "feels", "refuses every situation; the first one so: 'x' is no"),
        ("2 * outcome.payoff", "outcome.events['x']", "feels", "the first one so: there is no 'x' in matrix"),
        ("2 * outcome.payoff", "outcome.nothing", "feels", "AttributeError at .*mine.py, line 25"),
    ],
)
def test_an_objective_that_breaks_its_promises_is_told_so(tmp_path, right, spoilt, name, sentence):
    own = catalogue.load(write(tmp_path, WANTS.replace(right, spoilt)) + ":Plenty", "checked")
    found = wrong(check(own, [Matrix(horizon=3)]))
    assert list(found) == [name]
    assert re.search(sentence, found[name])


def test_what_fits_only_the_situation_of_its_file_is_tried_there(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "situations", dict)
    thirsty = WANTS.replace("2 * outcome.payoff", "outcome.units('.thirst')")
    checks, well = report(write(tmp_path, thirsty) + ":Plenty")
    assert well, wrong(checks)
    assert any("plenty in well" in c.sentence for c in checks)
