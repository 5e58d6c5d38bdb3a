"""What holds in every test: strict types, checked shapes, warnings as errors, and the same examples in CI."""

import functools
import gc
import inspect
import os
import pathlib
import subprocess
import sys
import typing

# Most of a test's time goes into compiling programs that run for milliseconds, so they are compiled without effort:
# a third of the time.  A version of XLA that does not know a flag would end the process, so it is asked first, once:
# processes that tests start inherit what was found.
if "XLA_FLAGS" not in os.environ:
    flags = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
    probe = [sys.executable, "-c", "import jax; jax.numpy.zeros(1)"]
    knows = subprocess.run(probe, env=os.environ | {"XLA_FLAGS": flags}, capture_output=True).returncode == 0
    os.environ["XLA_FLAGS"] = flags if knows else ""

import hypothesis
import jax
import jaxtyping
import pytest

jax.config.update("jax_numpy_dtype_promotion", "strict")
# Programs that several tests need are compiled once; the environment tells processes that tests start.
CACHE = str(pathlib.Path(__file__).parent.parent / ".pytest_cache" / "xla")
os.environ["JAX_COMPILATION_CACHE_DIR"] = CACHE
jax.config.update("jax_compilation_cache_dir", CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.02)
shapes = jaxtyping.jaxtyped
gc.set_threshold(50_000, 20, 50)  # tracing makes many small things, and hardly any cycles


def hint(said, names):
    """What an annotation says, or anything where it names what only a type checker imports."""
    try:
        return eval(said, names) if isinstance(said, str) else said
    except (NameError, TypeError):
        return typing.Any


def checked(thing=None, *, typechecker):
    """Where no annotation names an array there are no axes to compare: types alone, in a tenth of the time."""
    if thing is None:
        return functools.partial(checked, typechecker=typechecker)
    if inspect.isfunction(thing):
        said = thing.__annotations__
        hints = {name: hint(one, thing.__globals__) for name, one in said.items()}
        if "jaxtyping" not in repr(hints):
            thing.__annotations__ = hints
            thing = typechecker(thing)
            thing.__annotations__ = said
            return thing
    return shapes(thing, typechecker=typechecker)


# Before anything of nomoi is imported; an int may stand where a float is asked for, as type checkers agree.
TYPES = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True, violation_type=TypeError))"
jaxtyping.jaxtyped = checked
jaxtyping.install_import_hook("nomoi", TYPES)

hypothesis.settings.register_profile("local", deadline=None, max_examples=10)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=10, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file's tests share programs and what they trained, so they stay together in one worker."""
    from xdist.scheduler import LoadFileScheduling

    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False  # else files of few but long tests come last, and one worker idles
    return LoadFileScheduling(config, log)


@pytest.fixture(autouse=True, scope="module")
def forgotten_programs():
    """A process that keeps thousands of compiled programs runs out of memory maps and dies (65,530 on Linux)."""
    yield
    maps = pathlib.Path("/proc/self/maps")
    if not maps.exists() or maps.read_bytes().count(b"\n") > 15_000:
        jax.clear_caches()
        gc.collect()


@pytest.fixture(scope="module")
def shared_programs():
    """For files about runs and records: what they train is compiled once for all tests, not anew by each `make`."""
    from nomoi.runs.hands import Programs

    known, begin = {}, Programs.__init__

    def begun(self):
        begin(self)
        self._known = known

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Programs, "__init__", begun)
        yield


@pytest.fixture
def data():
    """data(name): a file of this machine's own data (NOMOI_DATA); a test that needs one is skipped without it."""
    from nomoi import files
    from nomoi.errors import Missing

    def find(name):
        try:
            return files.data(name)
        except Missing as missing:
            pytest.skip(str(missing))

    return find


@pytest.fixture
def nomoi(monkeypatch, capsys, tmp_path):
    """Call the command in an empty folder: (exit status, what it printed, what it complained)."""
    from nomoi import cli

    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["nomoi", *map(str, words)])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        said = capsys.readouterr()
        return status, said.out, said.err

    return call
