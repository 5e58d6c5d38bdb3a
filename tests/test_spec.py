"""spec and rebuild: every thing is written down and made again, leaf by leaf; files of one's own go by their text."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import PAIRS, made

from nomoi import catalogue, compare
from nomoi.core import govern
from nomoi.core.option import options
from nomoi.core.own import OWN, module
from nomoi.core.parameters import checked
from nomoi.core.spec import address, addresses, at, rebuild, spec
from nomoi.errors import Refusal
from nomoi.institutions.levy import Levy
from nomoi.learners.conscience import Conscience
from nomoi.learners.joint import Joint
from nomoi.learners.ppo import PPO, Residents
from nomoi.populations import polities, punishment
from nomoi.runs.study import find, named, names
from nomoi.runs.trial import Run, Trial, trial_of
from nomoi.scripts.fixed import Constant, Forager, Mixed, Random
from nomoi.situations.harvest import Harvest
from nomoi.situations.pool import Pool

EXAMPLES = Path(__file__).parent.parent / "nomoi" / "examples"


def again(thing, places=()):
    """What is made of what was written, through the letters of a file."""
    data = json.loads(json.dumps(spec(thing), allow_nan=False))
    other = rebuild(data, places)
    assert spec(other) == data
    return other


def same(thing, other):
    assert type(thing) is type(other)
    assert jax.tree.structure(thing) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(thing), jax.tree.leaves(other), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def catalogued():
    for kind in ("situation", "institution", "player"):
        for name, cls in catalogue.things(kind).items():
            for preset in ("", *getattr(cls, "presets", ())):
                try:
                    yield f"{name} {preset}".strip(), cls.preset(preset) if preset else cls()
                except TypeError:  # made of parts, of which some are below
                    continue
    yield from ((f"objective {name}", PPO(objective=cls())) for name, cls in catalogue.things("objective").items())
    mixed = Mixed(Forager(), Random(), 4)
    yield "mixed", mixed
    yield "residents", PPO(residents=Residents(mixed, 2, "altar.mind"))
    yield "conscience", PPO(conscience=Conscience(shame=0.25))
    yield "joint", Joint(PPO(hidden=8))
    yield "swept", Pool(growth=jnp.linspace(0.1, 0.9, 3))
    yield "model", polities.Polity(rents=0.7)
    yield "another model", punishment.Punishment() if hasattr(punishment, "Punishment") else polities.Polity()


def test_every_thing_of_the_catalogue_is_made_again_leaf_by_leaf():
    count = 0
    for _name, thing in catalogued():
        same(thing, again(thing))
        count += 1
    assert count > 70


@pytest.mark.parametrize("pair", sorted(PAIRS)[::7])
def test_what_is_governed_is_made_again(pair):
    same(made(pair), again(made(pair)))


def test_parts_tell_apart_what_is_made_of_them():
    """Who follows whom, and with which options, is all part of what a thing is."""
    things = [Mixed(Forager(), Random(), 4), Mixed(Random(), Forager(spare=3), 4), Mixed(Random(), Forager(), 4),
              Mixed(Forager(), Random(), 3)]  # fmt: skip
    things += [PPO(residents=Residents(t, 1)) for t in things]
    assert len({json.dumps(spec(t), sort_keys=True) for t in things}) == 8


@pytest.mark.parametrize("name", [n for n in names() if hasattr(named(n), "trials")])
def test_every_trial_of_every_study_can_be_made_again(name):
    (one,) = find(name)
    trials = one.trials("smoke")
    for trial in trials[:: 1 + len(trials) // 6]:  # the kinds of trial of a study follow one another
        run = Run(trial)
        told = trial.spec()
        data = {"class": told["class"], "options": told["options"] | {"label": trial.label}}
        if "parent" in type(trial).__dataclass_fields__:
            data["options"] |= {"parent": trial.parent}
        other = rebuild(json.loads(json.dumps(data)))
        assert Run(other).asked.spec == run.asked.spec


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=5) | st.sampled_from(["class", "tuple", "array", "float"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(plain)
def test_plain_data_is_made_again(thing):
    assert again(thing) == thing


def test_arrays_numbers_and_functions_are_made_again():
    for array in (np.arange(3, dtype=np.int32), np.array([[1.5, np.inf]], np.float32), np.float64(0.1), np.array(True)):
        other = again(array)
        assert np.asarray(other).dtype == np.asarray(array).dtype
        np.testing.assert_array_equal(other, array)
    assert again({1: "a", (2, 3): "b"}) == {1: "a", (2, 3): "b"}
    assert again(Path("a/b")) == Path("a/b")
    assert again(polities.Polity) is polities.Polity
    assert again(spec) is spec
    assert list(addresses(spec({"f": spec, "p": [Pool()]}))) == ["nomoi.core.spec:spec", "nomoi.situations.pool:Pool"]


def test_numbers_of_numpys_and_of_jaxs_name_what_pythons_do():
    told = lambda thing: json.dumps(spec(thing))  # noqa: E731
    for kind in (np.int64, np.int32, np.uint8, np.array, jnp.int32):
        assert told(Pool(agents=kind(3))) == told(Pool(agents=3))
        assert told(Forager(spare=kind(2))) == told(Forager(spare=2))
        assert told(Harvest(extent=(kind(2), 1, 2))) == told(Harvest(extent=(2, 1, 2)))
    assert told(Harvest(extent=np.array([2, 1, 2]))) == told(Harvest(extent=(2, 1, 2)))
    for kind in (np.float64, np.float32, jnp.float32):
        assert told(Pool(growth=kind(0.5))) == told(Pool(growth=0.5))
        half = checked(kind(0.5), options(polities.Polity)["rents"], "rents")
        assert (type(half), half) == (float, 0.5)
    assert told(Forager(heed=np.bool_(True))) == told(Forager(heed=True))
    assert told([np.int64(3), np.float64(0.5), np.bool_(True)]) == told([3, 0.5, True])
    with pytest.raises(Refusal, match=r"pool.horizon is 0; a whole number"):
        Pool(horizon=np.int64(0))


def test_what_cannot_be_written_down_is_refused_in_a_sentence():
    for thing in (object(), {1, 2}, 1j):
        with pytest.raises(Refusal, match="cannot be written down"):
            spec(thing)
    with pytest.raises(Refusal, match="no name of its own"):
        spec(lambda: 1)
    for gone in ("nomoi.situations.pool:Pol", "nomoi.no:Pool", "nomoi.situations.pool:"):
        with pytest.raises(Refusal, match=r"there is no"):
            at(gone)
    with pytest.raises(Refusal, match="it has changed since"):
        rebuild({"class": "nomoi.situations.pool:Pool", "options": {"fishes": 3}})


# --- files of one's own -------------------------------------------------------------------------------------------


def lived(file, out, monkeypatch):
    monkeypatch.chdir(out.parent)
    result = compare(f"{file}:Meadow", ["nothing"], who="random", seeds=1, out=out)
    return result.rows[0].records[0]


def test_a_file_of_ones_own_is_known_by_its_text_and_not_by_its_place(tmp_path, monkeypatch):
    here, there = tmp_path / "a" / "meadow.py", tmp_path / "b" / "copied.py"
    for place in (here, there):
        place.parent.mkdir()
        place.write_text((EXAMPLES / "meadow.py").read_text() + "\n# loaded by nobody else\n")
    out = tmp_path / "runs"
    record = lived(here, out, monkeypatch)
    assert lived(there, out, monkeypatch).id == record.id
    there.write_text(there.read_text() + "\n# another text\n")
    assert lived(there, out, monkeypatch).id != record.id
    assert (record.folder / "meadow.py").read_bytes() == here.read_bytes()
    assert str(tmp_path) not in json.dumps(record.spec)

    home = next(a.partition(":")[0] for a in addresses(record.spec) if a.startswith(OWN))
    monkeypatch.delitem(sys.modules, home)  # as in another process
    assert trial_of(record).place.name == "meadow"
    monkeypatch.delitem(sys.modules, home)
    here.unlink()
    with pytest.raises(Refusal, match=f"{record.id} cannot be made again: .*meadow.py.*a copy is kept in"):
        trial_of(record)
    shutil.copy(record.folder / "meadow.py", tmp_path)  # where one stands
    assert trial_of(record).place.name == "meadow"


def test_a_file_is_run_once_and_what_it_defines_is_one_thing_wherever_it_lies(tmp_path):
    text = f"from pathlib import Path\nwith Path({str(tmp_path / 'count')!r}).open('a') as file: file.write('x')\n"
    for place in ("one.py", "other.py"):
        (tmp_path / place).write_text(text)
    first = module(tmp_path / "one.py")
    assert module(tmp_path / "one.py") is module(str(tmp_path / "other.py")) is first
    assert (tmp_path / "count").read_text() == "x"
    (tmp_path / "other.py").write_text(f"{text}#")
    assert module(tmp_path / "other.py") is not first
    assert (tmp_path / "count").read_text() == "xx"


def test_a_map_of_ones_own_is_part_of_the_run(tmp_path):
    """The drawing is kept, not its path: what is drawn anew is another world, what is moved the same."""
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    for file in (one, other):
        file.write_text("WWWWW\nWPAPW\nWWWWW\n")
    told = lambda file: spec(Harvest(map=str(file), agents=2))  # noqa: E731
    before = told(one)
    assert before == told(other)
    assert str(tmp_path) not in json.dumps(before)
    one.write_text("WWWWW\nWPAAW\nWWPWW\n")
    assert told(one) != before
    one.unlink()
    other.unlink()
    assert (
        rebuild(before).land.find("P").tolist()
        == Harvest(map=before["options"]["map"], agents=2).land.find("P").tolist()
    )


def test_an_address_is_where_a_class_is():
    assert address(Levy) == "nomoi.institutions.levy:Levy"
    assert at(address(Levy)) is Levy
    assert address(Constant) == "nomoi.scripts.fixed:Constant"
    assert again(govern(Pool(), Levy(on="request"))).institutions[0].name == "levy"


@pytest.mark.parametrize("address", ["subprocess:Popen", "os:system", "builtins:eval", "antigravity:fly", "jax:jit"])
def test_data_of_others_load_and_call_nothing_but_what_things_are_made_of(address):
    for data in ({"class": address, "options": {"args": ["false"]}}, {"function": address}, {"type": address}):
        with pytest.raises(Refusal, match="neither nomoi's nor of a file that is loaded here"):
            rebuild(data)
    with pytest.raises(Refusal, match="is not what a record is made of"):
        rebuild({"class": "nomoi.cli:main", "options": {}})
    assert "antigravity" not in sys.modules


def test_a_file_that_came_with_a_record_is_not_run(tmp_path, monkeypatch):
    """A record may say that its file lies beside it; what is in a folder of records is nobody's own."""
    file = tmp_path / "meadow.py"
    shutil.copy(EXAMPLES / "meadow.py", file)
    record = lived(file, tmp_path / "runs", monkeypatch)
    home = next(a.partition(":")[0] for a in addresses(record.spec) if a.startswith(OWN))
    file.unlink()
    monkeypatch.delitem(sys.modules, home)
    monkeypatch.chdir(tmp_path / "runs")
    record.facts["own"] = {home: str(record.folder / "meadow.py")}
    with pytest.raises(Refusal, match="cannot be made again"):
        trial_of(record)


@pytest.mark.parametrize(
    "options",
    [None, [], {"situation": {"class": "nomoi.situations.pool:Pool"}}, {"situation": {"tuple": 3}},
     {"worlds": {"float": "zz"}}, {"situation": {"table": [1]}}, {"situation": {"array": [1]}},
     {"situation": {"class": 3, "options": {}}}],
)  # fmt: skip
def test_what_does_not_say_what_it_is_is_refused_in_a_sentence(options, tmp_path, monkeypatch):
    shutil.copy(EXAMPLES / "meadow.py", tmp_path)
    record = lived(tmp_path / "meadow.py", tmp_path / "runs", monkeypatch)
    kept = record.spec["trial"]["options"]
    record.spec["trial"]["options"] = kept | options if isinstance(options, dict) else options
    with pytest.raises(Refusal, match=f"{record.id} cannot be made again"):
        trial_of(record)


@dataclasses.dataclass(frozen=True, eq=False)
class Both(Trial):
    things: tuple = ()

    def make(self, key, parents):
        return {"m": 1.0}, {}


def test_two_files_of_one_name_are_both_kept(tmp_path):
    things = []
    for k in "ab":
        (tmp_path / k).mkdir()
        (tmp_path / k / "v.py").write_text(f"{(EXAMPLES / 'meadow.py').read_text()}\n# {k}\n")
        things.append(module(tmp_path / k / "v.py").Meadow())
    kept = Run(Both("x", tuple(things))).files()
    assert sorted(text[-4:] for text in kept.values()) == [b"# a\n", b"# b\n"]


def test_a_word_is_a_map_whatever_files_are_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small").write_text("WWWWW\nWPAPW\nWWWWW\n")
    assert Harvest().map == "small"
    assert "\n" in Harvest(map="./small", agents=2).map


def twice(function):
    import functools

    @functools.wraps(function)
    def more(key):
        return {"m": 2 * function(key)["m"]}

    return more


def one(key):
    return {"m": 1.0}


def test_a_function_that_took_the_name_of_another_is_refused():
    assert at(address(one)) is one
    with pytest.raises(Refusal, match="stands another"):
        address(twice(one))
